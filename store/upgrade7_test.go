package store_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// tokens6 are those of the sessions in the database of version 6, and whose they are from then on: shop and blog
// share a person there.
var tokens6 = map[string]string{
	"token-of-version-6-42-1":       "blog/42",
	"token-of-version-6-42-2":       "blog/42",
	"token-of-version-6-43-3":       "blog/43",
	"token-of-version-6-w1-5":       "wiki/w1",
	"token-of-version-6-crm/lone-6": "wiki/crm/lone",
	"token-of-version-6-lone-7":     "crm/lone",
	"token-of-version-6-a/b-8":      "org%2Fapp/a/b",
}

var now6 = time.Date(2026, 11, 2, 9, 2, 0, 0, time.UTC)

// version6 opens a database of version 6 that was upgraded, with how many rows each of its tables had.
func version6(t *testing.T, cfg store.Config, db *sql.DB, files ...string) (s *store.Store, before map[string]int64) {
	t.Helper()
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join("sqldb", "testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		ExecSQL(t, db, string(text))
	}
	before = rowCounts(t, db)
	cfg.Rules, cfg.Older = presence.DefaultRules(), sqldb.UpgradeAndKeep
	return OpenConfig(t, cfg), before
}

func rowCounts(t *testing.T, db *sql.DB) map[string]int64 {
	t.Helper()
	counts := map[string]int64{}
	for _, table := range []string{"organizations", "users", "user_sessions", "status_claims", "accounts", "api_keys", "daily_visitors",
		"activity_samples", "notices", "notice_receipts", "drain", "audit"} {
		counts[table] = Number(t, db, `SELECT COUNT(*) FROM `+table)
	}
	return counts
}

// eachVersion6 runs f with that database in SQLite and, where this build knows it, in PostgreSQL.
func eachVersion6(t *testing.T, f func(t *testing.T, s *store.Store, db *sql.DB, before map[string]int64)) {
	t.Run("sqlite", func(t *testing.T) {
		folder := t.TempDir()
		db := ShellFile(t, folder, "&_pragma=foreign_keys(1)")
		s, before := version6(t, store.Config{Path: folder, Schema: Schema(t)}, db, "schema6.sql", "rows6.sql")
		f(t, s, db, before)
	})
	if Postgres {
		t.Run("postgres", func(t *testing.T) {
			folder := t.TempDir()
			db := Shell(t, folder)
			s, before := version6(t, Config(t, folder), db, "postgres6.sql", "rows6_postgres.sql")
			f(t, s, db, before)
		})
	}
}

func TestAnUpgradeFromVersion6PutsEverybodyIntoADirectory(t *testing.T) {
	eachVersion6(t, func(t *testing.T, s *store.Store, db *sql.DB, before map[string]int64) {
		before["audit"]++ // that it is a chain from here on
		if diff := cmp.Diff(before, rowCounts(t, db)); diff != "" {
			t.Errorf("rows before (-) and after (+):\n%s", diff)
		}
		for question, want := range map[string][]string{
			`SELECT name || ' in ' || directory FROM apps ORDER BY name`: {"blog in blog", "ci in ci", "crm in crm", "org/app in org%2Fapp", "shop in blog", "spa in spa", "wiki in wiki"},
			`SELECT id FROM users ORDER BY id`: {"?/orphan", "blog/42", "blog/43", "blog/44", "crm/lone", "crm/put", "org%2Fapp/a/b", "rollcall:root",
				"spa/s1", "wiki/claimed", "wiki/crm/lone", "wiki/w1"},
			`SELECT user_id || ' of ' || app FROM user_sessions WHERE is_active = false ORDER BY 1`:                                                   {"blog/44 of blog", "spa/s1 of spa"},
			`SELECT user_id || ' ' || app FROM status_claims ORDER BY 1`:                                                                              {"blog/42 ", "crm/lone crm", "wiki/claimed wiki"},
			`SELECT user_id FROM notice_receipts`:                                                                                                     {"blog/42"},
			`SELECT user_id FROM daily_visitors ORDER BY 1`:                                                                                           {"blog/42", "blog/43", "blog/44", "crm/lone", "org%2Fapp/a/b", "spa/s1", "wiki/crm/lone", "wiki/w1"},
			`SELECT created_by FROM notices UNION ALL SELECT started_by FROM drain UNION ALL SELECT ended_by FROM user_sessions WHERE ended_by <> ''`: {"user:blog/43", "user:blog/43", "user:blog/43"},
			`SELECT DISTINCT actor FROM audit WHERE actor LIKE 'user:%' ORDER BY 1`:                                                                   {"user:blog/43", "user:rollcall:root"},
			`SELECT DISTINCT target FROM audit WHERE target LIKE 'user:%' ORDER BY 1`:                                                                 {"user:blog/42", "user:blog/43", "user:blog/44", "user:crm/lone", "user:crm/put", "user:rollcall:root"},
			`SELECT id || ' ' || access FROM users WHERE access <> 'none' ORDER BY id`:                                                                {"blog/43 admin", "crm/lone viewer", "crm/put viewer", "rollcall:root admin"},
		} {
			if got := texts(t, db, question); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", question, got, want)
			}
		}
		for _, statement := range []string{`UPDATE audit SET actor = 'cli'`, `DELETE FROM audit`} {
			if _, err := db.Exec(statement); err == nil {
				t.Errorf("%s is not refused", statement)
			}
		}
	})
}

func TestAnUpgradeFromVersion6KeepsWhatSessionsAreUsedIn(t *testing.T) {
	eachVersion6(t, func(t *testing.T, s *store.Store, db *sql.DB, _ map[string]int64) {
		page, err := s.Sessions(t.Context(), now6, store.SessionFilter{State: store.ScopeAll, Limit: 100})
		got := map[string]store.Origin{}
		for _, session := range page.Sessions {
			origin := session.Origin
			origin.IPAddress, origin.Location = "", ""
			got[session.User.Key()+" in "+session.App] = origin
		}
		firefox := store.Origin{UserAgent: "Firefox", Device: store.Device{Type: "desktop", OS: "Linux", Browser: "Firefox 140"}}
		want := map[string]store.Origin{"blog/42 in blog": firefox, "blog/42 in shop": firefox, "spa/s1 in spa": {UserAgent: "curl"},
			"blog/44 in blog": {UserAgent: "Firefox", Device: store.Device{Type: "mobile"}},
			"blog/43 in shop": {}, "crm/lone in crm": {}, "org%2Fapp/a/b in org/app": {}, "wiki/crm/lone in wiki": {}, "wiki/w1 in wiki": {}}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		if n := Number(t, db, `SELECT COUNT(*) FROM user_agents`); n != 3 {
			t.Errorf("%d rows say in what they are used", n)
		}
		again := store.Login{User: store.UserInput{ID: "42"}, Origin: firefox}
		if _, err := s.Login(t.Context(), now6, store.By{App: "shop", Directory: "blog"}, again); err != nil || Number(t, db, `SELECT COUNT(*) FROM user_agents`) != 3 {
			t.Errorf("the same once more is another: %v", err)
		}
	})
}

func TestAnUpgradeFromVersion6LosesNobody(t *testing.T) {
	eachVersion6(t, func(t *testing.T, s *store.Store, db *sql.DB, _ map[string]int64) {
		for token, want := range tokens6 {
			who, err := s.Authenticate(t.Context(), now6, token)
			if err != nil || who.User.Key() != want {
				t.Errorf("%s is of %q, want %q: %v", token, who.User.Key(), want, err)
			}
		}
		if who, err := s.Authenticate(t.Context(), now6, "token-of-version-6-43-3"); err != nil || who.Access != store.AccessAdmin {
			t.Errorf("who was an admin has the access %v: %v", who.Access, err)
		}
		var ended *store.EndedError
		if err := s.WhyEnded(t.Context(), now6, "token-of-version-6-s1-9"); !errors.As(err, &ended) || ended.Reason != presence.EndLogout {
			t.Errorf("who had logged out: %v", err)
		}
		page, err := s.Online(t.Context(), now6, store.OnlineFilter{Sort: store.SortName, Limit: 10})
		if err != nil || page.Counts != (presence.Counts{Available: 4, Away: 1, Busy: 1}) {
			t.Errorf("online are %+v: %v", page.Counts, err)
		}
		if _, err := s.SignIn(t.Context(), now6, store.Credentials{Name: "root", Password: "correct horse battery staple"}, store.Origin{}); err != nil {
			t.Errorf("signing in: %v", err)
		}
		for secret, want := range map[string]string{
			"rck_eX-NA8AqjSRqd0_veGJu24kaP_PCzrUXynVLF6d1YfU": "shop in blog",
			"rck_PkXG9yejoU7osOn9-bAba98jSDnbxNY8qR0JMd6ROPQ": "blog in blog",
			"rck_imi5n91RRoWeL0NYQMRm0dPKqW53gydMGNrPDzU4KnU": "org/app in org%2Fapp",
		} {
			if key, err := s.KeyBySecret(t.Context(), secret); err != nil || key.App+" in "+key.Directory != want {
				t.Errorf("the key of %s in %s: %v", key.App, key.Directory, err)
			}
		}
		again, err := s.Login(t.Context(), now6, store.By{App: "shop", Directory: "blog"},
			store.Login{User: store.UserInput{ID: "42"}, Token: "gN2sXq8vT4bLzC7wR1mKfY5hJ0dPaUe9", PreviousToken: "token-of-version-6-42-1"})
		if err != nil || again.Created {
			t.Errorf("the same session again is %+v: %v", again, err)
		}
		held := len(texts(t, db, `SELECT CAST(id AS TEXT) FROM audit WHERE actor = 'user:blog/43' OR target = 'user:blog/43'`))
		records := 0
		if err := s.ExportPart(t.Context(), "blog/43", "audit", func(some []store.Record) error { records += len(some); return nil }); err != nil || records != held || held != 5 {
			t.Errorf("%d of %d events are exported: %v", records, held, err)
		}
	})
}

func TestWhoWasFoundByAnIDIsFoundByItAfterAnUpgradeFromVersion6(t *testing.T) {
	eachVersion6(t, func(t *testing.T, s *store.Store, _ *sql.DB, _ map[string]int64) {
		for id, want := range map[string]string{"42": "blog/42", "blog/42": "blog/42", "orphan": "?/orphan", "w1": "wiki/w1", "a/b": "org%2Fapp/a/b", "lone": "crm/lone", "rollcall:root": "rollcall:root"} {
			if key, err := s.FindUser(t.Context(), id, ""); err != nil || key != want {
				t.Errorf("%s is %q, want %q: %v", id, key, want, err)
			}
		}
		_, err := s.FindUser(t.Context(), "crm/lone", "") // the one by the id, another by the key
		if ambiguous, ok := errors.AsType[*store.AmbiguousUserError](err); !ok || !slices.Equal(ambiguous.Directories, []string{"crm", "wiki"}) {
			t.Errorf("who may be two: %v", err)
		}
		if _, err := s.FindUser(t.Context(), "44x", ""); !errors.Is(err, sqldb.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
	})
}
