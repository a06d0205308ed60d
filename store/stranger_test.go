//go:build postgres

package store_test

import (
	"context"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

func TestARoleThatMayOnlyConnectHoldsUpNoWrite(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := Shell(t, folder)
	schema := texts(t, db, `SELECT current_schema()`)[0]
	for _, name := range []string{"drain", "changes", "user_sessions"} {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{
			`DO $$ BEGIN CREATE ROLE stranger; EXCEPTION WHEN duplicate_object THEN NULL; END $$`, `SET LOCAL ROLE stranger`} {
			if _, err := tx.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		_, err = tx.Exec(`
			SELECT pg_advisory_xact_lock(c.oid::bigint) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relname = $1 AND n.nspname = $2`, name, schema)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if _, err := s.Login(ctx, Start, Shop, store.Login{User: store.UserInput{ID: "ada"}}); err != nil {
			t.Errorf("while a stranger holds a lock of %s: %v", name, err)
		}
		cancel()
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARoleThatMayOnlyConnectHoldsUpNoCleanupAndNoStart(t *testing.T) {
	folder, empty := t.TempDir(), t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	LogIn(t, s, Start, "ada")
	db, other := Shell(t, folder), Shell(t, empty)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	schemas := append(texts(t, db, `SELECT current_schema()`), texts(t, other, `SELECT current_schema()`)...)
	for _, statement := range []string{
		`DO $$ BEGIN CREATE ROLE stranger; EXCEPTION WHEN duplicate_object THEN NULL; END $$`, `SET LOCAL ROLE stranger`} {
		if _, err := tx.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, schema := range schemas {
		for _, name := range []string{"cleanup", "rollcall upgrade"} {
			if _, err := tx.Exec(`SELECT pg_advisory_xact_lock(hashtext($1), hashtext($2))`, name, schema); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, err := s.Cleanup(t.Context(), Start.Add(48*time.Hour)); err != nil || got.Ended != 1 {
		t.Errorf("while a stranger holds locks a cleanup does %+v, %v", got, err)
	}
	for name, folder := range map[string]string{"with tables": folder, "without": empty} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		opened, err := store.Open(ctx, Config(t, folder))
		if cancel(); err != nil {
			t.Errorf("a start %s: %v", name, err)
			continue
		}
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := tx.Exec(`LOCK TABLE ` + schemas[0] + `.cleanup_turn IN ACCESS SHARE MODE`); err == nil {
		t.Error("a stranger may lock the turn to clean up")
	}
}

func TestFunctionsFindTheirTablesWhateverTheCallersPathIs(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	ada := LogIn(t, s, Start, "ada")
	db := Shell(t, folder)
	schema := texts(t, db, `SELECT current_schema()`)[0]
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	for _, statement := range []string{
		`CREATE TEMP TABLE settings (name TEXT, value BIGINT)`, `CREATE TEMP TABLE changes (user_id TEXT)`, // which come first in every path that does not say otherwise
		`INSERT INTO settings VALUES ('session_ttl_ms', 1), ('idle_after_ms', 0)`,
	} {
		if _, err := tx.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tx.Exec(`UPDATE `+schema+`.user_sessions SET last_activity_at = last_activity_at + 1000 WHERE id = $1`, ada.ID); err != nil {
		t.Fatal(err)
	}
	var extended bool
	if err := tx.QueryRow(`SELECT expires_at = last_activity_at + 86400000 FROM `+schema+`.user_sessions WHERE id = $1`, ada.ID).Scan(&extended); err != nil || !extended {
		t.Errorf("the session is extended by its own rules: %v, %v", extended, err)
	}
	if unfixed := texts(t, db, `SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND proconfig IS NULL ORDER BY 1`); len(unfixed) > 0 {
		t.Errorf("the path of %v is the caller's", unfixed)
	}
}
