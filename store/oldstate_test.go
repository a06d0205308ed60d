//go:build postgres

package store_test

import (
	"database/sql"
	"testing"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// TestWhoIsErasedIsNotKeptForAnOldState has somebody in a transaction from before,
// who does not look at what is erased, but might.
func TestWhoIsErasedIsNotKeptForAnOldState(t *testing.T) {
	server := NewServer(t)
	s := OpenConfig(t, store.Config{Database: server.URL("public"), Rules: presence.DefaultRules()})
	db := server.Open(t, "public")
	defer db.Close()
	for name, begins := range map[string]string{"reads": `SELECT COUNT(*) FROM pg_class`, "writes": `SELECT pg_current_xact_id()`} {
		LogIn(t, s, Start, "canary-"+name)
		old, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := old.ExecContext(t.Context(), begins); err != nil {
			t.Fatal(err)
		}
		if gone, err := s.Erase(t.Context(), Start, "cli", "canary-"+name); err != nil || gone.Complete {
			t.Errorf("while somebody %s in an old state: %+v, %v", name, gone, err)
		}
		if err := old.Rollback(); err != nil {
			t.Fatal(err)
		}
		if gone, err := s.Erase(t.Context(), Start, "cli", "canary-"+name); err != nil || !gone.Complete {
			t.Errorf("after somebody %s: %+v, %v", name, gone, err)
		}
		ExecSQL(t, db, `CHECKPOINT`)
		if n := Number(t, db, `
			SELECT COUNT(*) FROM pg_class WHERE relkind IN ('r', 'i', 't') AND relnamespace IN ('public'::regnamespace, 'pg_toast'::regnamespace)
			AND position($1::bytea IN pg_read_binary_file(pg_relation_filepath(oid))) > 0`, "canary-"+name); n != 0 {
			t.Errorf("who %s: %d files have a trace", name, n)
		}
	}
}
