package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// TestAFullDisk lets SQLite run into a bound of pages, which fails in the same
// place and with the same code as a disk without space.
func TestAFullDisk(t *testing.T) {
	ctx, now := t.Context(), Start
	s := OpenFile(t, t.TempDir(), presence.DefaultRules())
	limitPages(t, s, 100)
	var tokens []string
	for i := 0; ; i++ {
		result, err := s.Login(ctx, now, store.By{App: "shop"}, store.Login{User: store.UserInput{ID: fmt.Sprint("user", i)}, Origin: store.Origin{UserAgent: strings.Repeat("x", 300)}})
		if errors.Is(err, sqldb.ErrFull) {
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
	if _, err := s.Login(ctx, now, store.By{App: "shop"}, store.Login{User: store.UserInput{ID: "later"}}); err != nil {
		t.Fatal("after space came back:", err)
	}
	page, err := s.Online(ctx, now, store.OnlineFilter{Limit: 1})
	if n := page.Counts.Available; err != nil || n != len(tokens)+1 {
		t.Fatalf("%d people, %v; want the %d that were acknowledged", n, err, len(tokens)+1)
	}
}

func limitPages(t *testing.T, s *store.Store, pages int) {
	t.Helper()
	err := s.DB().BetweenWrites(func(_ context.Context, conn *sql.Conn) error {
		_, err := conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA max_page_count = %d", pages))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
