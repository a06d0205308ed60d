package store_test

import (
	"fmt"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
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
		{store.GateQuestion{App: "nothing"}, "clear []"},
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
