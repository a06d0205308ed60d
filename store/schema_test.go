package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

func TestActivityTypedIntoTheShellExtendsTheSession(t *testing.T) {
	for _, ttl := range []time.Duration{24 * time.Hour, 90 * time.Minute} {
		folder := t.TempDir()
		rules := presence.DefaultRules()
		rules.SessionTTL = ttl
		s := Open(t, folder, rules)
		ada := LogIn(t, s, Start, "ada")
		db := OpenShell(t, folder, "")
		expires := func() time.Time {
			return time.UnixMilli(Number(t, db, `SELECT expires_at FROM user_sessions WHERE id = $1`, ada.ID)).UTC()
		}
		later := Start.Add(time.Hour)
		ExecSQL(t, db, `UPDATE user_sessions SET last_activity_at = $1 WHERE id = $2`, later.UnixMilli(), ada.ID)
		if got := expires(); got != later.Add(ttl) {
			t.Errorf("with a time to live of %v it expires at %v, want %v", ttl, got, later.Add(ttl))
		}
		ExecSQL(t, db, `UPDATE user_sessions SET page = '/x', last_activity_at = last_activity_at WHERE id = $1`, ada.ID)
		if got := expires(); got != later.Add(ttl) {
			t.Errorf("the same activity moved the end to %v", got)
		}
		ExecSQL(t, db, `UPDATE user_sessions SET is_active = false, ended_at = 1, end_reason = 'revoked', last_activity_at = $1 WHERE id = $2`,
			later.Add(time.Hour).UnixMilli(), ada.ID)
		if got := expires(); got != later.Add(ttl) {
			t.Errorf("activity of an ended session moved its end to %v", got)
		}
	}
}

func TestDeletingCascades(t *testing.T) {
	for name, statement := range map[string]string{
		"a user":          `DELETE FROM users WHERE id = 'ada'`,
		"an organization": `DELETE FROM organizations WHERE name = 'Acme'`,
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			s := Open(t, folder, presence.DefaultRules())
			for _, id := range []string{"ada", "bob"} {
				user := store.UserInput{ID: id}
				if id == "ada" {
					user.Organization = text("Acme")
				}
				if _, err := s.Login(t.Context(), Start, Shop, store.Login{User: user}); err != nil {
					t.Fatal(err)
				}
			}
			db := OpenShell(t, folder, "&_pragma=foreign_keys(1)")
			ExecSQL(t, db, statement)
			wantOnline(t, s, Start, "bob")
			if n := Number(t, db, `SELECT COUNT(*) FROM user_sessions WHERE user_id = 'ada'`); n != 0 {
				t.Errorf("%d sessions left", n)
			}
		})
	}
}

func TestNobodyReadsASecretFromTheFiles(t *testing.T) {
	folder := t.TempDir()
	s := OpenFile(t, folder, presence.DefaultRules())
	secrets := map[string]string{"a session token": LogIn(t, s, Start, "ada").Token}
	_, secrets["a key"], _ = s.CreateKey(t.Context(), Start, "user:root", "shop", "", store.Scopes{store.ScopeRead})
	secrets["a password"] = "a password that is long enough"
	if _, err := s.CreateFirstAccount(t.Context(), Start, "root", secrets["a password"]); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(folder, "*"))
	if len(files) < 2 {
		t.Fatalf("database and log are not there: %v", files)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for name, secret := range secrets {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s stands in %s", name, filepath.Base(file))
			}
		}
		if info, _ := os.Stat(file); info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", filepath.Base(file), info.Mode())
		}
	}
}

func TestRulesAreKeptForProgramsWithoutTheirOwn(t *testing.T) {
	folder := t.TempDir()
	rules := presence.DefaultRules()
	rules.SessionTTL, rules.OnlineWindow, rules.Retention = time.Hour, 3*time.Minute, 48*time.Hour
	Open(t, folder, rules)
	beside := Open(t, folder, presence.Rules{})
	if beside.Rules() != rules {
		t.Errorf("got %+v, want %+v", beside.Rules(), rules)
	}
	if fresh := Open(t, t.TempDir(), presence.Rules{}); fresh.Rules() != presence.DefaultRules() {
		t.Errorf("a new database has %+v", fresh.Rules())
	}
}
