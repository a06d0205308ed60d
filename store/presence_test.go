package store_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

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
	checks(t, "6")
	rapid.Check(t, func(rt *rapid.T) {
		folder := t.TempDir()
		s, err := store.Open(t.Context(), store.Config{Path: folder, Schema: Schema(t), Rules: presence.DefaultRules()})
		if err != nil {
			t.Fatal(err)
		}
		defer os.Remove(filepath.Join(folder, sqldb.FileName))
		defer s.Close()
		w := NewWorld(s)
		for range Pick(rt, "length", 20, 40, 80) {
			rt.Log(w.Do(rt))
			w.Check(rt)
		}
	})
}
