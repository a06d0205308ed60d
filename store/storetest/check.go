package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Check compares everything that the store says about presence with the model,
// and whether it told of everybody who looks different since the last Check.
func (w *World) Check(t *rapid.T) {
	w.checkList(t)
	w.checkGate(t, rapid.IntRange(0, 3).Draw(t, "allowed"))
	w.checkPeople(t)
	w.checkTold(t)
	w.checkTimes(t)
	if Pick(t, "explain", true, false, false, false, false) { // what it foretells is asked as of later, when nothing would wait any more
		w.checkExplained(t, Pick(t, "explained", users...))
	}
}

func (w *World) checkList(t *rapid.T) {
	counts := presence.Counts{StillThere: w.Model.StillThere(w.Now), Unidentified: w.Model.Unidentified(w.Now)}
	byStatus := map[presence.Status][]string{}
	for _, p := range w.Model.List(w.Now) {
		byStatus[""] = append(byStatus[""], Look(p))
		byStatus[p.Status] = append(byStatus[p.Status], Look(p))
		switch p.Status {
		case presence.StatusAvailable:
			counts.Available++
		case presence.StatusBusy:
			counts.Busy++
		case presence.StatusAway:
			counts.Away++
		}
	}
	for _, status := range []presence.Status{"", presence.StatusAvailable, presence.StatusBusy, presence.StatusAway} {
		page, err := w.Store.Online(context.Background(), w.Now, store.OnlineFilter{Status: status, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range page.People {
			got = append(got, LookOf(p))
		}
		if !slices.Equal(got, byStatus[status]) {
			t.Fatalf("at %v the list of %q is\n%s\nwant\n%s", w.Now, status, strings.Join(got, "\n"), strings.Join(byStatus[status], "\n"))
		}
		if status == "" && page.Counts != counts || page.Counts.People() != len(got) {
			t.Fatalf("at %v counts of %q: %+v, want %+v", w.Now, status, page.Counts, counts)
		}
	}
}

func (w *World) checkGate(t *rapid.T, allowed int) {
	var want []string
	active, level := 0, presence.GateClear
	if w.Model.StillThere(w.Now)+w.Model.Unidentified(w.Now) > 0 {
		level = presence.GateCaution
	}
	for _, status := range []presence.Status{presence.StatusBusy, presence.StatusAvailable, presence.StatusAway} {
		for _, p := range w.Model.List(w.Now) {
			if p.Status != status {
				continue
			}
			want = append(want, Look(p))
			if status == presence.StatusAvailable {
				active++
			}
			if level == presence.GateClear {
				level = presence.GateCaution
			}
			if status == presence.StatusBusy || active > allowed {
				level = presence.GateHold
			}
		}
	}
	gate, err := w.Store.Gate(context.Background(), w.Now, store.GateQuestion{Max: allowed})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range gate.Blocking {
		got = append(got, LookOf(p))
	}
	if listed := len(gate.Unidentified); listed != w.Model.Unidentified(w.Now) {
		t.Fatalf("at %v the gate names %d who are unidentified, want %d", w.Now, listed, w.Model.Unidentified(w.Now))
	}
	if gate.Level != level || !slices.Equal(got, want) || gate.Counts.People() != len(want) {
		t.Fatalf("at %v the gate with %d allowed says %s of %+v because of\n%s\nwant %s because of\n%s",
			w.Now, allowed, gate.Level, gate.Counts, strings.Join(got, "\n"), level, strings.Join(want, "\n"))
	}
}

func (w *World) checkPeople(t *rapid.T) {
	people, err := w.Store.People(context.Background(), w.Now, append(users[:len(users):len(users)], "nobody"))
	if err != nil || len(people) != len(w.Model.Users) {
		t.Fatalf("%d people, %v; want %d", len(people), err, len(w.Model.Users))
	}
	for _, p := range people {
		want := w.Model.Person(p.ID, w.Now)
		if LookOf(p) != Look(want) || p.DecidedBy != want.Rule {
			t.Fatalf("at %v got %s by %s, want %s by %s", w.Now, LookOf(p), p.DecidedBy, Look(want), want.Rule)
		}
		reasons := w.Model.Left(p.ID)
		if p.Status != presence.StatusOffline || len(reasons) == 0 {
			reasons = []presence.OfflineReason{""}
		}
		if !slices.Contains(reasons, p.Left) {
			t.Fatalf("at %v %s is offline because of %q, want %q", w.Now, p.ID, p.Left, reasons)
		}
	}
}

// checkTimes holds what is known of each session against the model.
func (w *World) checkTimes(t *rapid.T) {
	times := func(id int64, activity, expires, input time.Time) string {
		return fmt.Sprintf("%d active %v, input %v, expires %v", id, activity.UTC(), input.UTC(), expires.UTC())
	}
	var got, want []string
	for _, app := range []string{"", presence.PanelApp} {
		page, err := w.Store.Sessions(context.Background(), w.Now, store.SessionFilter{State: store.ScopeAll, App: app, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Sessions {
			got = append(got, times(s.ID, s.LastActivity, s.ExpiresAt, s.LastInput))
		}
	}
	for _, s := range w.Model.Sessions {
		want = append(want, times(s.ID, s.LastActivity, s.Expires, s.LastActivity.Add(-s.Idle)))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("at %v the sessions are\n%s\nwant\n%s", w.Now, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// checkExplained holds the explanation against the list, and what it foretells
// against what it says then.
func (w *World) checkExplained(t *rapid.T, user string) {
	e, err := w.Store.Explain(context.Background(), w.Now, user)
	if errors.Is(err, sqldb.ErrNotFound) && !w.Model.Users[user] {
		return
	}
	if want := w.Model.Person(user, w.Now); err != nil || LookOf(e.OnlinePerson) != Look(want) {
		t.Fatalf("at %v it explains %s, %v; the list has %s", w.Now, LookOf(e.OnlinePerson), err, Look(want))
	}
	for _, s := range e.States {
		if online := slices.ContainsFunc(e.Sessions, func(o store.OnlineSession) bool { return o.ID == s.ID }); online != (s.State == presence.StateOnline) {
			t.Fatalf("at %v session %d is explained as %s, online in the list: %v", w.Now, s.ID, s.State, online)
		}
		if s.Why.Cause == "" {
			t.Fatalf("no cause for %+v", s)
		}
		if s.Next == nil {
			continue
		}
		if beat := s.LastActivity; beat.After(w.Now) && beat.Before(s.Next.At) && w.stateAt(t, user, s.ID, beat.UnixMilli()) != s.State {
			t.Fatalf("at %v session %d is foretold to be %s at %v, but is another already at %v", w.Now, s.ID, s.Next.State, s.Next.At, beat)
		}
		before := w.stateAt(t, user, s.ID, s.Next.At.UnixMilli()-1)
		if then := w.stateAt(t, user, s.ID, s.Next.At.UnixMilli()); before != s.State || then != s.Next.State || !s.Next.At.After(w.Now) {
			t.Fatalf("at %v session %d is %s, and foretold to be %s at %v; just before that it is %s, and then %s",
				w.Now, s.ID, s.State, s.Next.State, s.Next.At, before, then)
		}
	}
}

func (w *World) stateAt(t *rapid.T, user string, id, at int64) presence.SessionState {
	e, err := w.Store.Explain(context.Background(), time.UnixMilli(at).UTC(), user)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(e.States, func(s store.ExplainedSession) bool { return s.ID == id })
	return e.States[i].State
}

// checkTold tells whether who looks different was named: by the log of changes,
// or as due.
func (w *World) checkTold(t *rapid.T) {
	changes, err := w.Store.Changes(context.Background(), w.seq, 1000)
	if err != nil {
		t.Fatal(err)
	}
	told, err := w.Store.Due(context.Background(), w.then, w.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		told, w.seq = append(told, c.UserID), c.Seq
	}
	for _, user := range users {
		look := Look(w.Model.Person(user, w.Now))
		if old, ok := w.shown[user]; ok && look != old && !slices.Contains(told, user) {
			t.Fatalf("from %v to %v %s changed from %s to %s, and nobody was told", w.then, w.Now, user, old, look)
		}
		w.shown[user] = look
	}
	w.then = w.Now
}

// Look is what everybody can see of a person, but for times that every
// heartbeat moves.
func Look(p ModelPerson) string {
	look := fmt.Sprintf("%s %s %q until %d:", p.ID, p.Status, p.Text, max(p.Until.UnixMilli(), 0))
	if len(p.Sessions) > 0 {
		look += fmt.Sprintf(" shown by %d,", p.Shown().ID)
	}
	return look + sorted(func(yield func(string) bool) {
		for _, s := range p.Sessions {
			yield(fmt.Sprintf(" %d %s %q idle %v", s.ID, s.App, s.Page, s.Idle >= 5*60e9))
		}
	})
}

// LookOf is the same of what the store says.
func LookOf(p store.OnlinePerson) string {
	until := int64(0)
	if p.StatusUntil != nil {
		until = p.StatusUntil.UnixMilli()
	}
	look := fmt.Sprintf("%s %s %q until %d:", p.ID, p.Status, p.StatusText, until)
	if len(p.Sessions) > 0 {
		look += fmt.Sprintf(" shown by %d,", p.Shown().ID)
	}
	return look + sorted(func(yield func(string) bool) {
		for _, s := range p.Sessions {
			yield(fmt.Sprintf(" %d %s %q idle %v", s.ID, s.App, s.Page, s.Idle))
		}
	})
}

func sorted(lines iter.Seq[string]) string { return strings.Join(slices.Sorted(lines), ",") }
