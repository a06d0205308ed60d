package store_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/store"
	. "rollcall/store/storetest"
)

func TestAProbeGoesTheWayOfAllWrites(t *testing.T) {
	var commits, writes atomic.Int64
	s, err := store.Open(t.Context(), store.Config{Path: t.TempDir(), Schema: Schema(t), OnCommit: func(n int, took time.Duration) {
		if took <= 0 {
			t.Errorf("a commit took %v", took)
		}
		commits.Add(1)
		writes.Add(int64(n))
	}})
	if err != nil {
		t.Fatal(err)
	}
	login(t, s, Start, "ada")
	if err := s.ProbeWriter(t.Context()); err != nil {
		t.Errorf("the writer is well, but: %v", err)
	}
	if err := s.Close(); err != nil { // after the last commit was told of
		t.Fatal(err)
	}
	if commits.Load() != 2 || writes.Load() != 2 {
		t.Errorf("%d writes in %d commits, want a login and a probe, one by one", writes.Load(), commits.Load())
	}
	if err := s.ProbeWriter(t.Context()); !errors.Is(err, store.ErrBroken) {
		t.Errorf("of a writer that has ended: %v", err)
	}
}

func TestAWriterThatRewritesTheDatabaseIsWell(t *testing.T) {
	s := New(t)
	release := make(chan struct{})
	store.Between(s, release)
	if err := s.ProbeWriter(t.Context()); err != nil {
		t.Errorf("while it rewrites: %v", err)
	}
	close(release)
	login(t, s, Start, "ada")
}
