package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

func TestACommitJustNowIsProofThatHeartbeatsCanBeRecorded(t *testing.T) {
	var commits, writes atomic.Int64
	cfg := Config(t, t.TempDir())
	cfg.OnCommit = func(n int, took time.Duration) {
		if took <= 0 {
			t.Errorf("a commit took %v", took)
		}
		commits.Add(1)
		writes.Add(int64(n))
	}
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	LogIn(t, s, Start, "ada")
	for begun := time.Now(); time.Since(begun) < 100*time.Millisecond; {
		if err := s.DB().CanWrite(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil { // after the last commit was told of
		t.Fatal(err)
	}
	if commits.Load() != 2 || writes.Load() != 2 {
		t.Errorf("%d writes in %d commits, want the opening and a login, one by one", writes.Load(), commits.Load())
	}
	if err := s.DB().CanWrite(t.Context()); err == nil {
		t.Error("a database that is closed can be written")
	}
}

func TestWhetherHeartbeatsCanBeRecordedIsTriedWhereTheLastCommitHasFailed(t *testing.T) {
	var commits atomic.Int64
	s := OpenConfig(t, store.Config{Path: t.TempDir(), Schema: Schema(t), OnCommit: func(int, time.Duration) { commits.Add(1) }})
	limitPages(t, s, 1) // no fewer than there are
	full := false
	for i := 0; !full; i++ {
		_, err := s.Login(t.Context(), Start, Shop, store.Login{User: store.UserInput{ID: fmt.Sprint(i)}})
		full = errors.Is(err, sqldb.ErrFull)
	}
	before := commits.Load()
	if err := s.DB().CanWrite(t.Context()); err != nil { // what is there already can be written in its place
		t.Error(err)
	}
	if n := commits.Load() - before; n != 1 {
		t.Errorf("it took %d transactions to find out", n)
	}
}

func TestWhoHasGoneIsNotToldThatTheDatabaseIsWell(t *testing.T) {
	s := New(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.DB().CanWrite(gone); !errors.Is(err, sqldb.ErrBusy) {
		t.Errorf("who has gone is told %v", err)
	}
	if err := s.DB().CanWrite(t.Context()); err != nil {
		t.Errorf("and the next one %v", err)
	}
}

func TestAWriterThatRewritesTheDatabaseIsAlive(t *testing.T) {
	s := New(t)
	release := make(chan struct{})
	store.Between(s, release)
	if err := s.DB().WriterAlive(t.Context()); err != nil {
		t.Errorf("while it rewrites: %v", err)
	}
	close(release)
	LogIn(t, s, Start, "ada")
}
