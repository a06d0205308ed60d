package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/store"
	"rollcall/store/history"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

func TestCleanup(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		const many = 4500 // more than two batches
		for i := range many {
			if i%500 == 0 {
				LogIn(t, s, Start.Add(time.Hour), fmt.Sprint("late", i))
			}
			LogIn(t, s, Start, fmt.Sprint("early", i))
		}
		expired := Start.Add(24 * time.Hour)
		if st, err := s.Stats(ctx, expired); err != nil || st.Expired != many || st.Active != many/500 || st.LastCleanup != nil {
			t.Fatalf("before: %+v, %v", st, err)
		}
		for i, want := range []store.Cleaned{{Ended: many}, {}} {
			if got, err := s.Cleanup(ctx, expired); err != nil || got != want {
				t.Fatalf("cleanup %d: %+v, %v; want %+v", i+1, got, err, want)
			}
		}
		st, err := s.Stats(ctx, expired)
		if err != nil || st.Expired != 0 || st.Ended != many || *st.MedianDuration != 24*time.Hour {
			t.Fatalf("after: %+v, %v", st, err)
		}
		if st.LastCleanup == nil || !st.LastCleanup.At.Equal(expired) || st.LastCleanup.Ended != 0 {
			t.Fatalf("the last cleanup is %+v", st.LastCleanup)
		}
		old := expired.Add(presence.DefaultRules().Retention)
		if got, err := s.Cleanup(ctx, old.Add(-time.Millisecond)); err != nil || got.Purged != 0 {
			t.Fatalf("within retention: %+v, %v", got, err)
		}
		if got, err := s.Cleanup(ctx, old); err != nil || got.Purged != 2*many { // sessions, and whose they were
			t.Fatalf("past retention: %+v, %v", got, err)
		}
	})
}

func TestDurations(t *testing.T) {
	for _, c := range []struct {
		minutes         []int
		average, median float64
	}{
		{[]int{10}, 10, 10},
		{[]int{10, 30}, 20, 20},
		{[]int{1, 2, 60}, 21, 2},
		{[]int{1, 2, 4, 61}, 17, 3},
	} {
		t.Run(fmt.Sprint(c.minutes), func(t *testing.T) {
			Each(t, func(t *testing.T, s *store.Store) {
				for i, m := range c.minutes {
					session := LogIn(t, s, Start, fmt.Sprint(i))
					if _, err := s.EndByID(t.Context(), Start.Add(time.Duration(m)*time.Minute), "", session.ID, presence.EndLogout); err != nil {
						t.Fatal(err)
					}
				}
				st, err := s.Stats(t.Context(), Start.Add(2*time.Hour))
				if err != nil || st.AverageDuration.Minutes() != c.average || st.MedianDuration.Minutes() != c.median {
					t.Fatalf("average %v, median %v, %v", st.AverageDuration, st.MedianDuration, err)
				}
			})
		})
	}
}

func TestTheDaysPeak(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		sample := func(now time.Time) *history.Peak {
			t.Helper()
			if err := RecordPeak(t.Context(), s, now); err != nil {
				t.Fatal(err)
			}
			st, err := s.Stats(t.Context(), now)
			if err != nil {
				t.Fatal(err)
			}
			return st.PeakToday
		}
		LogIn(t, s, Start, "ada")
		LogIn(t, s, Start, "bob")
		for _, step := range []struct {
			now    time.Time
			people int
			at     time.Time
		}{
			{Start, 2, Start},
			{Start.Add(time.Hour), 2, Start}, // both offline by now
			{Start.Add(24 * time.Hour), 0, Start.Add(24 * time.Hour)},
		} {
			if p := sample(step.now); p.People != step.people || !p.At.Equal(step.at) {
				t.Errorf("at %v the peak is %+v, want %d at %v", step.now, p, step.people, step.at)
			}
		}
	})
}

func TestACleanupThatWaitsForTheWriterIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := OpenFile(t, t.TempDir(), presence.DefaultRules())
		LogIn(t, s, Start, "ada")
		held := make(chan struct{})
		var others sync.WaitGroup
		others.Go(func() {
			err := s.DB().BetweenWrites(func(context.Context, *sql.Conn) error {
				close(held)
				time.Sleep(s.Rules().OnlineWindow)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		<-held
		if cleaned, err := s.Cleanup(t.Context(), Start.Add(25*time.Hour)); err != nil || cleaned.Ended != 1 {
			t.Errorf("%+v, %v", cleaned, err)
		}
		others.Wait()
	})
}
