package server

import (
	"context"
	"errors"
	"hash/maphash"
	"maps"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"rollcall/server/api"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
)

const (
	pollEvery    = time.Second // for what happens by time alone
	pollTimeout  = 30 * time.Second
	pollRest     = 20 * time.Millisecond // between two looks, however much is written
	releaseAfter = time.Minute           // after the last reader has gone
	maxChanges   = 1000                  // of the log in one look; more are read in the next
	maxTracked   = 100_000               // people online, beyond which they are not told apart
	maxGone      = 64                    // erased at once, of whom it is told; of more everybody reads the list again
)

// hub finds out what changes in the list and publishes it, while somebody
// follows. It believes only the database: it reads there who changed, looks at
// them, and tells what is different from what it told before. So whatever wrote
// it, nothing is told twice, and nothing that came and went in between at all.
type hub struct {
	store         *store.Store
	now           func() time.Time
	log           zerolog.Logger
	outage        *web.Outage
	feed          *feed
	watchers      *watchers
	userSockets   *watchers // end users, who are told of their own session only
	announcements *announcements

	online       map[string]published // who was announced as online; nil while nobody follows
	limit        int                  // how many can be known
	overLimit    bool                 // there are more than that
	waiting      map[string]bool      // of whom too much was told just now
	counts       presence.Counts
	level        presence.GateLevel // that was told, or that follows from what was
	timeline     int64              // of the log that was read; see [store.Store.Era]
	lastSeq      int64              // last change read
	userSeq      int64              // and the last that was read for visitors; fromNow while there are none
	lastSweep    time.Time          // until when departures by time are announced
	due1s        bool               // it is time to see to what happens by time alone
	lastFollowed time.Time          // when the last reader was seen
	lastReset    time.Time          // last reset for a crowd
	erasure      bool               // of somebody was in what was read of the log last
	resets       chan struct{}
	erasures     chan []store.Change // who was erased, with their sessions

	up               *announced      // what was told of the board
	changed          <-chan struct{} // closed when the board has something else
	announcementsDue bool            // it is time to read it again
	seed             maphash.Seed
}

// published is what was last told of a person.
type published struct {
	print  uint64 // of all that is news when it changes
	status presence.Status
	at     int64 // when, in milliseconds
}

func newHub(st *store.Store, now func() time.Time, log zerolog.Logger, o *web.Outage, f *feed, ws, visitors *watchers, b *announcements) *hub {
	return &hub{store: st, now: now, log: log, outage: o, feed: f, watchers: ws, userSockets: visitors, announcements: b,
		limit: maxTracked, userSeq: fromNow, resets: make(chan struct{}, 1), erasures: make(chan []store.Change, maxGone), seed: maphash.MakeSeed()}
}

// reset has the hub begin again, because deadlines have moved.
func (h *hub) reset() { signal(h.resets) }

// erased has the feed forget somebody who was erased, and tell of it as of a
// deletion. The log of changes says nothing of them any more.
func (h *hub) erased(user string, sessions []store.Change) {
	h.feed.forget()
	h.userSockets.recheckAll()
	select {
	case h.erasures <- append(sessions, store.Change{UserID: user}):
		signal(h.watchers.came)
	default:
		h.reset()
	}
}

// signal leaves a mark on a channel of capacity 1.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run publishes until ctx ends.
func (h *hub) run(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.due1s, h.announcementsDue = true, true
		case <-h.store.Changed():
		case <-h.watchers.came:
		case <-h.userSockets.came:
		case <-h.changed:
		}
		if err := h.pollBriefly(ctx); err != nil && ctx.Err() == nil && !h.outage.Observe(err) {
			h.log.Error().Err(err).Msg("looking for changes in the list")
		}
		rest(ctx, pollRest)
	}
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// pollBriefly does not wait for ever for a database that has stopped answering.
func (h *hub) pollBriefly(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	return h.poll(ctx)
}

// poll finds and publishes what is new. After an error the next look does it all.
func (h *hub) poll(ctx context.Context) error {
	now := h.now()
	h.noticeTimeline()
	up, err := h.readAnnouncements(ctx, now)
	if err == nil {
		err = h.recheckUsers(ctx)
	}
	if err != nil {
		return err
	}
	if h.watchers.count() == 0 {
		h.release(now)
		return nil
	}
	h.lastFollowed = now
	if h.online == nil {
		h.up = up // whoever begins to follow reads what there is
		return h.begin(ctx, now)
	}
	h.publishAnnouncements(up, now)
	select {
	case <-h.resets:
		return h.begin(ctx, now)
	default:
	}
	return h.catchUp(ctx, now)
}

// fromNow stands for no change: what there was before is of no interest.
const fromNow = -1

// noticeTimeline has everything read anew where the log may be another one.
func (h *hub) noticeTimeline() {
	if era := h.store.Timeline(); era != h.timeline {
		h.timeline = era
		h.online, h.userSeq = nil, fromNow
	}
}

// release forgets everybody when nobody has followed for a while.
func (h *hub) release(now time.Time) {
	if h.online != nil && now.Sub(h.lastFollowed).Abs() > releaseAfter {
		h.online = nil
		h.feed.pause()
	}
}

// begin takes everybody who is online as known: at first, and after moments of which
// nobody can tell what happened. Whoever follows already reads the list again, and
// may have lost the right to.
func (h *hub) begin(ctx context.Context, now time.Time) error {
	h.online = nil                       // so that the next look begins where this one fails
	seen, err := h.store.LastChange(ctx) // first: who changes meanwhile is looked at again
	if err != nil {
		return err
	}
	h.online, h.waiting, h.counts, h.overLimit = map[string]published{}, map[string]bool{}, presence.Counts{}, false
	if err := h.loadOnline(ctx, now); err != nil {
		h.online = nil
		return err
	}
	h.drainErased() // they are not among everybody
	h.lastSeq, h.lastSweep, h.level = seen, now, h.gate()
	h.feed.begin()
	h.watchers.recheckAll()
	return nil
}

// loadOnline reads all who are online, as far as they can be known. By name,
// because then nobody moves between pages while they are read.
func (h *hub) loadOnline(ctx context.Context, now time.Time) error {
	filter := store.OnlineFilter{Sort: store.SortName, Limit: web.MaxLimit}
	for {
		page, err := h.store.Online(ctx, now, filter)
		if err != nil {
			return err
		}
		for _, p := range page.People {
			h.remember(p.ID, h.fingerprint(api.PersonOf(p, now), now.Add(-tellEvery)))
		}
		if h.overLimit = len(h.online) > h.limit; h.overLimit {
			clear(h.online)
			return nil
		}
		if filter.Cursor = page.Next; page.Next == "" {
			return nil
		}
	}
}

// catchUp publishes what the log and the clock say is new.
func (h *hub) catchUp(ctx context.Context, now time.Time) error {
	changes, err := h.store.Changes(ctx, h.lastSeq, maxChanges)
	if errors.Is(err, store.ErrTooLate) {
		return h.begin(ctx, now)
	}
	if err != nil {
		return err
	}
	due, err := h.due(ctx, now)
	if err != nil {
		return err
	}
	due = append(due, h.afterErasure()...)
	n := changesOf(append(h.drainErased(), changes...), due)
	if err := h.publishChanged(ctx, now, n); err != nil {
		return err
	}
	h.watchers.recheckChanged(n.users, n.keys)
	if h.due1s {
		h.due1s, h.lastSweep = false, now
	}
	if h.erasure = slices.ContainsFunc(changes, store.Change.Erasure); h.erasure {
		signal(h.watchers.came)
	}
	if len(changes) > 0 {
		h.lastSeq = changes[len(changes)-1].Seq
	}
	if len(changes) == maxChanges { // there are more
		signal(h.watchers.came)
	}
	return nil
}

// due returns about whom the log says nothing, once a second.
func (h *hub) due(ctx context.Context, now time.Time) ([]string, error) {
	if !h.due1s {
		return nil, nil
	}
	due, err := h.store.Due(ctx, h.lastSweep, now)
	if err != nil || h.overLimit {
		return due, err
	}
	return slices.AppendSeq(due, maps.Keys(h.waiting)), nil
}

// afterErasure returns whom to look at when somebody was erased, by another server
// perhaps, for the log does not say who: everybody. It is one look later, because
// of whom this server erased it is told more.
func (h *hub) afterErasure() []string {
	if !h.erasure {
		return nil
	}
	h.feed.forget()
	h.watchers.recheckAll()
	if len(h.online) > maxChanges {
		h.reset()
		return nil
	}
	return slices.Collect(maps.Keys(h.online))
}

// drainErased returns what is to be told of people who were erased. The feed forgets
// again: an entry may have been on its way while they were.
func (h *hub) drainErased() (gone []store.Change) {
	for {
		select {
		case changes := <-h.erasures:
			h.feed.forget()
			gone = append(gone, changes...)
		default:
			return gone
		}
	}
}
