package live

import (
	"context"
	"encoding/json"
	"time"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/presence"
)

const (
	maxEvents  = 500              // of one look; where more is new, the list is read sooner than they are
	resetEvery = 10 * time.Second // for a crowd
	tellEvery  = pollEvery / 2    // of one person: whoever changes all the time is told of less often
)

// changed is whom to look at, each once and in order, and what ended.
type changed struct {
	order   []string
	users   map[string]bool // by key
	keys    map[int64]bool
	ended   []store.Change
	erasure bool // of somebody
}

func changesOf(changes []store.Change) changed {
	n := changed{users: map[string]bool{}, keys: map[int64]bool{}}
	for _, c := range changes {
		n.add(c.UserID)
		if c.KeyID != 0 {
			n.keys[c.KeyID] = true
		}
		if c.SessionID != 0 && c.App != presence.PanelApp {
			n.ended = append(n.ended, c)
		}
		n.erasure = n.erasure || c.Erasure()
	}
	return n
}

func (n *changed) add(users ...string) {
	for _, user := range users {
		if user != "" && !n.users[user] {
			n.users[user] = true
			n.order = append(n.order, user)
		}
	}
}

// publishChanged looks at people and publishes what is new about them.
func (h *Hub) publishChanged(ctx context.Context, now time.Time, n changed) error {
	switch {
	case len(n.order) == 0:
		return nil
	case h.tracker.overLimit:
		h.publishReset(now)
		return nil
	}
	people, err := h.store.People(ctx, now, n.order)
	if err != nil {
		return err
	}
	events := append(endings(n.ended), h.tracker.differences(people, n.order, now)...)
	if h.tracker.tooMany() {
		h.tracker.lastJudged, h.tracker.lastReset = now, time.Time{} // in any case
		h.publishReset(now)
		return nil
	}
	if len(events) > maxEvents {
		events = []api.Event{{Type: "reset"}}
	}
	for _, m := range events {
		h.publish(m, now)
	}
	h.publishLevel(now)
	return nil
}

// publishLevel tells where the gate stands, where that is news, or who is not in the list stands in its way.
func (h *Hub) publishLevel(now time.Time) {
	t := &h.tracker
	if level := t.gate(); level != t.level || t.counts.Hidden() != t.hidden {
		t.level, t.hidden = level, t.counts.Hidden()
		h.publish(api.Event{Type: "gate", Level: level, Counts: new(api.Counts(t.counts))}, now)
	}
}

// publishReset has everybody read the list again, now and then.
func (h *Hub) publishReset(now time.Time) {
	if now.Sub(h.tracker.lastReset).Abs() >= resetEvery {
		h.tracker.lastReset = now
		h.publish(api.Event{Type: "reset"}, now)
	}
}

func endings(ended []store.Change) (events []api.Event) {
	for _, c := range ended {
		directory, id := store.SplitUserKey(c.UserID)
		events = append(events, api.Event{Type: "session_ended", UserID: id, Directory: directory, Reason: string(c.Reason),
			Session: &api.EndedSession{ID: api.ID(c.SessionID), App: c.App}})
	}
	return events
}

// differences compares people with what was told of them, in the given order of
// their keys. Whoever is not among them was deleted.
func (t *tracker) differences(people []store.OnlinePerson, order []string, now time.Time) (events []api.Event) {
	at := make(map[string]store.OnlinePerson, len(people))
	for _, p := range people {
		at[p.Key()] = p
	}
	for _, key := range order {
		p, ok := at[key]
		if !ok {
			directory, id := store.SplitUserKey(key)
			p = store.OnlinePerson{User: store.User{Directory: directory, ID: id}, Status: presence.StatusOffline, Left: presence.OfflineReason(presence.EndUserDeleted)}
		}
		if m, isNews := t.difference(p, now); isNews {
			events = append(events, m)
		}
	}
	return events
}

// difference remembers how a person looks now and returns what that is news of.
func (t *tracker) difference(person store.OnlinePerson, now time.Time) (m api.Event, isNews bool) {
	key := person.Key()
	before, wasOnline := t.online[key]
	waited := t.waiting[key] // a list that was read meanwhile may show what was not told, and is over
	delete(t.waiting, key)
	if person.Status == presence.StatusOffline {
		t.forget(key)
		return t.event("offline", person, now), wasOnline
	}
	after := t.look(person, now)
	switch {
	case !wasOnline:
		t.remember(key, after)
		return t.event("online", person, now), true
	case before.print == after.print && !waited:
		return m, false
	case time.Duration(after.at-before.at).Abs()*time.Millisecond < tellEvery:
		t.waiting[key] = true
		return m, false
	}
	t.remember(key, after)
	return t.event("updated", person, now), true
}

// event tells of a person, and of counts and level after what was looked at so far.
func (t *tracker) event(kind string, person store.OnlinePerson, now time.Time) api.Event {
	return api.Event{Type: kind, User: new(api.PersonOf(person, now)), Counts: new(api.Counts(t.counts)), Level: t.gate(), Reason: string(person.Left)}
}

func (h *Hub) publish(m api.Event, now time.Time) {
	m.Timestamp = api.At(now)
	if m.Type == "reset" {
		h.feed.resets.Add(1)
	}
	h.feed.publish(func(cursor string) []byte {
		m.Cursor = cursor
		text, _ := json.Marshal(m) // of texts and numbers only: can not fail
		return text
	})
}
