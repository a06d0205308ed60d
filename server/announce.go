package server

import (
	"context"
	"errors"
	"slices"
	"time"

	"rollcall/store"
)

// readBoard returns what is on the board. Once a second it is read anew, for what
// ran out and for what somebody else wrote into the database.
func (h *hub) readBoard(ctx context.Context, now time.Time) (up *posted, err error) {
	if h.boardDue {
		if err := h.board.refresh(ctx, now); err != nil {
			return nil, err
		}
		h.boardDue = false
	}
	up, h.changed, err = h.board.read(ctx, now)
	return up, err
}

// tellBoard publishes what has come up on the board since it was told of last, and
// what has gone from it.
func (h *hub) tellBoard(up *posted, now time.Time) {
	before := h.up
	if h.up = up; before == up {
		return
	}
	is, was := up.announced(), before.announced()
	for _, gone := range missing(was, is) {
		h.publish(liveMessage{Type: "notice", Withdrawn: gone.ID}, now)
	}
	for _, fresh := range missing(is, was) {
		h.publish(liveMessage{Type: "notice", Notice: &fresh}, now)
	}
}

// announced is all that is shown to anybody.
func (p *posted) announced() (list []shownNotice) {
	if p.drain != nil {
		list = append(list, showDrain(*p.drain))
	}
	for _, n := range p.notices {
		list = append(list, showNotice(n))
	}
	return list
}

// missing are those of list that are not in other.
func missing(list, other []shownNotice) (rest []shownNotice) {
	for _, n := range list {
		if !slices.ContainsFunc(other, func(o shownNotice) bool { return o.ID == n.ID }) {
			rest = append(rest, n)
		}
	}
	return rest
}

// heed has the sockets of end users look again at their sessions where the log of
// changes says that something is new about their person: one look at it for all of
// them, and none while there are none.
func (h *hub) heed(ctx context.Context) error {
	if h.visitors.count() == 0 {
		h.heeded = fromNow
		return nil
	}
	if h.heeded == fromNow {
		return h.heedFromNow(ctx)
	}
	changes, err := h.store.Changes(ctx, h.heeded, maxChanges)
	if errors.Is(err, store.ErrTooLate) {
		return h.heedFromNow(ctx)
	}
	if err != nil || len(changes) == 0 {
		return err
	}
	if slices.ContainsFunc(changes, store.Change.Erasure) {
		h.visitors.recheckAll()
	}
	h.visitors.recheckChanged(newsOf(changes, nil).users, nil)
	h.heeded = changes[len(changes)-1].Seq
	if len(changes) == maxChanges { // there are more
		signal(h.visitors.came)
	}
	return nil
}

func (h *hub) heedFromNow(ctx context.Context) error {
	last, err := h.store.LastChange(ctx) // first: who changes meanwhile looks again once more
	if err == nil {
		h.heeded = last
		h.visitors.recheckAll()
	}
	return err
}
