package store

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counting answers with how often it was asked, after a while.
func counting(asked *atomic.Int64, takes time.Duration) func(context.Context, time.Time, string) (int64, error) {
	return func(ctx context.Context, _ time.Time, _ string) (int64, error) {
		select {
		case <-time.After(takes):
			return asked.Add(1), nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func TestRecall(t *testing.T) {
	for _, test := range []struct {
		name        string
		takes, wait time.Duration
		want        int64         // answer to the second question
		blocks      time.Duration // how long it takes
		then        int64         // times that it was found once everything is quiet
	}{
		{"what is found at once is found anew", time.Millisecond, 0, 2, time.Millisecond, 2},
		{"what took long is remembered", time.Second, 8 * time.Second, 1, 0, 1},
		{"while a newer answer is on its way the old one is used", time.Second, 10 * time.Second, 1, 0, 2},
		{"what is too old is waited for", time.Second, 40 * time.Second, 2, time.Second, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int64
				r := newRecall(make(heavyReads, 2), always, counting(&asked, test.takes))
				defer r.close()
				if first, err := r.ask(t.Context(), time.Now(), "who"); first != 1 || err != nil {
					t.Fatalf("first: %d, %v", first, err)
				}
				time.Sleep(test.wait)
				start := time.Now()
				for range 3 { // whoever asks together, gets the same
					second, err := r.ask(t.Context(), time.Now(), "who")
					if second != test.want || err != nil || time.Since(start) != test.blocks {
						t.Errorf("%d, %v after %v; want %d after %v", second, err, time.Since(start), test.want, test.blocks)
					}
					if test.takes < recallFrom {
						break
					}
				}
				time.Sleep(2 * test.takes)
				if n := asked.Load(); n != test.then {
					t.Errorf("found %d times, want %d", n, test.then)
				}
			})
		})
	}
}

func TestRecallWorksOnTwoQuestionsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		r := newRecall(make(heavyReads, 2), always, counting(&asked, time.Second))
		defer r.close()
		start, answered := time.Now(), make(chan time.Duration)
		for _, q := range []string{"a", "b", "c", "a"} {
			go func() {
				_, _ = r.ask(t.Context(), time.Now(), q)
				answered <- time.Since(start)
			}()
			synctest.Wait()
		}
		for i, want := range []time.Duration{time.Second, time.Second, time.Second, 2 * time.Second} {
			if got := <-answered; got != want { // the second "a" shares the answer of the first
				t.Errorf("answer %d after %v, want %v", i+1, got, want)
			}
		}
		left, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer leave()
		if _, err := r.ask(left, time.Now(), "d"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who left was told %v", err)
		}
	})
}

func TestRecallForgetsTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		r := newRecall(make(heavyReads, 2), always, counting(&asked, recallFrom))
		defer r.close()
		for i := range recallKeys + 1 {
			if _, err := r.ask(t.Context(), time.Now(), string(rune('a'+i))); err != nil {
				t.Fatal(err)
			}
		}
		if len(r.known) != recallKeys || r.known["a"] != nil {
			t.Errorf("%d are known, the oldest of them: %v", len(r.known), r.known["a"] != nil)
		}
	})
}

func TestRecallForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		r := newRecall(make(heavyReads, 2), always, counting(&asked, time.Second))
		defer r.close()
		go r.ask(t.Context(), time.Now(), "who")
		synctest.Wait()
		r.forget() // what is found from before is not remembered either
		time.Sleep(2 * time.Second)
		if answer, err := r.ask(t.Context(), time.Now(), "who"); answer != 2 || err != nil {
			t.Errorf("after forgetting: %d, %v", answer, err)
		}
	})
}

func TestRecallEndsWithItsStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		r := newRecall(make(heavyReads, 2), always, counting(&asked, time.Second))
		_, _ = r.ask(t.Context(), time.Now(), "who")
		time.Sleep(11 * time.Second)
		_, _ = r.ask(t.Context(), time.Now(), "who") // begins to look for a newer answer
		start := time.Now()
		r.close()
		if took := time.Since(start); took != 0 || asked.Load() != 1 {
			t.Errorf("closed after %v, found %d times", took, asked.Load())
		}
	})
}

func always(context.Context) bool { return true }

func TestInASmallDatabaseEveryAnswerIsNew(t *testing.T) {
	schema, err := os.ReadFile("../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Config{Path: t.TempDir(), Schema: string(schema)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.engine.isLarge(t.Context()) {
		t.Error("an empty database counts as large")
	}
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		r := newRecall(make(heavyReads, 2), func(context.Context) bool { return false }, counting(&asked, time.Second))
		defer r.close()
		for range 3 {
			if _, err := r.ask(t.Context(), time.Now(), "q"); err != nil {
				t.Fatal(err)
			}
		}
		if n := asked.Load(); n != 3 {
			t.Errorf("of three answers %d are new", n)
		}
	})
}
