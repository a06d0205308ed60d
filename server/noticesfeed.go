package server

import (
	"context"
	"errors"
	"slices"
	"time"

	"rollcall/server/api"
	"rollcall/store"
)

// readAnnouncements returns what is on the board. Once a second it is read anew, for what
// ran out and for what somebody else wrote into the database.
func (h *hub) readAnnouncements(ctx context.Context, now time.Time) (up *announced, err error) {
	if h.announcementsDue {
		if err := h.announcements.refresh(ctx, now); err != nil {
			return nil, err
		}
		h.announcementsDue = false
	}
	up, h.changed, err = h.announcements.read(ctx, now)
	return up, err
}

// publishAnnouncements publishes what has come up on the board since it was told of last, and
// what has gone from it.
func (h *hub) publishAnnouncements(up *announced, now time.Time) {
	before := h.up
	if h.up = up; before == up {
		return
	}
	is, was := up.all(), before.all()
	for _, gone := range missing(was, is) {
		h.publish(api.Event{Type: "notice", Withdrawn: gone.ID}, now)
	}
	for _, fresh := range missing(is, was) {
		h.publish(api.Event{Type: "notice", Notice: &fresh}, now)
	}
}

// all is all that is shown to anybody.
func (p *announced) all() (list []api.ShownNotice) {
	if p.drain != nil {
		list = append(list, showDrain(*p.drain))
	}
	for _, n := range p.notices {
		list = append(list, showNotice(n))
	}
	return list
}

// missing are those of list that are not in other.
func missing(list, other []api.ShownNotice) (rest []api.ShownNotice) {
	for _, n := range list {
		if !slices.ContainsFunc(other, func(o api.ShownNotice) bool { return o.ID == n.ID }) {
			rest = append(rest, n)
		}
	}
	return rest
}

// recheckUsers has the sockets of end users look again at their sessions where the log of
// changes says that something is new about their person: one look at it for all of
// them, and none while there are none.
func (h *hub) recheckUsers(ctx context.Context) error {
	if h.userSockets.count() == 0 {
		h.userSeq = fromNow
		return nil
	}
	if h.userSeq == fromNow {
		return h.recheckUsersFromNow(ctx)
	}
	changes, err := h.store.Changes(ctx, h.userSeq, maxChanges)
	if errors.Is(err, store.ErrTooLate) {
		return h.recheckUsersFromNow(ctx)
	}
	if err != nil || len(changes) == 0 {
		return err
	}
	if slices.ContainsFunc(changes, store.Change.Erasure) {
		h.userSockets.recheckAll()
	}
	h.userSockets.recheckChanged(changesOf(changes, nil).users, nil)
	h.userSeq = changes[len(changes)-1].Seq
	if len(changes) == maxChanges { // there are more
		signal(h.userSockets.came)
	}
	return nil
}

func (h *hub) recheckUsersFromNow(ctx context.Context) error {
	last, err := h.store.LastChange(ctx) // first: who changes meanwhile looks again once more
	if err == nil {
		h.userSeq = last
		h.userSockets.recheckAll()
	}
	return err
}
