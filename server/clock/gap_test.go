package clock

import (
	"testing"
	"time"

	"rollcall/store/sqldb"
)

func TestAShortSilenceIsNone(t *testing.T) {
	q, at := &gap{}, time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	after := func(d time.Duration) time.Time { return at.Add(d) }
	wants := func(now, want time.Duration) {
		t.Helper()
		if got := q.length(after(now), time.Minute); got != want {
			t.Errorf("after %v it was silent for %v, want %v", now, got, want)
		}
	}
	q.tried(at, nil)
	wants(0, 0)
	q.tried(at, sqldb.ErrNotFound)
	wants(time.Hour, 0)
	q.tried(at, sqldb.ErrFull)
	wants(30*time.Second, 30*time.Second)
	q.tried(after(time.Minute), nil)
	wants(time.Minute, 0)

	q.tried(at, sqldb.ErrUnavailable)
	q.tried(after(time.Hour), nil)
	q.tried(after(time.Hour+time.Minute), sqldb.ErrUnavailable) // it was not over
	q.tried(after(2*time.Hour), nil)
	q.tried(after(2*time.Hour+time.Second), nil)
	wants(2*time.Hour+2*time.Minute-1, 2*time.Hour)
	wants(2*time.Hour+2*time.Minute, 0)

	q.restored(at, after(time.Hour))
	wants(time.Hour+time.Minute, time.Hour)
	wants(time.Hour+2*time.Minute, 0)

	q.tried(after(time.Hour), sqldb.ErrUnavailable)
	q.restored(at, after(time.Hour+time.Minute)) // when the database was back, but nobody heard of yet
	wants(time.Hour+time.Minute, time.Hour+time.Minute)
	q.tried(after(time.Hour+2*time.Minute), nil)
	wants(time.Hour+3*time.Minute, time.Hour+2*time.Minute)
}

func TestAStepOfTheClockDoesNotEndASilence(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, -time.Hour} {
		q, at := &gap{}, time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
		q.tried(at, sqldb.ErrUnavailable)
		over := at.Add(22 * time.Minute)
		q.tried(over, nil)
		q.shift(step)
		if got := q.length(over.Add(step+2*time.Minute-1), time.Minute); got != 22*time.Minute {
			t.Errorf("after a step by %v it was silent for %v", step, got)
		}
		if got := q.length(over.Add(step+2*time.Minute), time.Minute); got != 0 {
			t.Errorf("after a step by %v it is not over: %v", step, got)
		}
	}
}
