package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// wantLevel asks the gate some seconds after Start.
func wantLevel(t *testing.T, s *store.Store, seconds int, level presence.GateLevel) {
	t.Helper()
	if gate, err := s.Gate(t.Context(), Start.Add(time.Duration(seconds)*time.Second), store.GateQuestion{}); err != nil || gate.Level != level {
		t.Errorf("after %d s the gate says %s of %+v, %v; want %s", seconds, gate.Level, gate.Counts, err, level)
	}
}

// says sends a heartbeat some seconds after Start, which may be refused.
func says(t *testing.T, s *store.Store, seconds int, token string, beat store.Beat) {
	t.Helper()
	if _, err := s.Touch(t.Context(), Start.Add(time.Duration(seconds)*time.Second), token, beat); err != nil && !errors.Is(err, store.ErrSessionEnded) {
		t.Fatal(err)
	}
}

// endings are the ways in which others than the person and their application's sign-out end a session of ada's, at an instant.
var endings = map[string]func(t *testing.T, s *store.Store, now time.Time, session store.LoginResult) error{
	"revoked": func(t *testing.T, s *store.Store, now time.Time, session store.LoginResult) error {
		_, err := s.Revoke(t.Context(), now, session.ID, byRoot)
		return err
	},
	"revoked with others": func(t *testing.T, s *store.Store, now time.Time, _ store.LoginResult) error {
		_, err := s.RevokeAll(t.Context(), now, store.SessionFilter{}, byRoot)
		return err
	},
	"ended by a drain": func(t *testing.T, s *store.Store, now time.Time, _ store.LoginResult) error {
		beginDrain(t, s, Start.Add(-time.Hour), &now)
		_, err := s.EndDrained(t.Context(), now)
		return err
	},
	"ended with all because the password was changed": func(t *testing.T, s *store.Store, now time.Time, _ store.LoginResult) error {
		_, err := s.EndAll(t.Context(), now, Shop, "ada", "", presence.EndPasswordChanged)
		return err
	},
	"ended because the password was changed": func(t *testing.T, s *store.Store, now time.Time, session store.LoginResult) error {
		_, err := s.EndByID(t.Context(), now, "shop", session.ID, presence.EndPasswordChanged)
		return err
	},
	"deleted with the user": func(t *testing.T, s *store.Store, now time.Time, _ store.LoginResult) error {
		_, err := s.DeleteUser(t.Context(), now, Shop, "ada")
		return err
	},
	"erased with the user": func(t *testing.T, s *store.Store, now time.Time, _ store.LoginResult) error {
		_, err := s.Erase(t.Context(), now, "user:root", "ada")
		return err
	},
}

func TestWhoCountedForTheGateCountsOnAfterTheEndOfTheirSession(t *testing.T) {
	for name, c := range map[string]struct {
		before []store.Beat // two seconds apart; the end is 20 seconds after the last, or after the login
		end    int          // seconds after the last
		busy   bool
		until  int // seconds after the end; 0: does not count
	}{
		"somebody at work":                    {before: []store.Beat{{}}, end: 20, until: 120},
		"somebody away":                       {before: []store.Beat{{Idle: time.Hour}}, end: 20, until: 120},
		"somebody busy without input":         {before: []store.Beat{{Idle: time.Hour}}, end: 20, busy: true, until: 120},
		"somebody who has not beaten yet":     {end: 20, until: 120},
		"somebody within the grace":           {before: []store.Beat{{}, {Leaving: true}}, end: 5, until: 10},
		"somebody who has left":               {before: []store.Beat{{}, {Leaving: true}}, end: 20},
		"somebody who timed out":              {before: []store.Beat{{}}, end: 301},
		"a login that no heartbeat followed":  {end: 121},
		"somebody away who is about to leave": {before: []store.Beat{{Idle: time.Hour}, {Idle: time.Hour, Leaving: true}}, end: 5, until: 10},
	} {
		for how, end := range endings {
			t.Run(name+" is "+how, func(t *testing.T) {
				s := New(t)
				ada := reports(t, s, 0, "ada", tokenA, store.Login{})
				if c.busy {
					if err := s.SetStatus(t.Context(), Start, "ada", presence.Claim{Status: presence.StatusBusy}); err != nil {
						t.Fatal(err)
					}
				}
				at := 0
				for _, beat := range c.before {
					at += 2
					says(t, s, at, tokenA, beat)
				}
				at += c.end
				if err := end(t, s, Start.Add(time.Duration(at)*time.Second), ada); err != nil {
					t.Fatal(err)
				}
				if c.until == 0 {
					wantLevel(t, s, at, presence.GateClear)
					return
				}
				wantLevel(t, s, at, presence.GateCaution)
				wantLevel(t, s, at+c.until-1, presence.GateCaution)
				wantLevel(t, s, at+c.until, presence.GateClear)
			})
		}
	}
}

func TestWhoIsEvictedCountsOn(t *testing.T) {
	s := Limited(t, t.TempDir(), store.SessionLimit{Sessions: 1})
	first := mustLogIn(t, s, 0, "shop")
	says(t, s, 1, first.Token, store.Beat{Idle: time.Hour})
	second := mustLogIn(t, s, 1, "shop")
	if len(second.Evicted) != 1 {
		t.Fatal(second)
	}
	if _, err := s.EndByToken(t.Context(), after(1), "shop", second.Token, presence.EndLogout); err != nil {
		t.Fatal(err)
	}
	wantLevel(t, s, 60, presence.GateCaution)
	wantLevel(t, s, 179, presence.GateCaution)
	wantLevel(t, s, 180, presence.GateClear)
}

func TestTheEndDoesNotCutShortForHowLongSomebodyCounts(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) { // whose page still has the token before
		reports(t, s, 0, "ada", tokenA, store.Login{})
		ada := reports(t, s, 0, "ada", tokenB, store.Login{PreviousToken: tokenA})
		says(t, s, 200, tokenB, store.Beat{})
		says(t, s, 200, tokenA, store.Beat{}) // refused
		if _, err := s.Revoke(t.Context(), Start.Add(201*time.Second), ada.ID, byRoot); err != nil {
			t.Fatal(err)
		}
		wantLevel(t, s, 499, presence.GateCaution)
		wantLevel(t, s, 500, presence.GateClear)
	})
}

// TestTheNextPageOfWhoIsStillThereHasTheTimeToLoad has pages whose sessions have ended, or that nobody reported, navigate.
func TestTheNextPageOfWhoIsStillThereHasTheTimeToLoad(t *testing.T) {
	for name, begin := range map[string]func(t *testing.T, s *store.Store, token string){
		"whose session has ended": func(t *testing.T, s *store.Store, token string) {
			ada := reports(t, s, 0, "ada", token, store.Login{})
			says(t, s, 1, token, store.Beat{Client: "a"})
			if _, err := s.Revoke(t.Context(), Start.Add(2*time.Second), ada.ID, byRoot); err != nil {
				t.Fatal(err)
			}
		},
		"whose user was deleted": func(t *testing.T, s *store.Store, token string) {
			reports(t, s, 0, "ada", token, store.Login{})
			says(t, s, 1, token, store.Beat{Client: "a"})
			if _, err := s.DeleteUser(t.Context(), Start.Add(2*time.Second), Shop, "ada"); err != nil {
				t.Fatal(err)
			}
		},
		"of whom nobody knows": func(*testing.T, *store.Store, string) {},
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, s *store.Store) {
				begin(t, s, tokenA)
				page(t, s, 10, tokenA, store.Beat{Client: "a"})
				page(t, s, 20, tokenA, store.Beat{Client: "a", Leaving: true})
				wantLevel(t, s, 21, presence.GateCaution)
				wantLevel(t, s, 34, presence.GateCaution)
				wantLevel(t, s, 35, presence.GateClear)
				page(t, s, 40, tokenA, store.Beat{Client: "a"})
				page(t, s, 41, tokenA, store.Beat{Client: "a", Leaving: true})
				page(t, s, 43, tokenA, store.Beat{Client: "a"}) // the next page
				wantLevel(t, s, 120, presence.GateCaution)
				page(t, s, 130, tokenA, store.Beat{Client: "a", Leaving: true})
				page(t, s, 140, tokenA, store.Beat{Client: "a", Leaving: true}) // said twice, it is from then on
				wantLevel(t, s, 144, presence.GateCaution)
				wantLevel(t, s, 155, presence.GateClear)
			})
		})
	}
}

// page is a heartbeat as the server takes it: of a token that nobody has it is noted that somebody may be at work.
func page(t *testing.T, s *store.Store, seconds int, token string, beat store.Beat) {
	t.Helper()
	now := Start.Add(time.Duration(seconds) * time.Second)
	_, err := s.Touch(t.Context(), now, token, beat)
	if ended, known := errors.AsType[*store.EndedError](err); known || err == nil {
		_ = ended
		return
	}
	if beat.Leaving {
		err = s.NoteUnknownLeaving(t.Context(), now, token, beat.Client)
	} else {
		err = s.NoteUnknownToken(t.Context(), now, token, beat.Client, "https://shop.example")
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheGoodbyeOfOneUnknownBrowserForgetsNoOther(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		for i, client := range []string{"a", "b", ""} {
			page(t, s, i, tokenA, store.Beat{Client: client})
		}
		if n := unidentified(t, s, Start.Add(3*time.Second), ""); n != 1 {
			t.Errorf("of one token count %d", n)
		}
		for i, client := range []string{"a", "b", "c"} {
			page(t, s, 10+i, tokenA, store.Beat{Client: client, Leaving: true})
		}
		wantLevel(t, s, 100, presence.GateCaution)
		page(t, s, 100, tokenA, store.Beat{Leaving: true})
		wantLevel(t, s, 114, presence.GateCaution)
		wantLevel(t, s, 115, presence.GateClear)
		page(t, s, 120, tokenA, store.Beat{Client: "a"})
		page(t, s, 120, tokenA, store.Beat{Client: "b"})
		reports(t, s, 2, "ada", tokenA, store.Login{})
		if n := unidentified(t, s, Start.Add(121*time.Second), ""); n != 0 {
			t.Errorf("of a token that is reported count %d", n)
		}
	})
}

func TestADeletedUserIsKeptInPlaceOfStrangersWhoHaveLeft(t *testing.T) {
	s := New(t)
	for i := range 250 {
		page(t, s, 0, fmt.Sprint("token ", i), store.Beat{})
	}
	reports(t, s, 10, "ada", tokenA, store.Login{})
	wantLevel(t, s, 600, presence.GateHold)
	if _, err := s.DeleteUser(t.Context(), after(10), Shop, "ada"); err != nil {
		t.Fatal(err)
	}
	wantLevel(t, s, 600, presence.GateCaution)
}

func TestADeletedUserLeavesNobodyByName(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		for i := range 3 {
			token := fmt.Sprint("token-of-the-application-number-", i)
			reports(t, s, 0, "ada", token, store.Login{})
			says(t, s, 1, token, store.Beat{Client: "a"})
		}
		reports(t, s, 0, "ada", tokenA, store.Login{})
		reports(t, s, 0, "ada", tokenB, store.Login{PreviousToken: tokenA}) // by which its page is heard of next
		says(t, s, 1, tokenB, store.Beat{})
		if _, err := s.DeleteUser(t.Context(), Start.Add(2*time.Second), Shop, "ada"); err != nil {
			t.Fatal(err)
		}
		gate, err := s.Gate(t.Context(), Start.Add(2*time.Second), store.GateQuestion{App: "shop"})
		if err != nil || gate.Level != presence.GateCaution || len(gate.Unidentified) != 4 {
			t.Fatalf("the gate is %+v, %v", gate, err)
		}
		for _, one := range gate.Unidentified {
			if one != (store.Unidentified{Doubt: store.DeletedUser, App: "shop", SeenAt: Start.Add(2 * time.Second)}) {
				t.Errorf("it says %+v", one)
			}
		}
		if other, err := s.Gate(t.Context(), Start.Add(2*time.Second), store.GateQuestion{App: "crm", IgnoreUnidentified: true}); err != nil || other.Level != presence.GateClear {
			t.Errorf("of another application it says %+v, %v", other, err)
		}
		page(t, s, 3, tokenB, store.Beat{})
		if n := unidentified(t, s, Start.Add(3*time.Second), ""); n != 4 {
			t.Errorf("with the next heartbeat count %d", n)
		}
		if _, err := s.EndByToken(t.Context(), Start.Add(3*time.Second), "shop", tokenB, presence.EndLogout); err != nil {
			t.Fatal(err)
		}
		if n := unidentified(t, s, Start.Add(3*time.Second), ""); n != 3 {
			t.Errorf("when the application confirms that one is gone count %d", n)
		}
	})
}
