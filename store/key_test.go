package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// keyed is a key with what it may grant.
func keyed(t *testing.T, s *store.Store, app string, scopes ...store.Scope) store.By {
	t.Helper()
	key, _, err := s.CreateKey(t.Context(), Start, "user:root", app, "", scopes)
	if err != nil {
		t.Fatal(err)
	}
	return store.By{App: app, KeyID: key.ID, Grant: key.Scopes.Access(), Actor: fmt.Sprint("key:", key.ID, ":", app)}
}

// reportsBy logs a person in by a key, with an access where it is not none.
func reportsBy(t *testing.T, s *store.Store, by store.By, user string, access store.Access) string {
	t.Helper()
	in := store.Login{User: store.UserInput{ID: user}}
	if access != store.AccessNone {
		in.User.Access = &access
	}
	result, err := s.Login(t.Context(), Start, by, in)
	if err != nil {
		t.Fatal(err)
	}
	return result.Token
}

// accessOf is the access of a session, or why it has ended.
func accessOf(t *testing.T, s *store.Store, token string) string {
	t.Helper()
	who, err := s.Authenticate(t.Context(), Start, token)
	if err == nil {
		return who.Access.String()
	}
	var ended *store.EndedError
	if errors.As(s.WhyEnded(t.Context(), Start, token), &ended) {
		return string(ended.Reason)
	}
	t.Fatal(err)
	return ""
}

func TestADeletedKeyTakesItsAccessWithIt(t *testing.T) {
	for name, test := range map[string]struct {
		endAll                      bool
		ended                       int64
		admin, viewer, plain, later string
	}{
		"sessions with access end, and others have none from then on": {false, 2, "revoked", "revoked", "none", "none"},
		"all sessions end": {true, 4, "revoked", "revoked", "revoked", "revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, s *store.Store) {
				leaked, other := keyed(t, s, "shop", store.ScopeAdmin), keyed(t, s, "shop", store.ScopeAdmin)
				admin, viewer := reportsBy(t, s, leaked, "ada", store.AccessAdmin), reportsBy(t, s, leaked, "bob", store.AccessViewer)
				plain, later := reportsBy(t, s, leaked, "cleo", store.AccessNone), reportsBy(t, s, leaked, "dan", store.AccessNone)
				stays := reportsBy(t, s, other, "ada", store.AccessAdmin)
				if n, err := s.KeySessions(t.Context(), Start, leaked.KeyID); err != nil || n != (store.KeySessions{All: 4, WithAccess: 2}) {
					t.Errorf("it reported %+v, %v", n, err)
				}
				ended, err := s.DeleteKey(t.Context(), Start, "user:root", leaked.KeyID, test.endAll)
				if err != nil || ended != test.ended {
					t.Errorf("%d sessions ended, %v", ended, err)
				}
				access := store.AccessAdmin
				if _, err := s.PutUser(t.Context(), Start, other, store.UserInput{ID: "dan", Access: &access}); err != nil {
					t.Fatal(err)
				}
				for token, want := range map[string]string{admin: test.admin, viewer: test.viewer, plain: test.plain, later: test.later, stays: "admin"} {
					if got := accessOf(t, s, token); got != want {
						t.Errorf("a session has access %s, want %s", got, want)
					}
				}
				_, err = s.KeySessions(t.Context(), Start, leaked.KeyID)
				WantError(t, err, sqldb.ErrNotFound)
			})
		})
	}
}

func TestASessionIsThatOfTheKeyWhichReportsItLast(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		access := store.AccessAdmin
		in := store.Login{User: store.UserInput{ID: "ada", Access: &access}, SessionKey: "one"}
		before, after, weaker := keyed(t, s, "shop", store.ScopeAdmin), keyed(t, s, "shop", store.ScopeAdmin), keyed(t, s, "shop", store.ScopeSessions, store.ScopeRead)
		first, err := s.Login(t.Context(), Start, before, in)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Login(t.Context(), Start, after, in); err != nil {
			t.Fatal(err)
		}
		if _, err := s.DeleteKey(t.Context(), Start, "user:root", before.KeyID, true); err != nil {
			t.Fatal(err)
		}
		if got := accessOf(t, s, first.Token); got != "admin" {
			t.Errorf("after the rotation of the key the access is %s", got)
		}
		if _, err := s.Login(t.Context(), Start, weaker, in); err != nil {
			t.Fatal(err)
		}
		if got := accessOf(t, s, first.Token); got != "viewer" {
			t.Errorf("reported by a key that may grant viewer it is %s", got)
		}
	})
}

func TestALoginWithAccessIsRecordedAsTheKeys(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		by := keyed(t, s, "shop", store.ScopeRead, store.ScopeSessions)
		reportsBy(t, s, by, "ada", store.AccessViewer)
		reportsBy(t, s, by, "bob", store.AccessNone)
		page, err := s.Audit(t.Context(), store.AuditFilter{Action: "session", Limit: 10})
		if err != nil || len(page.Entries) != 1 {
			t.Fatalf("got %v, %v", page.Entries, err)
		}
		want := store.AuditEvent{Actor: by.Actor, Action: "session.begin", Target: "user:ada", Detail: "access viewer in shop"}
		if page.Entries[0].AuditEvent != want {
			t.Errorf("got %+v", page.Entries[0])
		}
	})
}

func TestThePanelsSessionsAreOfNoKey(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		if _, err := s.CreateFirstAccount(t.Context(), Start, "root", Password); err != nil {
			t.Fatal(err)
		}
		in, err := s.SignInAs(t.Context(), Start, store.AccountID("root"), store.Origin{})
		if err != nil {
			t.Fatal(err)
		}
		by := keyed(t, s, "shop", store.ScopeAdmin)
		if _, err := s.DeleteKey(t.Context(), Start.Add(time.Second), "user:root", by.KeyID, true); err != nil {
			t.Fatal(err)
		}
		if who, err := s.Authenticate(t.Context(), Start, in.Token); err != nil || who.Access != store.AccessAdmin || who.Session.App != presence.PanelApp {
			t.Errorf("got %+v, %v", who, err)
		}
	})
}
