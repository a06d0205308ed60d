//go:build !postgres

package storetest

import (
	"database/sql"
	"testing"

	"rollcall/store"
)

// Postgres tells whether this build knows PostgreSQL. Then stores are kept there
// unless a test asks for a file.
const Postgres = false

// Config says where the database is that stands for folder.
func Config(t testing.TB, folder string) store.Config {
	t.Helper()
	return store.Config{Path: folder, Schema: Schema(t)}
}

// Shell opens the database in folder as the sqlite3 shell would.
func Shell(t testing.TB, folder string) *sql.DB {
	t.Helper()
	return ShellFile(t, folder, "")
}

// Each runs f as a subtest with an empty store of every database in this build.
func Each(t *testing.T, f func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, New(t)) })
}
