package store_test

import (
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// TestARowIsKnownUntilSomethingIsWrittenOfIt: whoever beats quietly is not looked up again, and whatever happens to the
// session, or gives its person another one, has it looked up.
func TestARowIsKnownUntilSomethingIsWrittenOfIt(t *testing.T) {
	page := "/orders"
	for name, test := range map[string]struct {
		happens func(t *testing.T, s *store.Store, folder string, ada store.LoginResult)
		known   bool
	}{
		"nothing": {func(*testing.T, *store.Store, string, store.LoginResult) {}, true},
		"a quiet heartbeat": {func(t *testing.T, s *store.Store, _ string, ada store.LoginResult) {
			Touch(t, s, after(3), ada.Token, store.Beat{Page: &page})
		}, true},
		"a fold": {func(t *testing.T, s *store.Store, _ string, _ store.LoginResult) {
			if err := s.FoldAllHeartbeats(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, true},
		"somebody else's login":       {func(t *testing.T, s *store.Store, _ string, _ store.LoginResult) { LogIn(t, s, after(3), "bob") }, true},
		"another login of the person": {func(t *testing.T, s *store.Store, _ string, _ store.LoginResult) { LogIn(t, s, after(3), "ada") }, false},
		"another login of the person after a fold": {func(t *testing.T, s *store.Store, _ string, _ store.LoginResult) {
			if err := s.FoldAllHeartbeats(t.Context()); err != nil {
				t.Fatal(err)
			}
			LogIn(t, s, after(3), "ada")
		}, false},
		"another page": {func(t *testing.T, s *store.Store, _ string, ada store.LoginResult) {
			Touch(t, s, after(3), ada.Token, store.Beat{Page: new("/other")})
		}, false},
		"another browser": {func(t *testing.T, s *store.Store, _ string, ada store.LoginResult) {
			Touch(t, s, after(3), ada.Token, store.Beat{Page: &page, Client: "another"})
		}, false},
		"a goodbye": {func(t *testing.T, s *store.Store, _ string, ada store.LoginResult) {
			Touch(t, s, after(3), ada.Token, store.Beat{Leaving: true})
		}, false},
		"nobody at the keyboard": {func(t *testing.T, s *store.Store, _ string, ada store.LoginResult) {
			Touch(t, s, after(3), ada.Token, store.Beat{Page: &page, Idle: time.Hour})
		}, false},
		"the end of the session": {func(t *testing.T, s *store.Store, _ string, ada store.LoginResult) {
			end(t, s, after(3), ada.ID, presence.EndLogout)
		}, false},
		"another program that writes": {func(t *testing.T, s *store.Store, folder string, _ store.LoginResult) {
			if _, err := ShellFile(t, folder, "").Exec(`UPDATE user_sessions SET page = '/written'`); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			s := OpenFile(t, folder, presence.DefaultRules())
			ada := LogIn(t, s, Start, "ada")
			Touch(t, s, after(1), ada.Token, store.Beat{Page: &page})
			if store.KnowsRow(s, ada.Token, page) {
				t.Fatal("the row is known before anybody has looked at it")
			}
			Touch(t, s, after(2), ada.Token, store.Beat{Page: &page})
			test.happens(t, s, folder, ada)
			if known := store.KnowsRow(s, ada.Token, page); known != test.known {
				t.Errorf("after %s the row is known: %t", name, known)
			}
		})
	}
}
