package live

import (
	"context"
	"slices"
	"time"

	"rollcall/server/api"
)

// readAnnouncements returns what there is to announce. Once a second it is read anew, for
// what ran out and for what somebody else wrote into the database.
func (h *Hub) readAnnouncements(ctx context.Context, now time.Time) (*Announced, error) {
	if h.tracker.announcementsDue {
		if err := h.announcements.refresh(ctx, now); err != nil {
			return nil, err
		}
		h.tracker.announcementsDue = false
	}
	return h.Announced(ctx, now)
}

// publishAnnouncements publishes what is announced since the readers were told last, and
// what no longer is.
func (h *Hub) publishAnnouncements(up *Announced, now time.Time) {
	before := h.tracker.announced
	if h.tracker.announced = up; before == up {
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
func (p *Announced) all() (list []api.ShownNotice) {
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
