package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"rollcall/store/presence"
)

// TestAFullDisk lets SQLite run into a bound of pages, which fails in the same
// place and with the same code as a disk without space.
func TestAFullDisk(t *testing.T) {
	schema, err := os.ReadFile("../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	ctx, now := t.Context(), time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	s, err := Open(ctx, Config{Path: t.TempDir(), Schema: string(schema), Rules: presence.DefaultRules()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	limitPages(t, s, 100)
	var tokens []string
	for i := 0; ; i++ {
		result, err := s.Login(ctx, now, By{App: "shop"}, Login{User: UserInput{ID: fmt.Sprint("user", i)}, Origin: Origin{UserAgent: strings.Repeat("x", 300)}})
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil || i > 10000 {
			t.Fatalf("login %d: %v", i, err)
		}
		tokens = append(tokens, result.Token)
	}
	for _, token := range tokens { // every login that was acknowledged is there
		if _, err := s.Authenticate(ctx, now, token); err != nil {
			t.Fatal("reading while the disk is full:", err)
		}
	}
	limitPages(t, s, 10000)
	if _, err := s.Login(ctx, now, By{App: "shop"}, Login{User: UserInput{ID: "later"}}); err != nil {
		t.Fatal("after space came back:", err)
	}
	page, err := s.Online(ctx, now, OnlineFilter{Limit: 1})
	if n := page.Counts.Available; err != nil || n != len(tokens)+1 {
		t.Fatalf("%d people, %v; want the %d that were acknowledged", n, err, len(tokens)+1)
	}
}

func limitPages(t *testing.T, s *Store, pages int) {
	t.Helper()
	if _, err := s.writer.conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
		t.Fatal(err)
	}
}

// TestAWriteThatDeclinesUndoesOnlyItself queues writes so that one transaction
// holds several of them.
func TestAWriteThatDeclinesUndoesOnlyItself(t *testing.T) {
	schema, err := os.ReadFile("../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Config{Path: t.TempDir(), Schema: string(schema)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	add := func(id int, verdict error) *write {
		return &write{ctx: t.Context(), run: func(tx *tx) error {
			if _, err := tx.exec(`INSERT INTO organizations (id, name, created_at) VALUES ($1, $2, 0)`, id, fmt.Sprint(id)); err != nil {
				return err
			}
			return verdict
		}}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late := add(3, nil)
	late.ctx = gone
	batch := []*write{add(1, nil), add(2, ErrForbidden), late, add(4, nil)}
	for _, job := range batch {
		if err := s.writer.enqueue(job); err != nil && job != late {
			t.Fatal(err)
		}
	}
	for i, want := range []error{nil, ErrForbidden, ErrBusy, nil} {
		if batch[i] == late && len(late.answer) == 0 {
			continue // its caller had left before it was queued
		}
		if err := <-batch[i].answer; !errors.Is(err, want) {
			t.Errorf("write %d: %v, want %v", i+1, err, want)
		}
	}
	var ids string
	if err := s.read.QueryRowContext(t.Context(), `SELECT group_concat(id) FROM organizations`).Scan(&ids); err != nil || ids != "1,4" {
		t.Errorf("kept %q, %v; want 1,4", ids, err)
	}
	batch = []*write{add(5, nil), add(6, errors.New("what SQLite says when nobody knows"))}
	if err := s.writer.commit(batch); err == nil {
		t.Error("a batch with a failed statement was committed")
	}
	var five int
	if err := s.read.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM organizations WHERE id = 5`).Scan(&five); err != nil || five != 0 {
		t.Errorf("of a lost batch there is %d, %v", five, err)
	}
}
