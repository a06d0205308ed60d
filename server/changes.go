package server

import (
	"context"
	"encoding/json"
	"hash/maphash"
	"slices"
	"strings"
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
	order []string
	users map[string]bool
	keys  map[int64]bool
	ended []store.Change
}

func changesOf(changes []store.Change, due []string) changed {
	n := changed{users: map[string]bool{}, keys: map[int64]bool{}}
	for _, c := range changes {
		n.add(c.UserID)
		if c.KeyID != 0 {
			n.keys[c.KeyID] = true
		}
		if c.SessionID != 0 && c.App != store.PanelApp {
			n.ended = append(n.ended, c)
		}
	}
	for _, user := range due {
		n.add(user)
	}
	return n
}

func (n *changed) add(user string) {
	if user != "" && !n.users[user] {
		n.users[user] = true
		n.order = append(n.order, user)
	}
}

// publishChanged looks at people and publishes what is new about them.
func (h *hub) publishChanged(ctx context.Context, now time.Time, n changed) error {
	switch {
	case len(n.order) == 0:
		return nil
	case h.overLimit:
		h.publishReset(now)
		return nil
	}
	people, err := h.store.People(ctx, now, n.order)
	if err != nil {
		return err
	}
	events := append(endings(n.ended), h.differences(people, n.order, now)...)
	if len(events) > maxEvents {
		events = []api.Event{{Type: "reset"}}
	}
	if level := h.gate(); level != h.level {
		h.level = level
		events = append(events, api.Event{Type: "gate", Level: level, Counts: h.counted()})
	}
	for _, m := range events {
		h.publish(m, now)
	}
	return nil
}

// publishReset has everybody read the list again, now and then.
func (h *hub) publishReset(now time.Time) {
	if now.Sub(h.lastReset).Abs() >= resetEvery {
		h.lastReset = now
		h.publish(api.Event{Type: "reset"}, now)
	}
}

func endings(ended []store.Change) (events []api.Event) {
	for _, c := range ended {
		events = append(events, api.Event{Type: "session_ended", UserID: c.UserID, Reason: string(c.Reason),
			Session: &api.EndedSession{ID: api.ID(c.SessionID), App: c.App}})
	}
	return events
}

// differences compares people with what was told of them, in the given order of
// their ids. Whoever is not among them was deleted.
func (h *hub) differences(people []store.OnlinePerson, order []string, now time.Time) (events []api.Event) {
	at := make(map[string]store.OnlinePerson, len(people))
	for _, p := range people {
		at[p.ID] = p
	}
	for _, id := range order {
		p, ok := at[id]
		if !ok {
			p = store.OnlinePerson{User: store.User{ID: id}, Status: presence.StatusOffline, Left: presence.OfflineReason(presence.EndUserDeleted)}
		}
		if m, isNews := h.difference(p, now); isNews {
			events = append(events, m)
		}
	}
	return events
}

// difference remembers how a person looks now and returns what that is news of.
func (h *hub) difference(p store.OnlinePerson, now time.Time) (m api.Event, isNews bool) {
	before, wasOnline := h.online[p.ID]
	delete(h.waiting, p.ID)
	user := api.PersonOf(p, now)
	m.User = &user
	if p.Status == presence.StatusOffline {
		h.forget(p.ID)
		m.Type, m.Reason, m.Counts = "offline", string(p.Left), h.counted()
		return m, wasOnline
	}
	after := h.fingerprint(user, now)
	switch {
	case wasOnline && before.print == after.print:
		return m, false
	case wasOnline && time.Duration(after.at-before.at).Abs()*time.Millisecond < tellEvery:
		h.waiting[p.ID] = true
		return m, false
	}
	h.remember(p.ID, after)
	m.Type, m.Counts = "updated", h.counted()
	if !wasOnline {
		m.Type = "online"
	}
	return m, true
}

// gate is what the gate says where nobody may be disturbed.
func (h *hub) gate() presence.GateLevel { return h.counts.Level(0) }

// counted is how many people are online after what was looked at so far.
func (h *hub) counted() *api.Counts { return new(api.Counts(h.counts)) }

// countOf is the count of people with a status, which is not offline.
func (h *hub) countOf(status presence.Status) *int {
	switch status {
	case presence.StatusAvailable:
		return &h.counts.Available
	case presence.StatusBusy:
		return &h.counts.Busy
	}
	return &h.counts.Away
}

func (h *hub) remember(id string, s published) {
	h.forget(id)
	h.online[id] = s
	*h.countOf(s.status)++
}

func (h *hub) forget(id string) {
	if s, ok := h.online[id]; ok {
		*h.countOf(s.status)--
		delete(h.online, id)
	}
}

// fingerprint is what to remember of an entry that is told now. That somebody is still
// there would be no news.
func (h *hub) fingerprint(user api.Person, now time.Time) published {
	user.LastActivityAt, user.SessionDurationMinutes = api.Time{}, 0
	sessions := make([]api.OnlineSession, len(user.Sessions))
	for i, session := range user.Sessions {
		session.LastActivityAt, session.ExpiresAt = api.Time{}, api.Time{}
		sessions[i] = session
	}
	slices.SortFunc(sessions, func(a, b api.OnlineSession) int { return strings.Compare(a.ID, b.ID) })
	user.Sessions = sessions
	text, _ := json.Marshal(user) // of texts and numbers only: can not fail
	return published{print: maphash.Bytes(h.seed, text), status: user.Status, at: now.UnixMilli()}
}

func (h *hub) publish(m api.Event, now time.Time) {
	m.Timestamp = api.At(now)
	if m.Type == "reset" {
		h.feed.resets.Add(1)
	}
	h.feed.publish(func(cursor string) []byte {
		m.Cursor = cursor
		text, _ := json.Marshal(m) // likewise
		return text
	})
}
