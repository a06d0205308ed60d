package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/store"
	. "rollcall/store/storetest"
)

func TestAskingOftenWhetherTheDatabaseTakesWritesCostsLittle(t *testing.T) {
	var commits atomic.Int64
	cfg := Config(t, t.TempDir())
	cfg.OnCommit = func(int, time.Duration) { commits.Add(1) }
	s := OpenConfig(t, cfg)
	for begun := time.Now(); time.Since(begun) < 100*time.Millisecond; {
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := commits.Load(); n > 1 {
		t.Errorf("it took %d transactions", n)
	}
}

func TestWhoHasGoneIsNotToldThatTheDatabaseIsWell(t *testing.T) {
	s := New(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Ping(gone); !errors.Is(err, store.ErrBusy) {
		t.Errorf("who has gone is told %v", err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("and the next one %v", err)
	}
}
