package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
)

// open returns an empty SQLite database with rollcall's schema.
func open(t *testing.T) *DB { return openIn(t, t.TempDir()) }

// openIn opens the SQLite database in a folder, with rollcall's schema.
func openIn(t *testing.T, folder string) *DB {
	t.Helper()
	schema, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), Config{Folder: folder, Schema: string(schema)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// adds is a job that adds an organization, and then ends with verdict.
func adds(ctx context.Context, id int, verdict error) *Job {
	return &Job{ctx: ctx, Run: func(t *Tx) error {
		if _, err := t.Exec(`INSERT INTO organizations (id, name, created_at) VALUES ($1, $2, 0)`, id, fmt.Sprint(id)); err != nil {
			return err
		}
		return verdict
	}}
}

func (db *DB) organizations(t *testing.T) (ids string) {
	t.Helper()
	if err := db.Scan(t.Context(), []any{&ids}, `SELECT COALESCE(group_concat(id), '') FROM organizations`); err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestAWriteThatDeclinesUndoesOnlyItself(t *testing.T) {
	db, declined := open(t), errors.New("declined")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late := adds(gone, 3, nil)
	batch := []*Job{adds(t.Context(), 1, nil), adds(t.Context(), 2, declined), late, adds(t.Context(), 4, nil)}
	for _, job := range batch { // so fast that one transaction has several of them
		if err := db.writer.enqueue(job); err != nil && job != late {
			t.Fatal(err)
		}
	}
	for i, want := range []error{nil, declined, ErrBusy, nil} {
		if batch[i] == late && len(late.answer) == 0 {
			continue // its caller had left before it was queued
		}
		if err := <-batch[i].answer; !errors.Is(err, want) {
			t.Errorf("write %d: %v, want %v", i+1, err, want)
		}
	}
	if ids := db.organizations(t); ids != "1,4" {
		t.Errorf("kept %q, want 1,4", ids)
	}
}

func TestAFailedStatementLosesItsTransaction(t *testing.T) {
	db := open(t)
	hidden := &Job{ctx: t.Context(), Run: func(t *Tx) error {
		_, _ = t.Exec(`INSERT INTO organizations (id, name, created_at) VALUES (6, NULL, 0)`)
		return nil // whatever the write makes of it
	}}
	if err := db.writer.commit([]*Job{adds(t.Context(), 5, nil), hidden}); err == nil {
		t.Error("a batch with a failed statement was committed")
	}
	if ids := db.organizations(t); ids != "" {
		t.Errorf("of a lost batch there is %q", ids)
	}
}

// TestTheEndInterruptsWhatRewritesTheWholeDatabase stands in for a VACUUM of minutes by a query without end.
func TestTheEndInterruptsWhatRewritesTheWholeDatabase(t *testing.T) {
	db, begun, ended := open(t), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- db.BetweenWrites(func(ctx context.Context, conn *sql.Conn) error {
			close(begun)
			_, err := conn.ExecContext(ctx, `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c`)
			return Wrap("rewriting the database", err)
		})
	}()
	<-begun
	last := adds(t.Context(), 1, nil) // waits behind it
	if err := db.writer.enqueue(last); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > stopWait {
		t.Errorf("the end took %v", took)
	}
	if err := <-ended; err == nil || errors.Is(err, ErrBroken) {
		t.Errorf("what was interrupted says %v", err)
	}
	if err := <-last.answer; err != nil {
		t.Errorf("a write that waited: %v", err)
	}
}

func TestASmallBatchWaitsForOthersWhereSeveralCameTogether(t *testing.T) {
	for _, c := range []struct {
		what         string
		before, size int
		began        time.Duration // ago
		want         int
	}{
		{"after a batch of several", severalWrites, 1, 0, 2},
		{"after a single write", severalWrites - 1, 1, 0, 1},
		{"of many", severalWrites, enoughWrites, 0, enoughWrites},
		{"long after the one before", severalWrites, 1, commitEvery, 1},
		{"after the clock was set back", severalWrites, 1, -time.Hour, 1},
	} {
		w := newWriter(nil)
		w.began = time.Now().Round(0).Add(-c.began)
		w.queue <- &Job{} // which comes meanwhile
		if got := len(w.gather(make([]*Job, c.size), c.before)); got != c.want {
			t.Errorf("a batch %s has %d writes, want %d", c.what, got, c.want)
		}
	}
}

func TestWhoWritesOrReadsAsideLeavesMostToOthers(t *testing.T) {
	db := open(t)
	const busy = 5 * time.Millisecond
	works := func(*Tx) error {
		for began := time.Now(); time.Since(began) < busy; {
		}
		return nil
	}
	began := time.Now()
	if err := db.WriteAside(t.Context(), works); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < (1+othersShare)*busy {
		t.Errorf("a write of %v took %v, of which others have %d times as much", busy, took, othersShare)
	}
	began = time.Now()
	if err := db.HeavyStep(Aside(t.Context(), true), func(*sql.Tx) error { return works(nil) }); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < (1+othersShare)*busy {
		t.Errorf("a step of reading of %v took %v, of which others have %d times as much", busy, took, othersShare)
	}
	gone, cancel := context.WithCancel(t.Context())
	err := db.WriteAside(gone, func(tx *Tx) error {
		defer cancel()
		_, err := tx.Exec(`INSERT INTO organizations (id, name, created_at) VALUES (7, '7', 0)`)
		return errors.Join(err, works(tx))
	})
	if !errors.Is(err, context.Canceled) || db.organizations(t) != "7" {
		t.Errorf("whoever is gone waits: %v, written: %q", err, db.organizations(t))
	}
}
