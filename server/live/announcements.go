package live

import (
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// announcements holds what there is to announce in memory, so that it costs a heartbeat
// nothing while there is nothing, and no question to the database while there is.
type announcements struct {
	store *store.Store
	wake  chan<- struct{} // of capacity 1: there is something else

	mu sync.Mutex // held by whoever reads the database
	up atomic.Pointer[posted]
}

// posted is what was read last.
type posted struct {
	*Announced               // nil until it was read first
	changed    chan struct{} // closed when it is replaced
}

// Announced is what there is to announce at one time.
type Announced struct {
	notices []store.Notice
	drain   *store.Drain // nil: none
}

func newAnnouncements(st *store.Store, wake chan<- struct{}) *announcements {
	b := &announcements{store: st, wake: wake}
	b.up.Store(&posted{changed: make(chan struct{})})
	return b
}

// Announced returns what there is to announce, as it was read last.
func (h *Hub) Announced(ctx context.Context, now time.Time) (*Announced, error) {
	up, _, err := h.announcements.read(ctx, now)
	return up, err
}

// RefreshAnnouncements reads what there is to announce, so that the next heartbeat
// and all sockets are told.
func (h *Hub) RefreshAnnouncements(ctx context.Context, now time.Time) error {
	return h.announcements.refresh(ctx, now)
}

// refresh reads what there is to announce, and tells those who wait for a change
// where that is something else than before.
func (b *announcements) refresh(ctx context.Context, now time.Time) error {
	b.mu.Lock() // in turn: what was read earlier must not replace what was read later
	defer b.mu.Unlock()
	notices, err := b.store.ActiveNotices(ctx, now)
	if err != nil {
		return err
	}
	p := &Announced{notices: notices}
	switch drain, err := b.store.Drain(ctx); {
	case err == nil:
		p.drain = &drain
	case !errors.Is(err, sqldb.ErrNotFound):
		return err
	}
	b.put(p)
	return nil
}

// put is for whoever holds mu.
func (b *announcements) put(p *Announced) {
	before := b.up.Load()
	if before.Announced != nil && before.same(p) {
		return
	}
	b.up.Store(&posted{p, make(chan struct{})})
	b.store.ForgetNotices()
	close(before.changed)
	signal(b.wake)
}

// read returns what there is to announce, and a channel that is closed when that is no
// longer so.
func (b *announcements) read(ctx context.Context, now time.Time) (*Announced, <-chan struct{}, error) {
	if up := b.up.Load(); up.Announced != nil {
		return up.Announced, up.changed, nil
	}
	if err := b.refresh(ctx, now); err != nil { // the first to ask
		return nil, nil, err
	}
	return b.read(ctx, now)
}

// same compares what may change: of a notice nothing does.
func (p *Announced) same(other *Announced) bool {
	return slices.EqualFunc(p.notices, other.notices, func(a, b store.Notice) bool { return a.ID == b.ID }) &&
		drainID(p.drain) == drainID(other.drain) && p.drained() == other.drained()
}

// Drain returns the drain that is under way, nil for none.
func (p *Announced) Drain() *store.Drain { return p.drain }

// drained tells whether a drain has ended the sessions.
func (p *Announced) drained() bool { return p.drain != nil && p.drain.SessionsEndedAt != nil }

// Empty tells whether there is nothing to announce.
func (p *Announced) Empty() bool { return len(p.notices) == 0 && p.drain == nil }

// ShownTo lists what is to be shown to the person of a session: the drain first,
// then the latest.
func (p *Announced) ShownTo(m store.Member, now time.Time) []api.ShownNotice {
	list := []api.ShownNotice{} // not nil: JSON must say [], never null
	if p.drain != nil && m.App != presence.PanelApp {
		d := showDrain(*p.drain)
		if store.Exempt(m.Role) {
			d.Until = nil // their sessions do not end
		}
		list = append(list, d)
	}
	for _, n := range p.notices {
		if n.For(m) && n.ActiveAt(now) {
			list = append(list, showNotice(n))
		}
	}
	return list
}

func showNotice(n store.Notice) api.ShownNotice {
	return api.ShownNotice{ID: api.ID(n.ID), Kind: "notice", Message: n.Message, Level: n.Level, Until: api.AtOptional(n.Until), CreatedAt: api.At(n.CreatedAt)}
}

func showDrain(d store.Drain) api.ShownNotice {
	return api.ShownNotice{ID: drainID(&d), Kind: "drain", Message: d.Message, Level: store.LevelWarning,
		Until: api.AtOptional(d.EndSessionsAt), CreatedAt: api.At(d.StartedAt)}
}

// drainID is another one whenever there is news in a drain, so that who has
// dismissed what it said before sees it again. "" for no drain.
func drainID(d *store.Drain) string {
	if d == nil {
		return ""
	}
	sum := fnv.New64a()
	sum.Write([]byte(d.Message + "\n" + api.At(d.StartedAt).String()))
	if d.EndSessionsAt != nil {
		sum.Write([]byte(api.At(*d.EndSessionsAt).String()))
	}
	return "drain-" + strconv.FormatUint(sum.Sum64(), 36)
}
