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

func TestAccounts(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		const password = "correct horse battery staple"
		create := func(name string, access store.Access) error {
			_, err := s.CreateAccount(ctx, Start, "user:root", store.AccountInput{Name: name, Password: password, Access: access})
			return err
		}
		var wg sync.WaitGroup
		won := make(chan string, 8)
		for i := range 8 {
			wg.Go(func() {
				a, err := s.CreateFirstAccount(ctx, Start, fmt.Sprint("Root", i), password)
				if err == nil {
					won <- a.Name
				} else if !errors.Is(err, store.ErrAlreadySetUp) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Fatalf("%d first accounts", len(won))
		}
		root := <-won
		WantError(t, s.DeleteAccount(ctx, Start, "user:root", store.AccountID(root)), store.ErrLastAdmin)
		if err := create("Ada", store.AccessViewer); err != nil {
			t.Fatal(err)
		}
		WantError(t, create("ADA", store.AccessAdmin), store.ErrNameTaken)
		for _, bad := range []store.AccountInput{
			{Name: "x", Password: "fourteen chars", Access: store.AccessAdmin},
			{Name: "", Password: password, Access: store.AccessAdmin},
			{Name: "a b", Password: password, Access: store.AccessAdmin},
			{Name: "x", Password: password, Access: store.AccessNone},
		} {
			_, err := s.CreateAccount(ctx, Start, "user:root", bad)
			WantError(t, err, sqldb.ErrInvalid)
		}
		session, err := s.SignIn(ctx, Start, store.Credentials{Name: "aDa", Password: password}, store.Origin{})
		if err != nil {
			t.Fatal(err)
		}
		for name, pass := range map[string]string{"ada": "wrong password, long", "nobody": password} {
			_, err := s.SignIn(ctx, Start, store.Credentials{Name: name, Password: pass}, store.Origin{})
			WantError(t, err, store.ErrWrongPassword)
		}
		if who, err := s.Authenticate(ctx, Start, session.Token); err != nil || who.Access != store.AccessViewer {
			t.Fatalf("%+v, %v", who, err)
		}
		if err := s.SetPassword(ctx, Start.Add(time.Second), "user:root", "ada", "another password, long"); err != nil {
			t.Fatal(err)
		}
		_, err = s.Touch(ctx, Start.Add(2*time.Second), session.Token, store.Beat{})
		var ended *store.EndedError
		if !errors.As(err, &ended) || ended.Reason != presence.EndPasswordChanged {
			t.Fatalf("after a new password: %v", err)
		}
		WantError(t, s.SetPassword(ctx, Start, "user:root", "nobody", password), sqldb.ErrNotFound)
		WantError(t, s.DeleteAccount(ctx, Start, "user:root", "rollcall:nobody"), sqldb.ErrNotFound)
		if err := s.DeleteAccount(ctx, Start, "user:root", store.AccountID("ada")); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAPasswordIsTakenExactlyAsItIsTyped(t *testing.T) {
	s := New(t)
	password := " Correct horse, battery stapl\u00e9 " + strings.Repeat("0123", 30) + " "
	if _, err := s.CreateFirstAccount(t.Context(), Start, "root", password); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{
		strings.TrimSpace(password), strings.ToLower(password), password[:64], password[:72], password + "x", strings.ReplaceAll(password, "\u00e9", "e\u0301"),
	} {
		_, err := s.SignIn(t.Context(), Start, store.Credentials{Name: "root", Password: other}, store.Origin{})
		WantError(t, err, store.ErrWrongPassword)
	}
	if _, err := s.SignIn(t.Context(), Start, store.Credentials{Name: "root", Password: password}, store.Origin{}); err != nil {
		t.Error(err)
	}
}
