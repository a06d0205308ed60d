package store_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// logsIn reports a login of ada, n minutes after Start.
func logsIn(t testing.TB, s *store.Store, n int, app, token string) (store.LoginResult, error) {
	t.Helper()
	return s.Login(t.Context(), after(n), store.By{App: app}, store.Login{User: store.UserInput{ID: "ada", Name: text(fmt.Sprint("Ada ", n))}, Token: token})
}

func mustLogIn(t testing.TB, s *store.Store, n int, app string) store.LoginResult {
	t.Helper()
	result, err := logsIn(t, s, n, app, "")
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestALoginTooManyEvictsTheLeastRecentlyActive(t *testing.T) {
	s := Limited(t, t.TempDir(), store.SessionLimit{Sessions: 2})
	first, second := mustLogIn(t, s, 0, "shop"), mustLogIn(t, s, 1, "shop")
	elsewhere := mustLogIn(t, s, 0, "blog")
	Touch(t, s, after(2), first.Token, store.Beat{})
	third := mustLogIn(t, s, 3, "shop")
	if len(first.Evicted)+len(second.Evicted)+len(elsewhere.Evicted) > 0 || !slices.Equal(third.Evicted, []int64{second.ID}) {
		t.Errorf("evicted: %v", third.Evicted)
	}
	_, err := s.Touch(t.Context(), after(3), second.Token, store.Beat{})
	var ended *store.EndedError
	if !errors.As(err, &ended) || ended.Reason != presence.EndEvicted {
		t.Errorf("its next heartbeat: %v", err)
	}
	for _, left := range []store.LoginResult{first, third, elsewhere} {
		Touch(t, s, after(3), left.Token, store.Beat{})
	}
	if _, err := s.EndByToken(t.Context(), after(4), "shop", third.Token, presence.EndLogout); err != nil {
		t.Fatal(err)
	}
	if next := mustLogIn(t, s, 5, "shop"); next.Evicted != nil {
		t.Errorf("after a logout it evicts %v", next.Evicted)
	}
	expired := mustLogIn(t, s, 2*24*60, "shop")
	if expired.Evicted != nil {
		t.Errorf("where the others have expired it evicts %v", expired.Evicted)
	}
}

func TestALoginTooManyIsToldOf(t *testing.T) {
	s := Limited(t, t.TempDir(), store.SessionLimit{Sessions: 1, Deny: true})
	const token = "the application's own token"
	first, err := logsIn(t, s, 0, "shop", token)
	if err != nil {
		t.Fatal(err)
	}
	WantError(t, mayLogInAfter(t, s, 1, "shop"), store.ErrSessionLimit)
	if err := mayLogInAfter(t, s, 1, "blog"); err != nil {
		t.Errorf("elsewhere: %v", err)
	}
	second, err := logsIn(t, s, 1, "shop", "")
	if err != nil || !second.OverLimit || second.Evicted != nil {
		t.Errorf("one that comes in all the same: %+v, %v", second, err)
	}
	if n, err := s.CountSessions(t.Context(), after(1), store.SessionFilter{User: "ada"}); err != nil || n != 2 {
		t.Errorf("%d sessions count, %v", n, err)
	}
	if again, err := logsIn(t, s, 2, "shop", token); err != nil || again.ID != first.ID {
		t.Errorf("the same login again: %v, %v", again, err)
	}
	mustLogIn(t, s, 3, "blog")
	for _, id := range []int64{first.ID, second.ID} {
		WantError(t, mayLogInAfter(t, s, 4, "shop"), store.ErrSessionLimit)
		if _, err := s.EndByID(t.Context(), after(4), "", id, presence.EndLogout); err != nil {
			t.Fatal(err)
		}
	}
	if err := mayLogInAfter(t, s, 5, "shop"); err != nil {
		t.Errorf("where all have logged out: %v", err)
	}
	if next := mustLogIn(t, s, 5, "shop"); next.OverLimit {
		t.Error("a login for which there is room is over the limit")
	}
}

// mayLogInAfter asks whether Ada may log in n minutes after Start.
func mayLogInAfter(t testing.TB, s *store.Store, n int, app string) error {
	t.Helper()
	return s.MayLogin(t.Context(), after(n), store.By{App: app}, store.UserInput{ID: "ada"})
}

// leaves says goodbye n minutes after Start.
func leaves(t testing.TB, s *store.Store, n int, token string) {
	t.Helper()
	Touch(t, s, after(n), token, store.Beat{})
	Touch(t, s, after(n), token, store.Beat{Leaving: true})
}

func TestWhoHasLeftIsEvictedFirst(t *testing.T) {
	s := Limited(t, t.TempDir(), store.SessionLimit{Sessions: 2})
	open, left := mustLogIn(t, s, 0, "shop"), mustLogIn(t, s, 1, "shop")
	Touch(t, s, after(2), open.Token, store.Beat{})
	leaves(t, s, 3, left.Token)
	if next := mustLogIn(t, s, 4, "shop"); !slices.Equal(next.Evicted, []int64{left.ID}) {
		t.Errorf("it evicts %v rather than the one that left, %d; the open one is %d", next.Evicted, left.ID, open.ID)
	}
	Touch(t, s, after(5), open.Token, store.Beat{})
}

func TestWhoHasLeftMakesRoomWhereALoginTooManyIsDenied(t *testing.T) {
	s := Limited(t, t.TempDir(), store.SessionLimit{Sessions: 1, Deny: true})
	first := mustLogIn(t, s, 0, "shop")
	leaves(t, s, 1, first.Token)
	if err := mayLogInAfter(t, s, 1, "shop"); !errors.Is(err, store.ErrSessionLimit) {
		t.Errorf("within the grace of a goodbye, which may be a reload: %v", err)
	}
	if err := mayLogInAfter(t, s, 2, "shop"); err != nil {
		t.Errorf("beside one that left: %v", err)
	}
	second := mustLogIn(t, s, 2, "shop")
	if !slices.Equal(second.Evicted, []int64{first.ID}) {
		t.Errorf("the one that left does not make room: %v", second.Evicted)
	}
	Touch(t, s, after(3), second.Token, store.Beat{})
	if err := mayLogInAfter(t, s, 7, "shop"); !errors.Is(err, store.ErrSessionLimit) {
		t.Errorf("beside one that was heard of four minutes ago: %v", err)
	}
	if third := mustLogIn(t, s, 8, "shop"); !slices.Equal(third.Evicted, []int64{second.ID}) {
		t.Errorf("one whose goodbye was lost does not make room: %v", third.Evicted)
	}
	if err := mayLogInAfter(t, s, 60, "shop"); !errors.Is(err, store.ErrSessionLimit) {
		t.Errorf("beside one of an application that sends no heartbeats: %v", err)
	}
}

func TestALimitThatIsLoweredIsAboutNewLogins(t *testing.T) {
	for _, deny := range []bool{false, true} {
		folder := t.TempDir()
		const token = "the application's own token"
		before := Limited(t, folder, store.SessionLimit{})
		if _, err := logsIn(t, before, 0, "shop", token); err != nil {
			t.Fatal(err)
		}
		mustLogIn(t, before, 1, "shop")
		mustLogIn(t, before, 2, "shop")
		s := Limited(t, folder, store.SessionLimit{Sessions: 1, Deny: deny})
		if again, err := logsIn(t, s, 3, "shop", token); err != nil || again.Created || again.Evicted != nil {
			t.Errorf("a login that was reported before: %+v, %v", again, err)
		}
		if fresh, err := logsIn(t, s, 4, "shop", ""); err != nil || len(fresh.Evicted) != 3 && !deny || fresh.OverLimit != deny {
			t.Errorf("a new one: %+v, %v", fresh, err)
		}
	}
}

func TestTheLimitHoldsUnder200ParallelLogins(t *testing.T) {
	for _, limit := range []store.SessionLimit{{Sessions: 3}, {Sessions: 3, Deny: true}} {
		t.Run(fmt.Sprintf("%+v", limit), func(t *testing.T) {
			s := Limited(t, t.TempDir(), limit)
			var logins sync.WaitGroup
			var mu sync.Mutex
			var over, evicted int
			start := make(chan struct{})
			for range 200 {
				logins.Go(func() {
					<-start
					result, err := logsIn(t, s, 0, "shop", "")
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						t.Error(err)
					}
					if result.OverLimit {
						over++
					}
					evicted += len(result.Evicted)
				})
			}
			close(start)
			logins.Wait()
			active, err := s.CountSessions(t.Context(), after(0), store.SessionFilter{User: "ada"})
			if evicts := !limit.Deny; err != nil || evicts && (active != 3 || evicted != 197 || over != 0) || !evicts && (active != 200 || evicted != 0 || over != 197) {
				t.Errorf("%d active (%v), %d over the limit, %d evicted", active, err, over, evicted)
			}
		})
	}
}

func TestAPanelSignInIsUnderNoLimit(t *testing.T) {
	s := Limited(t, t.TempDir(), store.SessionLimit{Sessions: 1, Deny: true})
	if _, err := s.CreateFirstAccount(t.Context(), after(0), "root", "a password that is long enough"); err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		if _, err := s.SignInAs(t.Context(), after(n), store.AccountID("root"), store.Origin{}); err != nil {
			t.Error(err)
		}
	}
}
