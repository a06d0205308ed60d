package sqldb

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counting answers how often it was asked before, and takes its time.
func counting(asked *atomic.Int64, takes time.Duration) func(context.Context, time.Time, string) (int64, error) {
	return func(ctx context.Context, _ time.Time, _ string) (int64, error) {
		n := asked.Add(1)
		time.Sleep(takes)
		return n, ctx.Err()
	}
}

// large is a database that counts as large, or not.
func large(yes bool) *DB {
	return &DB{engine: &engine{isLarge: func(context.Context) bool { return yes }}, heavy: newHeavyReads()}
}

func get(t *testing.T, c *Cache[string, int64], q string) int64 {
	t.Helper()
	n, err := c.Get(t.Context(), time.Now(), q)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAnAnswerFromALargeDatabaseIsUsedForAShortTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		c := NewCache(large(true), counting(&asked, time.Second))
		for _, step := range []struct {
			after time.Duration
			q     string
			want  int64
		}{{0, "a", 1}, {0, "a", 1}, {0, "b", 2}, {cacheTTL - 2*time.Second, "a", 1}, {2 * time.Second, "a", 3}} {
			time.Sleep(step.after)
			if got := get(t, c, step.q); got != step.want {
				t.Errorf("%s after %v: answer %d, want %d", step.q, step.after, got, step.want)
			}
		}
	})
}

func TestAnAnswerThatTookLongIsUsedWhileAnotherIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		c := NewCache(large(true), counting(&asked, time.Second))
		c.KeepWhile(func(answer int64) bool { return answer != 4 })
		for _, step := range []struct {
			after      time.Duration
			want, took int64 // seconds
		}{
			{0, 1, 1}, {9 * time.Second, 1, 0}, {2 * time.Second, 1, 0}, {2 * time.Second, 2, 0},
			{time.Minute, 3, 1},      // nobody has asked for too long
			{15 * time.Second, 3, 0}, // and the fourth is found
			{5 * time.Second, 5, 1},  // which does not last
		} {
			time.Sleep(step.after)
			start := time.Now()
			if got, took := get(t, c, "a"), int64(time.Since(start).Seconds()); got != step.want || took != step.took {
				t.Errorf("after %v: answer %d in %d s, want %d in %d s", step.after, got, took, step.want, step.took)
			}
		}
	})
}

func TestInASmallDatabaseEveryAnswerIsNew(t *testing.T) {
	var asked atomic.Int64
	c := NewCache(large(false), counting(&asked, 0))
	for want := int64(1); want <= 3; want++ {
		if got := get(t, c, "a"); got != want {
			t.Errorf("answer %d, want %d", got, want)
		}
	}
}

func TestWhoAsksTheSameAtTheSameTimeSharesTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		c := NewCache(large(true), counting(&asked, time.Second))
		impatient, leave := context.WithTimeout(t.Context(), time.Millisecond)
		defer leave()
		var callers sync.WaitGroup
		callers.Go(func() {
			if _, err := c.Get(impatient, time.Now(), "a"); err == nil {
				t.Error("who has gone has an answer")
			}
		})
		synctest.Wait()
		for range 10 {
			callers.Go(func() {
				if got := get(t, c, "a"); got != 1 {
					t.Errorf("answer %d, want that of the first", got)
				}
			})
		}
		callers.Wait()
	})
}

func TestOnlyAFewHeavyQuestionsAreAnsweredAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		c := NewCache(large(true), counting(&asked, time.Hour))
		for _, q := range []string{"a", "b", "c"} {
			go c.Get(context.Background(), time.Now(), q)
		}
		synctest.Wait()
		if n := asked.Load(); n != maxHeavyReads {
			t.Errorf("%d at once, want %d", n, maxHeavyReads)
		}
		time.Sleep(3 * time.Hour)
	})
}

func TestWhoHasATurnOfTheirOwnWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		answered := make(chan int64, 1)
		c := NewCache(large(true), counting(&asked, time.Second))
		for range maxHeavyReads {
			leave, err := c.db.heavy.acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer leave()
		}
		go c.Get(t.Context(), time.Now(), "a")
		synctest.Wait()
		go func() {
			n, _ := c.Get(WithOwnTurn(t.Context()), time.Now(), "a")
			answered <- n
		}()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		select {
		case n := <-answered:
			if n != 1 {
				t.Errorf("answer %d, want the first", n)
			}
		default:
			t.Error("there is no answer yet")
		}
		time.Sleep(time.Minute)
	})
}

func TestALastingAnswerIsUsedUntilItIsInvalid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		c := NewLastingCache(large(false), counting(&asked, time.Minute))
		get(t, c, "a")
		time.Sleep(1000 * time.Hour)
		if got := get(t, c, "a"); got != 1 {
			t.Errorf("answer %d, want the first", got)
		}
		c.Invalidate()
		found := make(chan int64)
		go func() { found <- get(t, c, "a") }()
		synctest.Wait()
		c.Invalidate() // what is being found right now is of before
		if got := get(t, c, "a"); got != 3 {
			t.Errorf("answer %d after it became invalid again, want a third", got)
		}
		<-found
		if got := get(t, c, "a"); got != 3 {
			t.Errorf("answer %d, want the one that is valid", got)
		}
	})
}

func TestNoMoreThanSomeAnswersAreRemembered(t *testing.T) {
	var asked atomic.Int64
	c := NewCache(large(true), counting(&asked, 0))
	for i := range 3 * maxCached {
		get(t, c, string(rune('a'+i)))
		if n := len(c.known); n > maxCached {
			t.Fatalf("%d are remembered", n)
		}
	}
}
