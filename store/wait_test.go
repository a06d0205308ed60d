package store_test

import (
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// beatWhile sends heartbeats, one after the other, until work is done, and
// returns how many, and how long the slowest took.
func beatWhile(t testing.TB, s *store.Store, work func() error) (beats int, longest time.Duration) {
	t.Helper()
	ada := LogIn(t, s, Start, "ada")
	over := make(chan error)
	go func() { over <- work() }()
	for ; ; beats++ {
		select {
		case err := <-over:
			if err != nil {
				t.Fatal(err)
			}
			return beats, longest
		default:
			sent := time.Now()
			Touch(t, s, Start.Add(time.Duration(beats)), ada.Token, store.Beat{})
			longest = max(longest, time.Since(sent))
		}
	}
}

// measureBeats reports the longest time that a heartbeat waited for work among
// 100000 sessions.
func measureBeats(b *testing.B, work func(*store.Store) error) {
	folder := b.TempDir()
	s := Open(b, folder, forgetful())
	fill(b, OpenShell(b, folder, ""), 100_000)
	begun := time.Now()
	beats, longest := beatWhile(b, s, func() error { return work(s) })
	b.ReportMetric(float64(longest.Milliseconds()), "ms-longest")
	b.ReportMetric(float64(time.Since(begun).Milliseconds()), "ms-all")
	b.ReportMetric(float64(beats), "beats")
}

// forgetful are rules by which nothing is kept that has ended.
func forgetful() presence.Rules {
	rules := presence.DefaultRules()
	rules.Retention = time.Millisecond
	return rules
}

func BenchmarkHeartbeatsWhileSessionsEnd(b *testing.B) {
	measureBeats(b, func(s *store.Store) error {
		n, err := s.RevokeAll(b.Context(), Start, store.SessionFilter{Organization: "Acme"}, byRoot)
		if n != 39_800 {
			b.Errorf("%d ended, %v", n, err)
		}
		return err
	})
}

func BenchmarkHeartbeatsWhileOldSessionsArePurged(b *testing.B) {
	measureBeats(b, func(s *store.Store) error {
		_, err := s.Cleanup(b.Context(), Start)
		return err
	})
}

func BenchmarkHeartbeatsWhileSomebodyIsErased(b *testing.B) {
	measureBeats(b, func(s *store.Store) error {
		_, err := s.Erase(b.Context(), Start, "cli", "u7")
		return err
	})
}

func TestHeartbeatsAreAnsweredBetweenTheStepsOfAPurge(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, forgetful())
	fill(t, OpenShell(t, folder, ""), 20_000)
	beats, _ := beatWhile(t, s, func() error {
		got, err := s.Cleanup(t.Context(), Start)
		if got.Purged != 11_999+599 { // sessions, and people who had no other
			t.Errorf("%d are purged", got.Purged)
		}
		return err
	})
	if want := 12_000 / 500 / 2; beats < want {
		t.Errorf("%d heartbeats were answered, want %d", beats, want)
	}
}
