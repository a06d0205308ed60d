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

func TestALoginTooManyIsDenied(t *testing.T) {
	s := Limited(t, t.TempDir(), store.SessionLimit{Sessions: 1, Deny: true})
	const token = "the application's own token"
	first, err := logsIn(t, s, 0, "shop", token)
	if err != nil {
		t.Fatal(err)
	}
	_, err = logsIn(t, s, 1, "shop", "")
	WantError(t, err, store.ErrSessionLimit)
	page, err := s.Sessions(t.Context(), after(1), store.SessionFilter{State: store.ScopeAll, Limit: 10})
	if err != nil || len(page.Sessions) != 1 || page.Sessions[0].User.Name != "Ada 0" {
		t.Errorf("the refused login left %+v, %v", page, err)
	}
	if again, err := logsIn(t, s, 2, "shop", token); err != nil || again.ID != first.ID {
		t.Errorf("the same login again: %v, %v", again, err)
	}
	mustLogIn(t, s, 3, "blog")
	if _, err := s.EndByID(t.Context(), after(4), "", first.ID, presence.EndLogout); err != nil {
		t.Fatal(err)
	}
	mustLogIn(t, s, 5, "shop")
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
	if _, err := s.Login(t.Context(), after(1), store.By{App: "shop"}, store.Login{User: store.UserInput{ID: "ada"}}); !errors.Is(err, store.ErrSessionLimit) {
		t.Errorf("within the grace of a goodbye, which may be a reload: %v", err)
	}
	second := mustLogIn(t, s, 2, "shop")
	if !slices.Equal(second.Evicted, []int64{first.ID}) {
		t.Errorf("the one that left does not make room: %v", second.Evicted)
	}
	Touch(t, s, after(3), second.Token, store.Beat{})
	if _, err := logsIn(t, s, 7, "shop", ""); !errors.Is(err, store.ErrSessionLimit) {
		t.Errorf("beside one that was heard of four minutes ago: %v", err)
	}
	if third := mustLogIn(t, s, 8, "shop"); !slices.Equal(third.Evicted, []int64{second.ID}) {
		t.Errorf("one whose goodbye was lost does not make room: %v", third.Evicted)
	}
	if _, err := logsIn(t, s, 60, "shop", ""); !errors.Is(err, store.ErrSessionLimit) {
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
		if fresh, err := logsIn(t, s, 4, "shop", ""); len(fresh.Evicted) != 3 && !deny || errors.Is(err, store.ErrSessionLimit) != deny {
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
			var begun, denied, evicted int
			start := make(chan struct{})
			for range 200 {
				logins.Go(func() {
					<-start
					result, err := logsIn(t, s, 0, "shop", "")
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						begun, evicted = begun+1, evicted+len(result.Evicted)
					case errors.Is(err, store.ErrSessionLimit):
						denied++
					default:
						t.Error(err)
					}
				})
			}
			close(start)
			logins.Wait()
			active, err := s.CountSessions(t.Context(), after(0), store.SessionFilter{User: "ada"})
			if err != nil || active != 3 || begun-evicted != 3 || begun+denied != 200 || limit.Deny != (evicted == 0) {
				t.Errorf("%d active (%v), %d begun, %d denied, %d evicted", active, err, begun, denied, evicted)
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
