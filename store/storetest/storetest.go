// Package storetest gives tests an empty store of every kind in this build.
package storetest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"rollcall/store"
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
	return Open(t, t.TempDir(), store.DefaultRules())
}

// Open opens the store in folder, closed when the test ends.
func Open(t testing.TB, folder string, rules store.Rules) *store.Store {
	t.Helper()
	return open(t, store.Config{Path: folder, Schema: Schema(t), Rules: rules})
}

// Limited opens the store in folder with a limit on sessions, closed when the test ends.
func Limited(t testing.TB, folder string, limit store.SessionLimit) *store.Store {
	t.Helper()
	return open(t, store.Config{Path: folder, Schema: Schema(t), Limit: limit})
}

func open(t testing.TB, cfg store.Config) *store.Store {
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

// Each runs f as a subtest with an empty store of every database in this build.
func Each(t *testing.T, f func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, New(t)) })
}
