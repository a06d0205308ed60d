// Package storetest gives tests an empty store of every kind in this build.
package storetest

import (
	"database/sql"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	_ "modernc.org/sqlite" // for ShellFile

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Start is an instant for tests to begin at, far from midnight.
var Start = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

// Schema returns the text of schema.sql.
func Schema(t testing.TB) string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(here), "..", "..", "schema.sql"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// New returns an empty store with the default rules, closed when the test ends.
func New(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, t.TempDir(), presence.DefaultRules())
}

// Open opens the store in folder, closed when the test ends. In a build with
// PostgreSQL folder only stands for a database of its server.
func Open(t testing.TB, folder string, rules presence.Rules) *store.Store {
	t.Helper()
	cfg := Config(t, folder)
	cfg.Rules = rules
	return OpenConfig(t, cfg)
}

// OpenFile is Open of an SQLite file in folder in every build.
func OpenFile(t testing.TB, folder string, rules presence.Rules) *store.Store {
	t.Helper()
	return OpenConfig(t, store.Config{Path: folder, Schema: Schema(t), Rules: rules})
}

// Limited opens the store in folder with a limit on sessions, closed when the test ends.
func Limited(t testing.TB, folder string, limit store.SessionLimit) *store.Store {
	t.Helper()
	cfg := Config(t, folder)
	cfg.Limit = limit
	return OpenConfig(t, cfg)
}

// OpenConfig opens a store that is closed when the test ends.
func OpenConfig(t testing.TB, cfg store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error("closing the store:", err)
		}
	})
	return s
}

// ShellFile opens the SQLite file in folder, with more than the shell's own
// pragmas where they are named like "&_pragma=foreign_keys(1)".
func ShellFile(t testing.TB, folder, pragmas string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, sqldb.FileName)+"?_pragma=busy_timeout(5000)"+pragmas)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
