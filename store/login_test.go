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

// The tokens that an application brings.
const (
	tokenA = "token-a-of-an-application-itself"
	tokenB = "token-b-of-an-application-itself"
	tokenC = "token-c-of-an-application-itself"
)

// reports reports that a user is logged in to the shop, n minutes after Start.
func reports(t testing.TB, s *store.Store, n int, user, token string, more store.Login) store.LoginResult {
	t.Helper()
	more.User.ID, more.Token = user, token
	result, err := s.Login(t.Context(), after(n), Shop, more)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// beats sends a heartbeat n minutes after Start.
func beats(t testing.TB, s *store.Store, n int, token string) (store.HeartbeatResult, error) {
	t.Helper()
	return s.Touch(t.Context(), after(n), token, store.Beat{})
}

const day = 24 * 60 // minutes: the time of a session

func TestASessionThatRanOutOfTimeBeginsAnewAsOftenAsItIsReported(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		var before store.LoginResult
		for i := range 4 {
			n := i * (day + 60)
			again := reports(t, s, n, "ada", tokenA, store.Login{SessionKey: "of the host"})
			if !again.Created || again.ID == before.ID {
				t.Fatalf("after %d days: %+v", i, again)
			}
			if i%2 == 1 { // in between the cleanup has, or has not, ended it
				if _, err := s.Cleanup(t.Context(), after(n)); err != nil {
					t.Fatal(err)
				}
			}
			if beat, err := beats(t, s, n+1, tokenA); err != nil || beat.ID != again.ID {
				t.Fatalf("after %d days its heartbeat is of %d, want %d: %v", i, beat.ID, again.ID, err)
			}
			if who, err := s.Authenticate(t.Context(), after(n+1), tokenA); err != nil || who.Session.ID != again.ID {
				t.Fatalf("it is %+v, %v", who, err)
			}
			wantOnline(t, s, after(n+1), "ada")
			before = again
		}
		if n, err := s.CountSessions(t.Context(), after(4*day), store.SessionFilter{User: "ada", State: store.ScopeAll}); err != nil || n != 4 {
			t.Errorf("%d sessions are known, %v", n, err)
		}
	})
}

func TestWhatSomebodyEndedStaysEnded(t *testing.T) {
	for reason, end := range map[presence.EndReason]func(*testing.T, *store.Store, int64) error{
		presence.EndLogout: func(t *testing.T, s *store.Store, id int64) error {
			_, err := s.EndByKey(t.Context(), after(1), "shop", "key", presence.EndLogout)
			return err
		},
		presence.EndRevoked: func(t *testing.T, s *store.Store, id int64) error {
			_, err := s.Revoke(t.Context(), after(1), id, store.Ending{Reason: presence.EndRevoked, By: "user:root"})
			return err
		},
		presence.EndPasswordChanged: func(t *testing.T, s *store.Store, id int64) error {
			_, err := s.EndAll(t.Context(), after(1), Shop, "ada", "", presence.EndPasswordChanged)
			return err
		},
	} {
		Each(t, func(t *testing.T, s *store.Store) {
			first := reports(t, s, 0, "ada", tokenA, store.Login{SessionKey: "key"})
			if err := end(t, s, first.ID); err != nil {
				t.Fatal(err)
			}
			for name, in := range map[string]store.Login{
				"the same token":          {Token: tokenA},
				"the same key":            {Token: tokenB, SessionKey: "key"},
				"a token in its place":    {Token: tokenC, PreviousToken: tokenA},
				"the same key, no token":  {SessionKey: "key"},
				"the same token, and key": {Token: tokenA, SessionKey: "key"},
			} {
				in.User.ID = "ada"
				var ended *store.EndedError
				if _, err := s.Login(t.Context(), after(2), Shop, in); !errors.As(err, &ended) || ended.Reason != reason {
					t.Errorf("%s, %s: %v", reason, name, err)
				}
			}
			wantOnline(t, s, after(2))
			if state, err := s.CheckSession(t.Context(), after(2), "shop", "", "key"); !errors.Is(err, store.ErrSessionEnded) {
				t.Errorf("it is %+v, %v", state, err)
			}
			reports(t, s, 3, "ada", tokenB, store.Login{SessionKey: "another login"})
			wantOnline(t, s, after(3), "ada")
		})
	}
}

func TestWhatSomebodyEndedBeginsAnewOnlyAfterTheTimeThatIsNamed(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		in := store.Login{SessionKey: "key", ReopenAfter: 15 * time.Minute}
		first := reports(t, s, 0, "ada", tokenA, in)
		if _, err := s.Revoke(t.Context(), after(1), first.ID, store.Ending{Reason: presence.EndRevoked, By: "user:root"}); err != nil {
			t.Fatal(err)
		}
		refused := func(n int, in store.Login) {
			t.Helper()
			in.User.ID, in.Token = "ada", tokenA
			if _, err := s.Login(t.Context(), after(n), Shop, in); !errors.Is(err, store.ErrSessionEnded) {
				t.Errorf("in minute %d: %v", n, err)
			}
		}
		refused(0, in) // the clock was set back
		refused(15, in)
		refused(16, store.Login{SessionKey: "key"})
		wantOnline(t, s, after(15))
		again := reports(t, s, 16, "ada", tokenA, in)
		if !again.Created || again.ID == first.ID {
			t.Fatalf("after its time: %+v", again)
		}
		if beat, err := beats(t, s, 16, tokenA); err != nil || beat.ID != again.ID {
			t.Errorf("its heartbeat is of %+v, %v", beat, err)
		}
		if _, err := s.EndByID(t.Context(), after(17), "shop", again.ID, presence.EndLogout); err != nil {
			t.Fatal(err)
		}
		if got := reports(t, s, 17, "ada", tokenA, in); !got.Created {
			t.Errorf("after a logout: %+v", got)
		}
		wantOnline(t, s, after(17), "ada")
	})
}

func TestADerivedTokenIsTheSameForTheSamePartsOnly(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		one := s.DerivedToken("proxy", "wiki", "ada", "", "browser")
		if again := s.DerivedToken("proxy", "wiki", "ada", "", "browser"); again != one {
			t.Errorf("%s, and then %s", one, again)
		}
		for _, parts := range [][]string{{"proxy", "wiki", "ada", "browser", ""}, {"proxy", "wikiada", "", "", "browser"}, {"proxy", "wiki", "ada", "", "browser", ""}, {}} {
			if other := s.DerivedToken(parts...); other == one {
				t.Errorf("%q have the same token", parts)
			}
		}
	})
}

func TestATokenThatTakesThePlaceOfAnotherGoesOnWithTheSession(t *testing.T) {
	for name, in := range map[string]store.Login{
		"by the token before": {PreviousToken: tokenA},
		"by the key":          {SessionKey: "key"},
		"by both":             {PreviousToken: tokenA, SessionKey: "key"},
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, s *store.Store) {
				in := in // changed below
				first := reports(t, s, 0, "ada", tokenA, store.Login{SessionKey: in.SessionKey})
				if same := reports(t, s, 10, "ada", tokenB, in); same.Created || same.ID != first.ID {
					t.Fatalf("it is %+v, want the session %d", same, first.ID)
				}
				for _, beat := range []struct {
					n     int
					token string
					heard bool
				}{{11, tokenA, true}, {11, tokenB, true}, {12, tokenA, false}, {12, tokenB, true}} {
					if got, err := beats(t, s, beat.n, beat.token); (err == nil) != beat.heard || err == nil && got.ID != first.ID {
						t.Errorf("%s in minute %d: %+v, %v", beat.token, beat.n, got, err)
					}
				}
				in.PreviousToken = tokenB
				if same := reports(t, s, 20, "ada", tokenC, in); same.Created || same.ID != first.ID {
					t.Errorf("the third token is of %+v", same)
				}
				if ended, err := s.EndByToken(t.Context(), after(21), "shop", tokenC, presence.EndLogout); !ended || err != nil {
					t.Errorf("it does not end: %v, %v", ended, err)
				}
				wantOnline(t, s, after(21))
			})
		})
	}
}

func TestAReportThatComesLateDoesNotBringAnOldTokenBack(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		reports(t, s, 0, "ada", tokenA, store.Login{})
		reports(t, s, 1, "ada", tokenB, store.Login{PreviousToken: tokenA})
		reports(t, s, 1, "ada", tokenA, store.Login{}) // said before, arrived after
		if _, err := beats(t, s, 10, tokenB); err != nil {
			t.Errorf("the token in use: %v", err)
		}
		if _, err := beats(t, s, 10, tokenA); err == nil {
			t.Error("the token before is heard for ever")
		}
	})
}

func TestAnotherUserWithTheSameTokenIsAnotherSession(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		first := reports(t, s, 0, "ada", tokenA, store.Login{SessionKey: "of the browser"})
		second := reports(t, s, 1, "bob", tokenA, store.Login{SessionKey: "of the browser"})
		if !second.Created || second.ID == first.ID {
			t.Errorf("bob's is %+v", second)
		}
		wantOnline(t, s, after(1), "bob")
		if beat, err := beats(t, s, 2, tokenA); err != nil || beat.ID != second.ID {
			t.Errorf("the heartbeat is of %+v, %v", beat, err)
		}
	})
}

func TestAMintedTokenIsForOneMorePage(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		var tokens []string
		var id int64
		for i := range 5 {
			page := reports(t, s, i, "ada", "", store.Login{SessionKey: "key"})
			if page.Created != (i == 0) || i > 0 && page.ID != id || page.Token == "" {
				t.Fatalf("page %d: %+v", i, page)
			}
			tokens, id = append(tokens, page.Token), page.ID
		}
		for i, token := range tokens {
			if beat, err := beats(t, s, 10, token); err != nil || beat.ID != id {
				t.Errorf("page %d beats for %+v, %v", i, beat, err)
			}
		}
	})
}

func TestAKeyOfOneAppSaysNothingInAnother(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		reports(t, s, 0, "ada", tokenA, store.Login{SessionKey: "key"})
		other, err := s.Login(t.Context(), Start, store.By{App: "blog"}, store.Login{User: store.UserInput{ID: "ada"}, Token: tokenB, PreviousToken: tokenA, SessionKey: "key"})
		if err != nil || !other.Created {
			t.Fatalf("%+v, %v", other, err)
		}
		for _, end := range []func() (bool, error){
			func() (bool, error) { return s.EndByToken(t.Context(), Start, "blog", tokenA, presence.EndLogout) },
			func() (bool, error) { return s.EndByKey(t.Context(), Start, "wiki", "key", presence.EndLogout) },
		} {
			if ended, err := end(); ended || err != nil {
				t.Errorf("it ends another's session: %v, %v", ended, err)
			}
		}
		if _, err := s.CheckSession(t.Context(), Start, "blog", tokenA, ""); !errors.Is(err, store.ErrSessionEnded) {
			t.Errorf("it knows of another's session: %v", err)
		}
		if session, err := s.CheckSession(t.Context(), Start, "shop", tokenA, ""); err != nil || session.App != "shop" {
			t.Errorf("it does not know of its own: %+v, %v", session, err)
		}
	})
}

func TestAllSessionsOfAUserEndButForOne(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		for i := range 600 {
			reports(t, s, 0, "ada", fmt.Sprintf("the-token-number-%04d-of-the-shop", i), store.Login{})
		}
		if _, err := s.Login(t.Context(), Start, store.By{App: "blog"}, store.Login{User: store.UserInput{ID: "ada"}, Token: tokenB}); err != nil {
			t.Fatal(err)
		}
		n, err := s.EndAll(t.Context(), after(1), store.By{App: "shop", Actor: "key:1:shop"}, "ada", "the-token-number-0007-of-the-shop", presence.EndPasswordChanged)
		if err != nil || n != 599 {
			t.Errorf("%d ended, %v", n, err)
		}
		for token, stays := range map[string]bool{"the-token-number-0007-of-the-shop": true, "the-token-number-0008-of-the-shop": false, tokenB: true} {
			if _, err := beats(t, s, 1, token); (err == nil) != stays {
				t.Errorf("%s: %v", token, err)
			}
		}
		if log, err := s.Audit(t.Context(), store.AuditFilter{Actor: "key:1:shop", Limit: 10}); err != nil || len(log.Entries) != 1 || log.Entries[0].Detail != "599 sessions; password_changed" {
			t.Errorf("the log has %+v, %v", log, err)
		}
	})
}

func TestAccessThatAKeyMayNotGrantIsLeftAsItIs(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		admin := store.AccessAdmin
		result, err := s.Login(t.Context(), Start, store.By{App: "shop", Grant: store.AccessViewer}, store.Login{User: store.UserInput{ID: "eve", Access: &admin}})
		if err != nil || !result.Created || !result.AccessCapped {
			t.Fatalf("%+v, %v", result, err)
		}
		if who, err := s.Authenticate(t.Context(), Start, result.Token); err != nil || who.User.Access != store.AccessNone || who.Access != store.AccessNone {
			t.Errorf("she is %+v, %v", who, err)
		}
	})
}

// TestTheGateKnowsWhoWorksAfterTheEndOfTheirSession is about the light: a page that is in use while its
// session is over must not be taken for nobody.
func TestTheGateKnowsWhoWorksAfterTheEndOfTheirSession(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		first := reports(t, s, 0, "ada", tokenA, store.Login{})
		gate := func(n int, ask store.GateQuestion, level presence.GateLevel, still int) {
			t.Helper()
			got, err := s.Gate(t.Context(), after(n), ask)
			if err != nil || got.Level != level || len(got.StillThere) != still || got.Counts.StillThere != still {
				t.Errorf("in minute %d the gate of %+v is %+v, %v; want %s and %d still there", n, ask, got, err, level, still)
			}
			if count, _, err := s.CountHidden(t.Context(), after(n)); ask == (store.GateQuestion{}) && (err != nil || count != still) {
				t.Errorf("in minute %d %d are still there, %v", n, count, err)
			}
		}
		if _, err := s.Revoke(t.Context(), after(1), first.ID, store.Ending{Reason: presence.EndRevoked}); err != nil {
			t.Fatal(err)
		}
		gate(1, store.GateQuestion{}, presence.GateCaution, 1) // her page had no time to be heard of
		gate(3, store.GateQuestion{}, presence.GateClear, 0)   // and never was
		refusedBeat := func(n int, beat store.Beat) {
			t.Helper()
			if _, err := s.Touch(t.Context(), after(n), tokenA, beat); !errors.Is(err, store.ErrSessionEnded) {
				t.Fatal(err)
			}
		}
		refusedBeat(3, store.Beat{Idle: time.Hour})
		gate(3, store.GateQuestion{}, presence.GateClear, 0) // nobody works there
		refusedBeat(3, store.Beat{})
		gate(3, store.GateQuestion{}, presence.GateCaution, 1)
		gate(3, store.GateQuestion{App: "shop"}, presence.GateCaution, 1)
		gate(3, store.GateQuestion{App: "blog", IgnoreUnidentified: true}, presence.GateClear, 0)
		gate(8, store.GateQuestion{}, presence.GateClear, 0) // not heard of for the online window
		refusedBeat(8, store.Beat{})
		refusedBeat(8, store.Beat{Leaving: true})
		gate(8, store.GateQuestion{}, presence.GateCaution, 1) // the next page has the time to load
		gate(9, store.GateQuestion{}, presence.GateClear, 0)
		refusedBeat(9, store.Beat{})
		gate(9, store.GateQuestion{}, presence.GateCaution, 1)
		if _, err := s.EndByToken(t.Context(), after(9), "shop", tokenA, presence.EndLogout); err != nil {
			t.Fatal(err)
		}
		gate(9, store.GateQuestion{}, presence.GateClear, 0) // the application confirms it
		refusedBeat(10, store.Beat{})
		gate(10, store.GateQuestion{}, presence.GateCaution, 1) // and is wrong
		second := reports(t, s, 10, "ada", tokenB, store.Login{})
		gate(10, store.GateQuestion{}, presence.GateHold, 0) // who is online is not counted twice
		if _, err := beats(t, s, 11, tokenB); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Revoke(t.Context(), after(16), second.ID, store.Ending{Reason: presence.EndRevoked}); err != nil {
			t.Fatal(err)
		}
		gate(16, store.GateQuestion{}, presence.GateClear, 0) // not heard of for five minutes
		third := reports(t, s, 20, "ada", tokenC, store.Login{})
		if _, err := beats(t, s, 20, tokenC); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Revoke(t.Context(), after(21), third.ID, store.Ending{Reason: presence.EndRevoked}); err != nil {
			t.Fatal(err)
		}
		gate(21, store.GateQuestion{}, presence.GateCaution, 1) // before the page can know it
		gate(22, store.GateQuestion{}, presence.GateCaution, 1)
		gate(23, store.GateQuestion{}, presence.GateClear, 0) // two heartbeats later nothing was heard
	})
}

func TestAPageWithATokenThatWasReplacedLongAgoIsStillThere(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		reports(t, s, 0, "ada", tokenA, store.Login{})
		reports(t, s, 1, "ada", tokenB, store.Login{PreviousToken: tokenA})
		reports(t, s, 2, "ada", tokenC, store.Login{PreviousToken: tokenB})
		for n := 10; n < 20; n++ {
			if _, err := beats(t, s, n, tokenA); !errors.Is(err, store.ErrSessionEnded) {
				t.Fatal(err)
			}
			if gate, err := s.Gate(t.Context(), after(n), store.GateQuestion{}); err != nil || gate.Level != presence.GateCaution || len(gate.StillThere) != 1 {
				t.Fatalf("in minute %d the gate is %+v, %v", n, gate, err)
			}
		}
	})
}

func TestSomebodyBusyWithoutInputIsStillThere(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		reports(t, s, 0, "ada", tokenA, store.Login{})
		if err := s.SetStatus(t.Context(), Start, "ada", presence.Claim{Status: presence.StatusBusy, Text: "Recording"}); err != nil {
			t.Fatal(err)
		}
		const n = day + 10
		if _, err := s.Touch(t.Context(), after(n), tokenA, store.Beat{Idle: time.Hour}); !errors.Is(err, store.ErrSessionEnded) {
			t.Fatal(err)
		}
		if gate, err := s.Gate(t.Context(), after(n), store.GateQuestion{}); err != nil || gate.Level != presence.GateCaution {
			t.Errorf("the gate is %+v, %v", gate, err)
		}
	})
}

func TestAnExpiredSessionThatIsToEndDoesNotComeBack(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *store.Store, store.LoginResult) error{
		"its application ends it": func(t *testing.T, s *store.Store, _ store.LoginResult) error {
			_, err := s.EndByToken(t.Context(), after(day), "shop", tokenA, presence.EndLogout)
			return err
		},
		"its application ends all": func(t *testing.T, s *store.Store, _ store.LoginResult) error {
			_, err := s.EndAll(t.Context(), after(day), Shop, "ada", "", presence.EndPasswordChanged)
			return err
		},
		"somebody revokes it": func(t *testing.T, s *store.Store, session store.LoginResult) error {
			_, err := s.Revoke(t.Context(), after(day), session.ID, store.Ending{Reason: presence.EndRevoked})
			return err
		},
	} {
		Each(t, func(t *testing.T, s *store.Store) {
			if err := end(t, s, reports(t, s, 0, "ada", tokenA, store.Login{})); err != nil {
				t.Fatal(err)
			}
			s.SetSlack(presence.Slack{Silent: time.Hour}) // after an outage nobody has expired for a while
			if _, err := s.Authenticate(t.Context(), after(day), tokenA); !errors.Is(err, store.ErrSessionEnded) {
				t.Errorf("where %s: %v", name, err)
			}
		})
	}
}

func TestADrainWaitsForWhoWorksAfterTheEndOfTheirSession(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		reports(t, s, 0, "ada", tokenA, store.Login{})
		if _, err := beats(t, s, 1, tokenA); err != nil {
			t.Fatal(err)
		}
		end := after(2)
		beginDrain(t, s, after(1), &end)
		if n, err := s.EndDrained(t.Context(), end); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		for n, still := range map[int]int{2: 1, 3: 1, 4: 0} {
			if left, err := s.CountDrained(t.Context(), after(n), after(1)); err != nil || left != (store.Drained{StillThere: still}) {
				t.Errorf("in minute %d it waits for %+v, %v", n, left, err)
			}
		}
	})
}
