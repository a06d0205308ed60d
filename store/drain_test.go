package store_test

import (
	"context"
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

func beginDrain(t testing.TB, s *store.Store, now time.Time, end *time.Time) {
	t.Helper()
	if _, err := s.BeginDrain(t.Context(), now, "user:root", "Back at six", end); err != nil {
		t.Fatal(err)
	}
}

// tries logs a user with a role in.
func tries(t testing.TB, s *store.Store, id, role, token string) (store.LoginResult, error) {
	t.Helper()
	return s.Login(t.Context(), Start, Shop, store.Login{User: store.UserInput{ID: id, Role: &role}, Token: token})
}

func mayLogIn(t testing.TB, s *store.Store, id, role string) error {
	t.Helper()
	return s.MayLogin(t.Context(), Start, store.By{App: "shop"}, store.UserInput{ID: id, Role: &role})
}

func TestADrainAsksToKeepNewLoginsOutAndCountsWhoComesInAllTheSame(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		const own = "a-token-of-the-application"
		if _, err := tries(t, s, "ada", "", own); err != nil {
			t.Fatal(err)
		}
		beginDrain(t, s, Start, nil)
		var draining *store.DrainingError
		if err := mayLogIn(t, s, "new", "editor"); !errors.As(err, &draining) || draining.Message != "Back at six" {
			t.Errorf("may somebody new log in: %v", err)
		}
		if came, err := tries(t, s, "new", "editor", ""); err != nil || came.Draining == nil || came.Draining.Message != "Back at six" {
			t.Errorf("a new login: %+v, %v", came, err)
		}
		if left, err := s.CountDrained(t.Context(), Start.Add(time.Second), Start.Add(-time.Second)); err != nil || left != (store.Drained{Online: 2, CameIn: 2}) {
			t.Errorf("%+v are waited for, %v", left, err)
		}
		if again, err := tries(t, s, "ada", "", own); err != nil || again.Created || again.Draining != nil {
			t.Errorf("a login that was reported before: %+v, %v", again, err)
		}
		if boss, err := tries(t, s, "boss", "Admin", ""); err != nil || boss.Draining != nil {
			t.Errorf("the application's admin: %+v, %v", boss, err)
		}
		for role, may := range map[string]bool{"Admin": true, "editor": false} {
			if err := mayLogIn(t, s, "boss", role); (err == nil) != may {
				t.Errorf("may boss as %s: %v", role, err)
			}
		}
		if err := s.MayLogin(t.Context(), Start, store.By{App: "shop"}, store.UserInput{ID: "boss"}); err != nil {
			t.Errorf("may boss, whose role is known: %v", err)
		}
		if err := s.EndDrain(t.Context(), Start, "user:root"); err != nil {
			t.Fatal(err)
		}
		if after, err := tries(t, s, "new", "editor", ""); err != nil || after.Draining != nil || mayLogIn(t, s, "new", "editor") != nil {
			t.Errorf("after the drain: %+v, %v", after, err)
		}
	})
}

func TestNoLoginSlipsInUnnoticedWhileADrainBegins(t *testing.T) {
	s := New(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var began, late time.Time // of the drain's answer, and of the last login that began after it
	for w := range 8 {
		wg.Go(func() {
			for n := range 50 {
				started := time.Now()
				login, err := tries(t, s, fmt.Sprint(w, "-", n), "", "")
				mu.Lock()
				if err == nil && login.Draining == nil && !began.IsZero() && started.After(began) {
					late = started
				}
				mu.Unlock()
				if w == 0 && n == 10 {
					beginDrain(t, s, Start, nil)
					mu.Lock()
					began = time.Now()
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if !late.IsZero() {
		t.Errorf("somebody logged in %v after the drain was acknowledged", late.Sub(began))
	}
}

func TestADrainEndsTheSessionsOnceAtItsTime(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		end := Start.Add(time.Minute)
		tokens := map[string]string{}
		for id, role := range map[string]string{"ada": "", "bob": "editor", "boss": "ADMIN"} {
			result, err := tries(t, s, id, role, "")
			if err != nil {
				t.Fatal(err)
			}
			tokens[id] = result.Token
		}
		_, err := s.CreateAccount(t.Context(), Start, store.ActorCLI, store.AccountInput{Name: "root", Password: "correct horse battery staple", Access: store.AccessAdmin})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.SignInAs(t.Context(), Start, "rollcall:root", store.Origin{}); err != nil {
			t.Fatal(err)
		}
		beginDrain(t, s, Start, &end)
		if left, err := s.CountDrained(t.Context(), Start, Start); err != nil || left != (store.Drained{Online: 2}) {
			t.Errorf("%+v are waited for, %v", left, err)
		}
		for _, step := range []struct {
			at    time.Time
			ended int64
		}{{end.Add(-time.Millisecond), 0}, {end, 2}, {end.Add(time.Second), 0}} {
			if n, err := s.EndDrained(t.Context(), step.at); err != nil || n != step.ended {
				t.Errorf("at %v %d ended, %v", step.at, n, err)
			}
		}
		if got := whose(t, s, end, store.SessionFilter{}); got != "boss" {
			t.Errorf("left are %s", got)
		}
		if got := whose(t, s, end, store.SessionFilter{App: presence.PanelApp}); got != "rollcall:root" {
			t.Errorf("of the panel are left %q", got)
		}
		page, err := s.Sessions(t.Context(), end, store.SessionFilter{User: "ada", State: store.ScopeEnded, Limit: 1})
		if err != nil || len(page.Sessions) != 1 {
			t.Fatal(page, err)
		}
		if e := page.Sessions[0]; e.EndReason != presence.EndRevoked || e.EndedBy != "user:root" || e.EndNote != "Back at six" {
			t.Errorf("kept are %s by %s: %s", e.EndReason, e.EndedBy, e.EndNote)
		}
		if err := mayLogIn(t, s, "late", ""); !errors.Is(err, store.ErrDraining) {
			t.Errorf("may somebody log in afterwards: %v", err)
		}
		demoted := "editor" // since the sessions were ended
		if _, err := s.PutUser(t.Context(), end, Shop, store.UserInput{ID: "boss", Role: &demoted}); err != nil {
			t.Fatal(err)
		}
		if n, err := s.EndDrained(t.Context(), end.Add(time.Hour)); err != nil || n != 0 {
			t.Errorf("%d ended another time, %v", n, err)
		}
	})
}

func TestADrainThatIsChangedOrOverEndsNobodyAtItsOldTime(t *testing.T) {
	s := New(t)
	LogIn(t, s, Start, "ada")
	end, later := Start.Add(time.Minute), Start.Add(time.Hour)
	beginDrain(t, s, Start, &end)
	beginDrain(t, s, Start.Add(time.Second), &later)
	if n, err := s.EndDrained(t.Context(), end); err != nil || n != 0 {
		t.Errorf("changed: %d ended, %v", n, err)
	}
	if d, err := s.Drain(t.Context()); err != nil || !d.StartedAt.Equal(Start) || !d.EndSessionsAt.Equal(later) {
		t.Errorf("changed it is %+v, %v", d, err)
	}
	for range 2 {
		if err := s.EndDrain(t.Context(), Start, "user:root"); err != nil {
			t.Fatal("ending it, also twice:", err)
		}
	}
	if n, err := s.EndDrained(t.Context(), later); err != nil || n != 0 {
		t.Errorf("over: %d ended, %v", n, err)
	}
	if d, err := s.Drain(t.Context()); !errors.Is(err, sqldb.ErrNotFound) {
		t.Errorf("over it is %+v, %v", d, err)
	}
}

func TestADrainWaitsWhileTheClockMayBeAhead(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		LogIn(t, s, Start, "ada")
		end := Start.Add(time.Minute)
		beginDrain(t, s, Start, &end)
		s.SetSlack(presence.Slack{Ahead: time.Hour})
		for _, step := range []struct {
			at    time.Time
			ended int64
		}{{end, 0}, {end.Add(time.Hour - time.Millisecond), 0}, {end.Add(time.Hour), 1}} {
			if n, err := s.EndDrained(t.Context(), step.at); err != nil || n != step.ended {
				t.Errorf("at %v %d ended, %v", step.at, n, err)
			}
		}
	})
}

func TestTheSessionsOfADrainEndInBatchesAndWhatWasLeftEndsLater(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	fill(t, db, 2000)
	end := Start.Add(time.Minute)
	beginDrain(t, s, Start, &end)
	ExecSQL(t, db, `UPDATE user_sessions SET expires_at = $1`, end.Add(time.Hour).UnixMilli())
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.EndDrained(cut, end); !errors.Is(err, sqldb.ErrBusy) {
		t.Errorf("cut short: %v", err)
	}
	before := Number(t, db, `SELECT COUNT(*) FROM user_sessions WHERE is_active = true`)
	n, err := s.EndDrained(t.Context(), end)
	if err != nil || n != before || n < 251 {
		t.Errorf("%d of %d ended, %v", n, before, err)
	}
}

func TestDrainsThatAreRefused(t *testing.T) {
	s := New(t)
	past, far := Start, Start.AddDate(2, 0, 0)
	for fact, try := range map[string]struct {
		message string
		end     *time.Time
	}{
		"no message":      {"", nil},
		"a long message":  {strings.Repeat("x", 501), nil},
		"a line break":    {"a\nb", nil},
		"an end by now":   {"m", &past},
		"an end too late": {"m", &far},
	} {
		if _, err := s.BeginDrain(t.Context(), Start, "user:root", try.message, try.end); !errors.Is(err, sqldb.ErrInvalid) {
			t.Errorf("%s: %v", fact, err)
		}
	}
	if d, err := s.Drain(t.Context()); !errors.Is(err, sqldb.ErrNotFound) {
		t.Errorf("it drains: %+v, %v", d, err)
	}
}

func TestWhoDrainedIsKept(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	LogIn(t, s, Start, "ada")
	end := Start.Add(time.Minute)
	beginDrain(t, s, Start, nil)
	beginDrain(t, s, Start, &end)
	if _, err := s.EndDrained(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.EndDrain(t.Context(), end, "key:7:ops"); err != nil {
			t.Fatal(err)
		}
	}
	wantAudit(t, folder, "user:root drain.begin  Back at six", "user:root drain.change  Back at six", "system drain.end_sessions  1 sessions", "key:7:ops drain.end  ")
}
