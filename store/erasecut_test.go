package store_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// TestAnErasureThatIsCutOffAnywhereBreaksNoChain takes the files as they are after each transaction of an erasure, where
// a power cut might leave them: the audit log is whole there, and to repeat the erasure leaves nothing.
func TestAnErasureThatIsCutOffAnywhereBreaksNoChain(t *testing.T) {
	folder, rules := t.TempDir(), presence.DefaultRules()
	var images []string
	taking := false
	cfg := store.Config{Path: folder, Schema: Schema(t), Rules: rules, OnCommit: func(int, time.Duration) {
		if !taking {
			return
		}
		image := t.TempDir()
		if err := os.CopyFS(image, os.DirFS(folder)); err != nil {
			t.Error(err)
		}
		images = append(images, image)
	}}
	s := OpenConfig(t, cfg)
	fillForErasure(t, s)
	taking = true
	if _, err := s.Erase(t.Context(), Start, "cli", "ada"); err != nil {
		t.Fatal(err)
	}
	taking = false
	if len(images) < 5 {
		t.Fatalf("it took %d transactions", len(images))
	}
	for i, image := range images {
		t.Run(fmt.Sprint("after transaction ", i+1), func(t *testing.T) {
			s := OpenFile(t, image, rules)
			if words := breaks(t, s); words != "" {
				t.Errorf("the audit log is broken: %s", words)
			}
			if _, err := s.Erase(t.Context(), Start, "cli", "ada"); err != nil && !errors.Is(err, sqldb.ErrNotFound) {
				t.Fatal(err)
			}
			if words := breaks(t, s); words != "" {
				t.Errorf("once more, the audit log is broken: %s", words)
			}
			db := ShellFile(t, image, "")
			for _, left := range []string{
				`FROM users WHERE id = 'ada'`, `FROM user_sessions WHERE user_id = 'ada' OR end_note LIKE '%ada%' OR ended_by LIKE '%ada%'`,
				`FROM audit WHERE actor = 'user:ada' OR target = 'user:ada' OR words LIKE '%ada%' OR target LIKE 'session:%'`,
				`FROM notices WHERE message LIKE '%ada%'`,
			} {
				if n := Number(t, db, `SELECT COUNT(*) `+left); n != 0 {
					t.Errorf("%d are left %s", n, left)
				}
			}
			if pseudonyms := Number(t, db, `SELECT COUNT(DISTINCT erased) FROM audit WHERE erased <> ''`); pseudonyms != 1 {
				t.Errorf("she is %d people in the audit log", pseudonyms)
			}
		})
	}
}

// fillForErasure has ada in every place from which an erasure takes somebody.
func fillForErasure(t *testing.T, s *store.Store) {
	t.Helper()
	addSessions(t, s, "ada", 1200)
	for i := range 3 {
		named := LogIn(t, s, Start, "ada")
		other := LogIn(t, s, Start, "bob")
		for _, end := range []struct {
			id   int64
			by   string
			note string
		}{{named.ID, "user:bob", "she asked"}, {other.ID, "user:ada", fmt.Sprint("ada wanted it, ", i)}} {
			if _, err := s.Revoke(t.Context(), Start, end.id, store.Ending{Reason: presence.EndRevoked, By: end.by, Note: end.note}); err != nil {
				t.Fatal(err)
			}
		}
		for _, event := range []store.AuditEvent{
			{Actor: "user:ada", Action: "user.view", Target: "user:ada"},
			{Actor: "user:bob", Action: "user.view", Target: "user:ada"},
			{Actor: "user:ada", Action: "user.view", Target: "user:bob", Words: "by ada"},
		} {
			if err := s.Record(t.Context(), Start, event); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := s.PostNotice(t.Context(), Start, "user:ada", store.NoticeInput{Message: "ask ada", Level: store.LevelInfo}); err != nil {
		t.Fatal(err)
	}
}
