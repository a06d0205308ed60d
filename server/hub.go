package server

import (
	"context"
	"errors"
	"hash/maphash"
	"maps"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"rollcall/store"
)

const (
	lookEvery   = time.Second // for what happens by time alone
	lookTimeout = 30 * time.Second
	lookRest    = 20 * time.Millisecond // between two looks, however much is written
	lateCommit  = 2 * time.Second       // how much later than its time a heartbeat is seen at most
	linger      = time.Minute           // after the last reader has gone
	maxChanges  = 1000                  // of the log in one look; more are read in the next
	maxTracked  = 100_000               // people online, beyond which they are not told apart
	maxGone     = 64                    // erased at once, of whom it is told; of more everybody reads the list again
)

// hub finds out what changes in the list and publishes it, while somebody
// follows. It believes only the database: it reads there who changed, looks at
// them, and tells what is different from what it told before. So whatever wrote
// it, nothing is told twice, and nothing that came and went in between at all.
type hub struct {
	store    *store.Store
	now      func() time.Time
	log      zerolog.Logger
	outage   *outage
	feed     *feed
	watchers *watchers
	visitors *watchers // end users, who are told of their own session only
	board    *board

	known   map[string]shown // who was announced as online; nil while nobody follows
	limit   int              // how many can be known
	crowded bool             // there are more than that
	waiting map[string]bool  // of whom too much was told just now
	counts  counts
	level   store.GateLevel // that was told, or that follows from what was
	era     int64           // of the log that was read; see [store.Store.Era]
	seen    int64           // last change read
	heeded  int64           // and the last that was read for visitors; fromNow while there are none
	swept   time.Time       // until when departures by time are announced
	ticked  bool            // it is time to see to what happens by time alone
	left    time.Time       // when the last reader was seen
	told    time.Time       // last reset for a crowd
	erasure bool            // of somebody was in what was read of the log last
	doubts  chan struct{}
	gone    chan []store.Change // who was erased, with their sessions

	up       *posted         // what was told of the board
	changed  <-chan struct{} // closed when the board has something else
	boardDue bool            // it is time to read it again
	seed     maphash.Seed
}

// shown is what was last told of a person.
type shown struct {
	print  uint64 // of all that is news when it changes
	status store.Status
	told   int64 // when, in milliseconds
}

func newHub(st *store.Store, now func() time.Time, log zerolog.Logger, o *outage, f *feed, ws, visitors *watchers, b *board) *hub {
	return &hub{store: st, now: now, log: log, outage: o, feed: f, watchers: ws, visitors: visitors, board: b,
		limit: maxTracked, heeded: fromNow, doubts: make(chan struct{}, 1), gone: make(chan []store.Change, maxGone), seed: maphash.MakeSeed()}
}

// doubt has the hub begin again, because deadlines have moved.
func (h *hub) doubt() { signal(h.doubts) }

// erased has the feed forget somebody who was erased, and tell of it as of a
// deletion. The log of changes says nothing of them any more.
func (h *hub) erased(user string, sessions []store.Change) {
	h.feed.forget()
	h.visitors.recheckAll()
	select {
	case h.gone <- append(sessions, store.Change{UserID: user}):
		signal(h.watchers.came)
	default:
		h.doubt()
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
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.ticked, h.boardDue = true, true
		case <-h.store.Committed():
		case <-h.watchers.came:
		case <-h.visitors.came:
		case <-h.changed:
		}
		if err := h.lookBriefly(ctx); err != nil && ctx.Err() == nil && !h.outage.explains(err) {
			h.log.Error().Err(err).Msg("looking for changes in the list")
		}
		rest(ctx, lookRest)
	}
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// lookBriefly does not wait for ever for a database that has stopped answering.
func (h *hub) lookBriefly(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return h.look(ctx)
}

// look finds and publishes what is new. After an error the next look does it all.
func (h *hub) look(ctx context.Context) error {
	now := h.now()
	h.noticeEra()
	up, err := h.readBoard(ctx, now)
	if err == nil {
		err = h.heed(ctx)
	}
	if err != nil {
		return err
	}
	if h.watchers.count() == 0 {
		h.relax(now)
		return nil
	}
	h.left = now
	if h.known == nil {
		h.up = up // whoever begins to follow reads what there is
		return h.begin(ctx, now)
	}
	h.tellBoard(up, now)
	select {
	case <-h.doubts:
		return h.begin(ctx, now)
	default:
	}
	return h.catchUp(ctx, now)
}

// fromNow stands for no change: what there was before is of no interest.
const fromNow = -1

// noticeEra has everything read anew where the log may be another one.
func (h *hub) noticeEra() {
	if era := h.store.Era(); era != h.era {
		h.era = era
		h.known, h.heeded = nil, fromNow
	}
}

// relax forgets everybody when nobody has followed for a while.
func (h *hub) relax(now time.Time) {
	if h.known != nil && now.Sub(h.left).Abs() > linger {
		h.known = nil
		h.feed.pause()
	}
}

// begin takes everybody who is online as known: at first, and after moments of which
// nobody can tell what happened. Whoever follows already reads the list again, and
// may have lost the right to.
func (h *hub) begin(ctx context.Context, now time.Time) error {
	h.known = nil                        // so that the next look begins where this one fails
	seen, err := h.store.LastChange(ctx) // first: who changes meanwhile is looked at again
	if err != nil {
		return err
	}
	h.known, h.waiting, h.counts, h.crowded = map[string]shown{}, map[string]bool{}, counts{}, false
	if err := h.meetEverybody(ctx, now); err != nil {
		h.known = nil
		return err
	}
	h.takeGone() // they are not among everybody
	h.seen, h.swept, h.level = seen, now, h.gate()
	h.feed.begin()
	h.watchers.recheckAll()
	return nil
}

// meetEverybody reads all who are online, as far as they can be known. By name,
// because then nobody moves between pages while they are read.
func (h *hub) meetEverybody(ctx context.Context, now time.Time) error {
	filter := store.OnlineFilter{Sort: store.SortName, Limit: maxLimit}
	for {
		page, err := h.store.Online(ctx, now, filter)
		if err != nil {
			return err
		}
		for _, p := range page.People {
			h.remember(p.ID, h.looks(answerPerson(p, now), now.Add(-tellEvery)))
		}
		if h.crowded = len(h.known) > h.limit; h.crowded {
			clear(h.known)
			return nil
		}
		if filter.Cursor = page.Next; page.Next == "" {
			return nil
		}
	}
}

// catchUp publishes what the log and the clock say is new.
func (h *hub) catchUp(ctx context.Context, now time.Time) error {
	changes, err := h.store.Changes(ctx, h.seen, maxChanges)
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
	n := newsOf(append(h.takeGone(), changes...), due)
	if err := h.tell(ctx, now, n); err != nil {
		return err
	}
	h.watchers.recheckChanged(n.users, n.keys)
	if h.ticked {
		h.ticked, h.swept = false, now
	}
	if h.erasure = slices.ContainsFunc(changes, store.Change.Erasure); h.erasure {
		signal(h.watchers.came)
	}
	if len(changes) > 0 {
		h.seen = changes[len(changes)-1].Seq
	}
	if len(changes) == maxChanges { // there are more
		signal(h.watchers.came)
	}
	return nil
}

// due returns about whom the log says nothing, once a second.
func (h *hub) due(ctx context.Context, now time.Time) ([]string, error) {
	if !h.ticked {
		return nil, nil
	}
	due, err := h.store.Due(ctx, h.swept, now)
	if err != nil || h.crowded {
		return due, err
	}
	due = slices.AppendSeq(due, maps.Keys(h.waiting))
	alternating, err := h.store.Alternating(ctx, h.swept.Add(-lateCommit))
	return append(due, alternating...), err
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
	if len(h.known) > maxChanges {
		h.doubt()
		return nil
	}
	return slices.Collect(maps.Keys(h.known))
}

// takeGone returns what is to be told of people who were erased. The feed forgets
// again: an entry may have been on its way while they were.
func (h *hub) takeGone() (gone []store.Change) {
	for {
		select {
		case changes := <-h.gone:
			h.feed.forget()
			gone = append(gone, changes...)
		default:
			return gone
		}
	}
}
