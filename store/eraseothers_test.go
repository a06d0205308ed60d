package store_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// TestErasingSomebodyWithAnEverydayWordForAnIDLeavesOthersDetailsAlone: what the program itself
// says of an event names nobody, whoever is called like a word of it.
func TestErasingSomebodyWithAnEverydayWordForAnIDLeavesOthersDetailsAlone(t *testing.T) {
	s := New(t)
	for _, id := range []string{"admin", "read", "shop", "sessions", "active", "viewer"} {
		LogIn(t, s, Start, id)
	}
	if _, _, err := s.CreateKey(t.Context(), Start, "cli", "shop", "", store.Scopes{store.ScopeRead, store.ScopeAdmin}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateAccount(t.Context(), Start, "cli", store.AccountInput{Name: "root", Password: Password, Access: store.AccessAdmin}); err != nil {
		t.Fatal(err)
	}
	LogIn(t, s, Start, "bob")
	if _, err := s.RevokeAll(t.Context(), Start, store.SessionFilter{User: "bob", App: "shop"}, store.Ending{Reason: presence.EndRevoked, By: "cli", Note: "moving house"}); err != nil {
		t.Fatal(err)
	}
	before := deeds(t, s, store.AuditFilter{})
	for _, id := range []string{"admin", "read", "shop", "sessions", "active", "viewer"} {
		if _, err := s.Erase(t.Context(), Start, "cli", id); err != nil {
			t.Fatal(err)
		}
	}
	after := slices.DeleteFunc(withoutPseudonyms(deeds(t, s, store.AuditFilter{})), func(deed string) bool { return deed == "cli user.erase erased 1 session; 0 entries" })
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
}

func TestErasingFindsANameInWhateverCaseItWasTyped(t *testing.T) {
	s := New(t)
	name := "Łukasz İpek"
	if _, err := s.PutUser(t.Context(), Start, Shop, store.UserInput{ID: "4711-x", Name: &name}); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"ŁUKASZ İPEK asked for it", "łukasz ipek.", "Łukasz Ipekli stays"} {
		if _, err := s.PostNotice(t.Context(), Start, "cli", store.NoticeInput{Message: words, Level: store.LevelInfo}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Erase(t.Context(), Start, "cli", "4711-x"); err != nil {
		t.Fatal(err)
	}
	page, err := s.Audit(t.Context(), store.AuditFilter{Action: "notice.post", Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range page.Entries {
		left = append(left, e.Text())
	}
	if diff := cmp.Diff([]string{"Łukasz Ipekli stays", "", ""}, left); diff != "" {
		t.Error(diff)
	}
}

// TestWhatIsHeldOnARobotGoesInBoundedWrites deletes users with very many sessions, and looks how
// long others wait meanwhile: by what the largest transaction changes.
func TestWhatIsHeldOnARobotGoesInBoundedWrites(t *testing.T) {
	const sessions = 3000
	for name, remove := range map[string]func(t *testing.T, s *store.Store, id string) error{
		"erased": func(t *testing.T, s *store.Store, id string) error {
			e, err := s.Erase(t.Context(), Start, "cli", id)
			if e.Sessions != sessions {
				t.Errorf("%d sessions were erased", e.Sessions)
			}
			return err
		},
		"deleted": func(t *testing.T, s *store.Store, id string) error {
			ended, err := s.DeleteUser(t.Context(), Start, store.By{Actor: "cli", App: "shop", Grant: store.AccessAdmin}, id)
			if ended != sessions {
				t.Errorf("%d sessions ended", ended)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			cfg := Config(t, folder)
			var commits atomic.Int64
			cfg.OnCommit = func(int, time.Duration) { commits.Add(1) }
			s := OpenConfig(t, cfg)
			db := OpenShell(t, folder, "")
			LogIn(t, s, Start, "ada")
			addSessions(t, s, "robot", sessions)
			before := commits.Load()
			if err := remove(t, s, "robot"); err != nil {
				t.Fatal(err)
			}
			if n := commits.Load() - before; n < sessions/500 {
				t.Errorf("all of it went in %d writes", n)
			}
			if n := Number(t, db, `SELECT COUNT(*) FROM user_sessions`); n != 1 {
				t.Errorf("%d sessions are left, want ada's", n)
			}
		})
	}
}

func TestReceiptsGoBeforeTheirNoticeInBoundedWrites(t *testing.T) {
	folder := t.TempDir()
	cfg := Config(t, folder)
	cfg.Rules = presence.DefaultRules()
	var commits atomic.Int64
	cfg.OnCommit = func(int, time.Duration) { commits.Add(1) }
	s := OpenConfig(t, cfg)
	db := OpenShell(t, folder, "")
	remove := func(at time.Time) int64 {
		before := commits.Load()
		if _, err := s.Cleanup(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		return commits.Load() - before
	}
	until := Start.Add(time.Hour)
	n, err := s.PostNotice(t.Context(), Start, "cli", store.NoticeInput{Message: "Hello", Level: store.LevelInfo, Until: &until})
	if err != nil {
		t.Fatal(err)
	}
	ExecSQL(t, db, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1700)
		INSERT INTO users (id, created_at, updated_at) SELECT 'u' || CAST(i AS TEXT), 0, CAST($1 AS BIGINT) FROM n`, until.Add(2*cfg.Rules.Retention).UnixMilli()) // who stay
	ExecSQL(t, db, `INSERT INTO notice_receipts (notice_id, user_id, seen_at) SELECT $1, id, 0 FROM users`, n.ID)
	idle := remove(until)
	if more := remove(until.Add(cfg.Rules.Retention).Add(time.Second)) - idle; more < 3 {
		t.Errorf("1700 receipts went in %d writes more than none", more)
	}
	if left := Number(t, db, `SELECT (SELECT COUNT(*) FROM notice_receipts) + (SELECT COUNT(*) FROM notices)`); left != 0 {
		t.Errorf("%d receipts and notices are left", left)
	}
}

// addSessions adds sessions of a user without their logins.
func addSessions(t *testing.T, s *store.Store, id string, n int) {
	t.Helper()
	first := LogIn(t, s, Start, id)
	err := s.DB().WriteOne(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`
			WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1)
			INSERT INTO user_sessions (id, user_id, app, token_sha256, last_activity_at, created_at, expires_at)
			SELECT n, user_id, app, token_sha256, last_activity_at, created_at, expires_at FROM numbers, user_sessions WHERE id = $2`, n-1, first.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
