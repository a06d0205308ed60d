package store_test

import (
	"errors"
	"strings"
	"testing"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

var byRoot = store.Ending{Reason: presence.EndRevoked, By: "user:root", Note: "moving house"}

func TestRevokingEndsWhatMatchesAndNothingElse(t *testing.T) {
	for _, test := range []struct {
		fact, left string
		count      int64
		f          store.SessionFilter
	}{
		{"a user's", "bob eve", 1, store.SessionFilter{User: "ada"}},
		{"an app's", "bob ada", 1, store.SessionFilter{App: "blog"}},
		{"an organization's", "eve ada", 1, store.SessionFilter{Organization: "Acme"}},
		{"of whom is online", "eve ada", 1, store.SessionFilter{State: store.ScopeOnline}},
		{"everybody's, but for the panel", "", 3, store.SessionFilter{}},
		{"nobody's", "bob eve ada", 0, store.SessionFilter{User: "nobody"}},
		{"that have ended already", "bob eve ada", 0, store.SessionFilter{User: "cyd"}},
	} {
		t.Run(test.fact, func(t *testing.T) {
			s := New(t)
			sessionHistory(t, s)
			count, err := s.CountSessions(t.Context(), after(21), test.f)
			if err != nil || count != test.count || whose(t, s, after(21), store.SessionFilter{}) != "bob eve ada" {
				t.Fatalf("%d would end, %v", count, err)
			}
			ended, err := s.RevokeAll(t.Context(), after(21), test.f, byRoot)
			if err != nil || ended != test.count {
				t.Errorf("%d ended, %v", ended, err)
			}
			if got := whose(t, s, after(21), store.SessionFilter{}); got != test.left {
				t.Errorf("left are %q, want %q", got, test.left)
			}
			if got := whose(t, s, after(21), store.SessionFilter{App: presence.PanelApp}); got != "rollcall:root" {
				t.Errorf("of the panel are left %q", got)
			}
			again, err := s.RevokeAll(t.Context(), after(21), test.f, byRoot)
			if err != nil || again != 0 {
				t.Errorf("another time %d ended, %v", again, err)
			}
		})
	}
}

func TestWhoEndedASessionIsKept(t *testing.T) {
	s := New(t)
	made := sessionHistory(t, s)
	if _, err := s.RevokeAll(t.Context(), after(21), store.SessionFilter{User: "ada"}, byRoot); err != nil {
		t.Fatal(err)
	}
	if ok, err := s.Revoke(t.Context(), after(21), made["bob"].ID, byRoot); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if ok, err := s.Revoke(t.Context(), after(22), made["bob"].ID, store.Ending{Reason: presence.EndRevoked, By: "user:eve"}); ok || err != nil {
		t.Fatal(ok, err)
	}
	for _, user := range []string{"ada", "bob"} {
		page, err := s.Sessions(t.Context(), after(21), store.SessionFilter{User: user, State: store.ScopeEnded, Limit: 1})
		if err != nil || len(page.Sessions) != 1 {
			t.Fatal(page, err)
		}
		if got := page.Sessions[0]; got.EndReason != byRoot.Reason || got.EndedBy != byRoot.By || got.EndNote != byRoot.Note || *got.EndedAt != after(21) {
			t.Errorf("%s: %+v", user, got)
		}
		_, err = s.Touch(t.Context(), after(21), made[user].Token, store.Beat{})
		var ended *store.EndedError
		if !errors.As(err, &ended) || ended.Reason != presence.EndRevoked {
			t.Errorf("the heartbeat of %s: %v", user, err)
		}
	}
}

func TestNotesThatAreRefused(t *testing.T) {
	s := New(t)
	made := sessionHistory(t, s)
	for name, note := range map[string]string{"too long": strings.Repeat("ä", 201), "two lines": "a\nb", "an escape": "a\x1b[31m", "no text": "\xff"} {
		e := store.Ending{Reason: presence.EndRevoked, Note: note}
		_, err := s.Revoke(t.Context(), after(21), made["ada"].ID, e)
		WantError(t, err, sqldb.ErrInvalid)
		if _, err = s.RevokeAll(t.Context(), after(21), store.SessionFilter{}, e); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	e := store.Ending{Reason: presence.EndRevoked, Note: strings.Repeat("ä", 200)}
	if ok, err := s.Revoke(t.Context(), after(21), made["ada"].ID, e); !ok || err != nil {
		t.Errorf("200 characters: %v", err)
	}
	if got := whose(t, s, after(21), store.SessionFilter{}); got != "bob eve" {
		t.Errorf("left are %q", got)
	}
}

func TestManySessionsEndInManyWrites(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	fill(t, db, 5000)
	ended, err := s.RevokeAll(t.Context(), Start, store.SessionFilter{}, byRoot)
	if err != nil || ended != 2000 {
		t.Fatal(ended, err)
	}
	if n := Number(t, db, `SELECT COUNT(*) FROM user_sessions WHERE end_reason = 'revoked' AND ended_by = 'user:root' AND ended_at = $1`, Start.UnixMilli()); n != 2000 {
		t.Errorf("%d are noted", n)
	}
	if n := Number(t, db, `SELECT COUNT(*) FROM changes WHERE reason = 'revoked'`); n != 2000 {
		t.Errorf("%d are told", n)
	}
}
