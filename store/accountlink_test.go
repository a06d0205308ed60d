package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

const chosen = "a password that she chose"

// invite makes an account that waits for its password.
func invite(t *testing.T, s *store.Store, name string, access store.Access) store.AccountLink {
	t.Helper()
	account, link, err := s.Invite(t.Context(), Start, "user:rollcall:root", store.AccountInput{Name: name, Access: access})
	if err != nil || account.HasPassword || account.LinkExpiresAt != link.ExpiresAt || !strings.HasPrefix(link.Secret, "rcl_") || len(link.Secret) < 47 {
		t.Fatalf("%+v, %+v, %v", account, link, err)
	}
	return link
}

func TestAnInvitation(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		root, err := s.CreateFirstAccount(ctx, Start, "root", Password)
		if err != nil {
			t.Fatal(err)
		}
		link := invite(t, s, "Ada", store.AccessAdmin)
		_, _, err = s.Invite(ctx, Start, "user:x", store.AccountInput{Name: "ada", Access: store.AccessViewer})
		WantError(t, err, store.ErrNameTaken)
		_, _, err = s.Invite(ctx, Start, "user:x", store.AccountInput{Name: "b c", Access: store.AccessViewer})
		WantError(t, err, sqldb.ErrInvalid)

		for _, password := range []string{"", chosen} {
			_, err = s.SignIn(ctx, Start, store.Credentials{Name: "ada", Password: password}, store.Origin{})
			WantError(t, err, store.ErrWrongPassword)
		}
		WantError(t, s.DeleteAccount(ctx, Start, "user:x", root.ID), store.ErrLastAdmin) // she can not administer yet
		_, err = s.Erase(ctx, Start, "cli", root.ID)
		WantError(t, err, store.ErrLastAdmin)
		if page, err := s.Audit(ctx, store.AuditFilter{Actor: "user:rollcall:root", Limit: 1}); err != nil || len(page.Entries) == 0 {
			t.Errorf("what was refused took root out of the audit log: %v", err)
		}
		for range 2 { // looking leaves it as it is
			if who, err := s.AccountOfLink(ctx, Start, link.Secret); err != nil || who.Name != "ada" || who.HasPassword {
				t.Fatalf("%+v, %v", who, err)
			}
		}
		for _, secret := range []string{"", "rcl_nobody-has-this", link.Secret[:len(link.Secret)-1]} {
			_, err = s.UseLink(ctx, Start, secret, chosen, store.Origin{})
			WantError(t, err, store.ErrLinkGone)
		}
		_, err = s.UseLink(ctx, Start, link.Secret, "too short", store.Origin{})
		WantError(t, err, sqldb.ErrInvalid)
		_, err = s.UseLink(ctx, Start.Add(72*time.Hour), link.Secret, chosen, store.Origin{})
		WantError(t, err, store.ErrLinkGone)
		in, err := s.UseLink(ctx, Start.Add(72*time.Hour-time.Second), link.Secret, chosen, store.Origin{})
		if err != nil {
			t.Fatal(err)
		}
		if who, err := s.Authenticate(ctx, Start.Add(72*time.Hour), in.Token); err != nil || who.User.Name != "ada" || who.Access != store.AccessAdmin {
			t.Errorf("%+v, %v", who, err)
		}
		_, err = s.UseLink(ctx, Start, link.Secret, "another password of somebody", store.Origin{})
		WantError(t, err, store.ErrLinkGone)
		_, err = s.AccountOfLink(ctx, Start, link.Secret)
		WantError(t, err, store.ErrLinkGone)
		if err := s.DeleteAccount(ctx, Start, "user:x", root.ID); err != nil {
			t.Error("she is an admin by now:", err)
		}
	})
}

func TestOfTwoUsesOfALinkAtOnceOneWins(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		link := invite(t, s, "ada", store.AccessViewer)
		passwords := []string{"the password of the first", "the password of the second", "the password of the third"}
		won := make(chan string, len(passwords))
		var all sync.WaitGroup
		for _, password := range passwords {
			all.Go(func() {
				_, err := s.UseLink(t.Context(), Start, link.Secret, password, store.Origin{})
				if err == nil {
					won <- password
				} else if !errors.Is(err, store.ErrLinkGone) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(won) != 1 {
			t.Fatalf("%d of them chose the password", len(won))
		}
		if _, err := s.SignIn(t.Context(), Start, store.Credentials{Name: "ada", Password: <-won}, store.Origin{}); err != nil {
			t.Error("it is not that of the winner:", err)
		}
	})
}

func TestALinkInPlaceOfAForgottenPassword(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		if _, err := s.CreateFirstAccount(ctx, Start, "root", Password); err != nil {
			t.Fatal(err)
		}
		_, err := s.CreateAccount(ctx, Start, "cli", store.AccountInput{Name: "ada", Password: Password, Access: store.AccessViewer})
		if err != nil {
			t.Fatal(err)
		}
		ada := store.AccountID("ada")
		newLink := func() store.AccountLink {
			t.Helper()
			link, err := s.NewLink(ctx, Start, "user:rollcall:root", ada)
			if err != nil {
				t.Fatal(err)
			}
			return link
		}
		gone := func(link store.AccountLink) {
			t.Helper()
			_, err := s.UseLink(ctx, Start, link.Secret, chosen, store.Origin{})
			WantError(t, err, store.ErrLinkGone)
		}
		session, err := s.SignInAs(ctx, Start, ada, store.Origin{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.NewLink(ctx, Start, "user:rollcall:root", "rollcall:nobody")
		WantError(t, err, sqldb.ErrNotFound)
		_, err = s.NewLink(ctx, Start, store.UserActor(ada), ada) // whoever has her session does not get her password by it
		WantError(t, err, store.ErrForbidden)

		first := newLink()
		second := newLink()
		gone(first)
		if err := s.WithdrawLink(ctx, Start, "user:rollcall:root", ada); err != nil {
			t.Fatal(err)
		}
		gone(second)
		WantError(t, s.WithdrawLink(ctx, Start, "user:rollcall:root", ada), sqldb.ErrNotFound)
		third := newLink()
		if err := s.SetPassword(ctx, Start, "cli", "ada", "a password by the terminal"); err != nil {
			t.Fatal(err)
		}
		gone(third) // of before the password
		_, err = s.Touch(ctx, Start, session.Token, store.Beat{})
		WantError(t, err, store.ErrSessionEnded)
		session, err = s.SignIn(ctx, Start, store.Credentials{Name: "ada", Password: "a password by the terminal"}, store.Origin{})
		if err != nil {
			t.Fatal(err)
		}

		fourth := newLink()
		if _, err := s.Touch(ctx, Start, session.Token, store.Beat{}); err != nil {
			t.Error("the link alone ended her session:", err)
		}
		if _, err := s.UseLink(ctx, Start, fourth.Secret, chosen, store.Origin{}); err != nil {
			t.Fatal(err)
		}
		var ended *store.EndedError
		if _, err = s.Touch(ctx, Start, session.Token, store.Beat{}); !errors.As(err, &ended) || ended.Reason != presence.EndPasswordChanged {
			t.Errorf("her session from before: %v", err)
		}
		fifth := newLink()
		if _, err := s.Cleanup(ctx, Start.Add(73*time.Hour)); err != nil {
			t.Fatal(err)
		}
		gone(fifth)
		accounts, err := s.Accounts(ctx)
		if err != nil || !accounts[0].LinkExpiresAt.IsZero() || !accounts[0].HasPassword {
			t.Errorf("after the cleanup %+v, %v", accounts[0], err)
		}
	})
}

func TestALinkEndsWithItsMaker(t *testing.T) {
	admin, viewer := store.AccessAdmin, store.AccessViewer
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"root", "eve", "mallory"} {
			_, err := s.CreateAccount(ctx, Start, "cli", store.AccountInput{Name: name, Password: Password, Access: admin})
			must(err)
		}
		key := func(app string) (store.Key, string) {
			key, _, err := s.CreateKey(ctx, Start, "cli", app, "", store.Scopes{store.ScopeAdmin})
			must(err)
			return key, fmt.Sprintf("key:%d:%s", key.ID, key.App)
		}
		used, byKey := key("shop")
		reporting, byReporting := key("till")
		granting, byGranting := key("desk")
		by := store.By{App: "desk", Directory: "desk", KeyID: granting.ID, Grant: admin, Actor: byGranting}
		report := func(by store.By, id string) {
			t.Helper()
			_, err := s.Login(ctx, Start, by, store.Login{User: store.UserInput{ID: id, Access: &admin}})
			must(err)
		}
		for _, id := range []string{"lowered", "left", "erased"} {
			report(by, id)
		}
		report(store.By{App: "till", Directory: "till", KeyID: reporting.ID, Grant: admin, Actor: byReporting}, "reported")

		makers := []struct {
			name, actor string
			end         func() error
		}{
			{"an account that is deleted", "user:rollcall:eve", func() error { return s.DeleteAccount(ctx, Start, "user:rollcall:root", "rollcall:eve") }},
			{"an account that is erased", "user:rollcall:mallory", func() error { _, err := s.Erase(ctx, Start, "cli", "rollcall:mallory"); return err }},
			{"a key that is deleted", byKey, func() error { _, err := s.DeleteKey(ctx, Start, "cli", used.ID, false); return err }},
			{"who may not administer any longer", "user:desk/lowered", func() error {
				_, err := s.PutUser(ctx, Start, by, store.UserInput{ID: "lowered", Access: &viewer})
				return err
			}},
			{"who is deleted", "user:desk/left", func() error { _, err := s.DeleteUser(ctx, Start, by, "left"); return err }},
			{"who is erased", "user:desk/erased", func() error { _, err := s.Erase(ctx, Start, "cli", "desk/erased"); return err }},
			{"who may by a key that is deleted", "user:till/reported", func() error { _, err := s.DeleteKey(ctx, Start, "cli", reporting.ID, false); return err }},
			{"the command line", "cli", nil},
			{"an administrator who stays", "user:rollcall:root", nil},
		}
		links := make([]string, 0, 2*len(makers)) // an invitation and one for an account that is there, of each
		for i, maker := range makers {
			_, invitation, err := s.Invite(ctx, Start, maker.actor, store.AccountInput{Name: fmt.Sprintf("invited%d", i), Access: admin})
			must(err)
			there, err := s.CreateAccount(ctx, Start, "cli", store.AccountInput{Name: fmt.Sprintf("there%d", i), Password: Password, Access: viewer})
			must(err)
			link, err := s.NewLink(ctx, Start, maker.actor, there.ID)
			must(err)
			links = append(links, invitation.Secret, link.Secret)
		}
		for _, secret := range links {
			_, err := s.AccountOfLink(ctx, Start, secret)
			must(err)
		}
		for i, maker := range makers {
			var want error
			if maker.end != nil {
				must(maker.end())
				want = store.ErrLinkGone
			}
			for _, secret := range links[2*i : 2*i+2] {
				if _, err := s.AccountOfLink(ctx, Start, secret); !errors.Is(err, want) {
					t.Errorf("%s: looking at the link: %v, want %v", maker.name, err, want)
				}
				if _, err := s.UseLink(ctx, Start, secret, chosen, store.Origin{}); !errors.Is(err, want) {
					t.Errorf("%s: using the link: %v, want %v", maker.name, err, want)
				}
			}
		}
	})
}

func TestALinkIsOfItsLatestMaker(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for _, name := range []string{"root", "eve", "ada"} {
			if _, err := s.CreateAccount(ctx, Start, "cli", store.AccountInput{Name: name, Password: Password, Access: store.AccessAdmin}); err != nil {
				t.Fatal(err)
			}
		}
		var link store.AccountLink
		for _, actor := range []string{"user:rollcall:eve", "user:rollcall:root"} {
			var err error
			if link, err = s.NewLink(ctx, Start, actor, "rollcall:ada"); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.DeleteAccount(ctx, Start, "cli", "rollcall:eve"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.UseLink(ctx, Start, link.Secret, chosen, store.Origin{}); err != nil {
			t.Error(err)
		}
	})
}

func TestChangingOnesOwnPassword(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		if _, err := s.CreateFirstAccount(ctx, Start, "root", Password); err != nil {
			t.Fatal(err)
		}
		root := store.AccountID("root")
		link, err := s.NewLink(ctx, Start, "cli", root)
		if err != nil {
			t.Fatal(err)
		}
		here, err := s.SignInAs(ctx, Start, root, store.Origin{})
		if err != nil {
			t.Fatal(err)
		}
		there, err := s.SignInAs(ctx, Start, root, store.Origin{})
		if err != nil {
			t.Fatal(err)
		}
		WantError(t, s.ChangePassword(ctx, Start, root, here.ID, "a wrong password", chosen), store.ErrWrongPassword)
		WantError(t, s.ChangePassword(ctx, Start, root, here.ID, Password, "too short"), sqldb.ErrInvalid)
		WantError(t, s.ChangePassword(ctx, Start, "shop/ada", here.ID, Password, chosen), sqldb.ErrNotFound)
		for _, session := range []store.LoginResult{here, there} {
			if _, err := s.Touch(ctx, Start, session.Token, store.Beat{}); err != nil {
				t.Fatal("refused, and yet:", err)
			}
		}
		if err := s.ChangePassword(ctx, Start, root, here.ID, Password, chosen); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Touch(ctx, Start, here.Token, store.Beat{}); err != nil {
			t.Error("the own session:", err)
		}
		_, err = s.Touch(ctx, Start, there.Token, store.Beat{})
		WantError(t, err, store.ErrSessionEnded)
		_, err = s.UseLink(ctx, Start, link.Secret, chosen, store.Origin{})
		WantError(t, err, store.ErrLinkGone)
		WantError(t, s.ChangePassword(ctx, Start, root, here.ID, Password, "another password of hers"), store.ErrWrongPassword)

		next := []string{"the new password, first", "the new password, second", "the new password, third"}
		won := make(chan string, len(next))
		var all sync.WaitGroup
		for _, password := range next {
			all.Go(func() {
				if err := s.ChangePassword(ctx, Start, root, here.ID, chosen, password); err == nil {
					won <- password
				} else if !errors.Is(err, store.ErrWrongPassword) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(won) != 1 {
			t.Fatalf("%d changed it at once", len(won))
		}
		if _, err := s.SignIn(ctx, Start, store.Credentials{Name: "root", Password: <-won}, store.Origin{}); err != nil {
			t.Error(err)
		}
	})
}
