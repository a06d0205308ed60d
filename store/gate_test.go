package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// TestTheGateAsksOnlyAboutWhoCounts has one active and one idle shop user, an
// active manager in the crm, and somebody in the panel.
func TestTheGateAsksOnlyAboutWhoCounts(t *testing.T) {
	s, now := New(t), Start
	in := func(app, id, role string) store.LoginResult {
		t.Helper()
		now = now.Add(time.Second)
		result, err := s.Login(t.Context(), now, store.By{App: app}, store.Login{User: store.UserInput{ID: id, Role: &role}})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	in("shop", "ada", "clerk")
	in("crm", "mia", "Manager")
	in(presence.PanelApp, "wanda", "")
	if _, err := s.Touch(t.Context(), now, in("shop", "ida", "clerk").Token, store.Beat{Idle: 10 * time.Minute}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ask  store.GateQuestion
		want string
	}{
		{store.GateQuestion{}, "hold [mia ada ida]"},
		{store.GateQuestion{Max: 1}, "hold [mia ada ida]"},
		{store.GateQuestion{Max: 2}, "caution [mia ada ida]"},
		{store.GateQuestion{IgnoreRole: "CLERK"}, "hold [mia]"},
		{store.GateQuestion{IgnoreRole: "manager"}, "hold [ada ida]"},
		{store.GateQuestion{App: "crm", IgnoreRole: "manager"}, "clear []"},
		{store.GateQuestion{App: "shop", Max: 1}, "caution [ada ida]"},
		{store.GateQuestion{App: "nothing"}, "caution []"},
		{store.GateQuestion{App: "nothing", IgnoreUnidentified: true}, "clear []"},
	} {
		gate, err := s.Gate(t.Context(), now, c.ask)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, p := range gate.Blocking {
			ids = append(ids, p.ID)
		}
		if got := fmt.Sprint(gate.Level, " ", ids); got != c.want {
			t.Errorf("%+v: %s, want %s", c.ask, got, c.want)
		}
	}
	until := Start.Add(time.Hour)
	if err := s.SetStatus(t.Context(), now, "ida", presence.Claim{App: "shop", Status: presence.StatusBusy, Until: &until}); err != nil {
		t.Fatal(err)
	}
	if gate, err := s.Gate(t.Context(), now, store.GateQuestion{Max: 9}); err != nil || gate.Level != presence.GateHold || gate.Blocking[0].ID != "ida" {
		t.Errorf("with ida busy: %s %+v, %v", gate.Level, gate.Blocking, err)
	}
}

func TestTheGateNamesABoundedNumberOfPeople(t *testing.T) {
	s := New(t)
	for i := range store.MaxBlocking + 5 {
		LogIn(t, s, Start, fmt.Sprint("u", i))
	}
	gate, err := s.Gate(t.Context(), Start, store.GateQuestion{})
	if err != nil || len(gate.Blocking) != store.MaxBlocking || gate.Counts.People() != store.MaxBlocking+5 {
		t.Errorf("%d of %d people are named, %v", len(gate.Blocking), gate.Counts.People(), err)
	}
}

func TestAnAnswerThatIsSharedIsNeverFromBeforeItsQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, answer, got := make(chan time.Time), make(chan int), make(chan int, 10)
		ask := store.ShareGate(func(_ context.Context, now time.Time, _ store.GateQuestion) (store.Gate, error) {
			begun <- now
			return store.Gate{Counts: presence.Counts{Available: <-answer}}, nil
		})
		asks := func(seconds int) {
			go func() {
				gate, _ := ask(t.Context(), Start.Add(time.Duration(seconds)*time.Second), store.GateQuestion{})
				got <- gate.Counts.Available
			}()
			synctest.Wait()
		}
		asks(0)
		if at := <-begun; !at.Equal(Start) {
			t.Errorf("the first is answered as of %v", at)
		}
		for seconds := range 4 { // while it is answered
			asks(4 - seconds)
		}
		answer <- 1
		if at := <-begun; !at.Equal(Start.Add(4 * time.Second)) {
			t.Errorf("the others are answered as of %v", at)
		}
		answer <- 2
		synctest.Wait()
		n := []int{<-got, <-got, <-got, <-got, <-got}
		if slices.Sort(n); !slices.Equal(n, []int{1, 2, 2, 2, 2}) {
			t.Errorf("answers: %v", n)
		}
	})
}

func TestTheGateIsAnsweredOnceForAllWhoDisturbAsManyAsTheyLike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answered := 0
		ask := store.ShareGate(func(context.Context, time.Time, store.GateQuestion) (store.Gate, error) {
			time.Sleep(time.Second)
			answered++
			return store.Gate{Counts: presence.Counts{Available: 100}}, nil
		})
		var asking sync.WaitGroup
		for i := range 200 {
			asking.Go(func() {
				gate, err := ask(t.Context(), Start, store.GateQuestion{Max: i, IgnoreRole: []string{"clerk", "Clerk"}[i%2]})
				want := presence.GateHold
				if i >= 100 {
					want = presence.GateCaution
				}
				if err != nil || gate.Level != want {
					t.Errorf("who may disturb %d is told %s, %v", i, gate.Level, err)
				}
			})
		}
		asking.Wait()
		if answered > 2 { // the second for those who asked while the first was being answered
			t.Errorf("it was answered %d times", answered)
		}
	})
}

func TestNobodyWaitsForTheQuestionsThatOthersAskTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ask := store.ShareGate(func(context.Context, time.Time, store.GateQuestion) (store.Gate, error) {
			time.Sleep(time.Second)
			return store.Gate{}, nil
		})
		var asking sync.WaitGroup
		for i := range 20 {
			asking.Go(func() {
				begun := time.Now()
				_, err := ask(t.Context(), Start, store.GateQuestion{App: fmt.Sprint("app", i)})
				took := time.Since(begun)
				if err != nil && (!errors.Is(err, sqldb.ErrBusy) || took != 5*time.Second) || took > 6*time.Second {
					t.Errorf("after %v: %v", took, err)
				}
			})
		}
		asking.Wait()
	})
}
