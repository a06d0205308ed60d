package store_test

import (
	"errors"
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
