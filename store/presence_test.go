package store_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// checks makes a property try few cases unless the command line says how many.
func checks(t *testing.T, few string) {
	t.Helper()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		before := flag.Lookup("rapid.checks").Value.String()
		if err := flag.Lookup("rapid.checks").Value.Set(few); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = flag.Lookup("rapid.checks").Value.Set(before) })
	}
}

// TestThePresenceRules holds the store against the model of its rules:
//
//	go test ./store -run ThePresenceRules -rapid.checks=2000
func TestThePresenceRules(t *testing.T) {
	checks(t, "4")
	waited := 0
	for name, rules := range map[string]presence.Rules{
		"by default":                          presence.DefaultRules(),
		"with the smallest window that waits": windowOf(25*time.Second, 10*time.Second),
		"with the smallest window":            windowOf(2500*time.Millisecond, time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				folder := t.TempDir()
				s, err := store.Open(t.Context(), store.Config{Path: folder, Schema: Schema(t), Rules: rules})
				if err != nil {
					t.Fatal(err)
				}
				store.FoldOneByOne(s)
				w := NewWorld(s)
				defer func() { _ = w.Store.Close() }()
				w.Kill = func(s *store.Store) *store.Store { return killed(t, s, &folder) }
				for range Pick(rt, "length", 20, 40, 80) {
					rt.Log(w.Do(rt))
					waited += w.Store.HeartbeatsWaiting()
					w.Check(rt)
				}
			})
		})
	}
	if waited == 0 {
		t.Error("no heartbeat ever waited")
	}
	t.Log("heartbeats that waited:", waited)
}

// windowOf are rules with an online window and a heartbeat.
func windowOf(window, heartbeat time.Duration) presence.Rules {
	r := presence.DefaultRules()
	r.OnlineWindow, r.Heartbeat, r.LeaveGrace = window, heartbeat, heartbeat
	return r
}

// killed returns the store of a new process on what is in a folder: on a copy of its files, as a kill leaves them.
func killed(t *testing.T, s *store.Store, folder *string) *store.Store {
	t.Helper()
	left := t.TempDir()
	copyFiles(t, *folder, left)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(*folder); err != nil {
		t.Fatal(err)
	}
	*folder = left
	again, err := store.Open(t.Context(), store.Config{Path: left, Schema: Schema(t)})
	if err != nil {
		t.Fatal(err)
	}
	store.FoldOneByOne(again)
	return again
}

// copyFiles copies the database and its write-ahead log, between two commits.
func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	for _, name := range []string{sqldb.FileName, sqldb.FileName + "-wal"} {
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
