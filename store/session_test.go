package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

func text(s string) *string { return &s }

func wantOnline(t testing.TB, s *store.Store, now time.Time, want ...string) {
	t.Helper()
	if got := OnlineIDs(t, s, now); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("online: %v, want %v", got, want)
	}
}

func TestASessionLivesByItsHeartbeats(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ada := LogIn(t, s, Start, "ada")
		wantOnline(t, s, Start, "ada")

		if ada.ExpiresAt != Start.Add(24*time.Hour) {
			t.Errorf("a new session expires at %v", ada.ExpiresAt)
		}
		later := Start.Add(4 * time.Minute)
		session, err := s.Touch(ctx, later, ada.Token, store.Beat{})
		if err != nil || session.ID != ada.ID || session.ExpiresAt != later.Add(24*time.Hour) {
			t.Fatalf("a heartbeat answers %+v, %v", session, err)
		}
		identity, err := s.Authenticate(ctx, later, ada.Token)
		if err != nil || identity.Session.ExpiresAt != session.ExpiresAt {
			t.Fatalf("the database has %+v, %v; the heartbeat said %v", identity.Session, err, session.ExpiresAt)
		}
		wantOnline(t, s, later.Add(5*time.Minute-time.Millisecond), "ada")
		wantOnline(t, s, later.Add(5*time.Minute))
		if _, err = s.Touch(ctx, later.Add(time.Hour), ada.Token, store.Beat{}); err != nil {
			t.Fatal("a heartbeat after an offline hour:", err)
		}
		wantOnline(t, s, later.Add(time.Hour), "ada")
	})
}

func TestALateHeartbeatDoesNotBringASessionBack(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		expired, ended, gone := LogIn(t, s, Start, "expired"), LogIn(t, s, Start, "ended"), LogIn(t, s, Start, "gone")
		if ok, err := s.EndByToken(ctx, Start, "shop", ended.Token, presence.EndLogout); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if n, err := s.DeleteUser(ctx, Start, Shop, "gone"); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		now := Start.Add(24 * time.Hour)
		for token, want := range map[string]presence.EndReason{expired.Token: "expired", ended.Token: "logout", gone.Token: ""} {
			_, err := s.Touch(ctx, now, token, store.Beat{})
			WantError(t, err, store.ErrSessionEnded)
			var e *store.EndedError
			if errors.As(err, &e) && e.Reason != want || e == nil && want != "" {
				t.Errorf("the reason is %v, want %q", err, want)
			}
			_, err = s.Authenticate(ctx, now, token)
			WantError(t, err, store.ErrSessionEnded)
		}
		wantOnline(t, s, now)
	})
}

func TestAnIdleHeartbeatKeepsOnlineButDoesNotExtend(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ada := LogIn(t, s, Start, "ada")
		now := Start.Add(10 * time.Minute)
		session, err := s.Touch(t.Context(), now, ada.Token, store.Beat{Idle: 5 * time.Minute})
		if err != nil || session.ExpiresAt != ada.ExpiresAt {
			t.Fatalf("expires at %v, %v; want %v as before", session.ExpiresAt, err, ada.ExpiresAt)
		}
		identity, err := s.Authenticate(t.Context(), now, ada.Token)
		if err != nil || identity.Session.ExpiresAt != ada.ExpiresAt {
			t.Fatalf("the database has %v, %v; want %v", identity.Session.ExpiresAt, err, ada.ExpiresAt)
		}
		page, err := s.Online(t.Context(), now, store.OnlineFilter{Limit: 10})
		if err != nil || len(page.People) != 1 || page.People[0].Status != presence.StatusAway || page.Counts.Away != 1 {
			t.Fatalf("got %+v, %v; want ada away", page, err)
		}
	})
}

func TestLeaving(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ada := LogIn(t, s, Start, "ada")
		leave := func(now time.Time) {
			t.Helper()
			if _, err := s.Touch(ctx, now, ada.Token, store.Beat{Leaving: true}); err != nil {
				t.Fatal(err)
			}
		}
		leave(Start)
		wantOnline(t, s, Start.Add(15*time.Second-time.Millisecond), "ada")
		wantOnline(t, s, Start.Add(15*time.Second))
		if _, err := s.Touch(ctx, Start.Add(16*time.Second), ada.Token, store.Beat{}); err != nil {
			t.Fatal("coming back:", err)
		}
		wantOnline(t, s, Start.Add(time.Minute), "ada")
	})
}

func TestLogin(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		own := store.Login{User: store.UserInput{ID: "ada"}, Token: "an-application-token-of-its-own"}
		first, err := s.Login(ctx, Start, Shop, own)
		if err != nil || !first.Created || first.Token != "" {
			t.Fatalf("%+v, %v", first, err)
		}
		t.Run("the same token for the same user is the same session", func(t *testing.T) {
			again, err := s.Login(ctx, Start.Add(time.Minute), Shop, own)
			if err != nil || again.Created || again.ID != first.ID {
				t.Fatalf("%+v, %v", again, err)
			}
		})
		t.Run("the same token from another app is refused and stores nothing", func(t *testing.T) {
			_, err := s.Login(ctx, Start, store.By{App: "blog"}, store.Login{User: store.UserInput{ID: "eve"}, Token: own.Token})
			WantError(t, err, store.ErrTokenTaken)
			_, err = s.DeleteUser(ctx, Start, Shop, "eve")
			WantError(t, err, sqldb.ErrNotFound)
		})
		for name, in := range map[string]store.Login{
			"a token that is easy": {User: store.UserInput{ID: "x"}, Token: "1111111111111111"},
			"a key as token":       {User: store.UserInput{ID: "x"}, Token: "rck_9f86d081884c7d659a2feaa0c55ad015"},
			"no user id":           {},
			"an account's user id": {User: store.UserInput{ID: "rollcall:root"}},
		} {
			t.Run(name+" is refused", func(t *testing.T) {
				_, err := s.Login(ctx, Start, Shop, in)
				WantError(t, err, sqldb.ErrInvalid)
			})
		}
	})
}

func TestEndingIsIdempotentAndBoundToItsApp(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ada := LogIn(t, s, Start, "ada")
		for _, step := range []struct {
			app  string
			want bool
		}{{"blog", false}, {"shop", true}, {"shop", false}} {
			if got, err := s.EndByID(ctx, Start, step.app, ada.ID, presence.EndRevoked); got != step.want || err != nil {
				t.Fatalf("ending for %s: %v, %v; want %v", step.app, got, err, step.want)
			}
		}
		_, err := s.Touch(ctx, Start, ada.Token, store.Beat{})
		WantError(t, err, store.ErrSessionEnded)
	})
}

func TestEndingRacedByHeartbeatsStaysEnded(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ada := LogIn(t, s, Start, "ada")
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for j := range 50 {
					_, err := s.Touch(t.Context(), Start.Add(time.Duration(i*50+j)*time.Millisecond), ada.Token, store.Beat{})
					if err != nil && !errors.Is(err, store.ErrSessionEnded) {
						t.Error(err)
					}
				}
			})
		}
		if ok, err := s.EndByID(t.Context(), Start, "", ada.ID, presence.EndRevoked); !ok || err != nil {
			t.Error(ok, err)
		}
		_, err := s.Touch(t.Context(), Start, ada.Token, store.Beat{})
		WantError(t, err, store.ErrSessionEnded)
		wg.Wait()
		wantOnline(t, s, Start)
	})
}

func TestAUserIsOneEntryWithAllSessions(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		LogIn(t, s, Start, "ada")
		LogIn(t, s, Start.Add(time.Second), "bob")
		LogIn(t, s, Start.Add(time.Minute), "ada")
		wantOnline(t, s, Start.Add(time.Minute), "ada", "bob")
		page, err := s.Online(t.Context(), Start.Add(time.Minute), store.OnlineFilter{Limit: 1})
		if err != nil || len(page.People[0].Sessions) != 2 || page.Next == "" {
			t.Fatalf("%+v, %v", page, err)
		}
	})
}
