package storetest

import (
	"database/sql"
	"errors"
	"testing"
)

// OpenShell opens the database as the shell of its engine would, but that foreign
// keys are kept.
func OpenShell(t testing.TB, folder string, pragmas string) *sql.DB {
	t.Helper()
	if Postgres {
		return Shell(t, folder)
	}
	return ShellFile(t, folder, pragmas)
}

// ExecSQL runs a statement that must not fail.
func ExecSQL(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Number returns the one number that a query finds.
func Number(t testing.TB, db *sql.DB, query string, args ...any) (n int64) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// WantError ends the test where err is not the error that it wants.
func WantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}
