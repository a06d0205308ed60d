// Package live tells whoever follows what changes: panels and programs the list of who is
// online, and everybody's own browser what concerns their session. What changed it learns
// from the store's log of changes and from the clock. It does not know who may follow, nor
// how a request says who sends it.
package live

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"rollcall/server/web"
	"rollcall/store"
)

const (
	pollEvery    = time.Second // for what happens by time alone
	pollTimeout  = 30 * time.Second
	pollRest     = 20 * time.Millisecond // between two looks, however much is written
	releaseAfter = time.Minute           // after the last reader of the list has gone
	goodbyeWait  = 1 * time.Second       // for all sockets, when the server stops
)

// Config is what a hub needs to know.
type Config struct {
	Store    *store.Store
	Now      func() time.Time
	Log      zerolog.Logger
	Troubles *web.Troubles
	Limits   Limits                       // zero: DefaultLimits
	Networks func(*http.Request) []string // that a request comes from, the smallest first; nil: all from one
}

// Hub finds out what changes and tells it to open sockets. It believes only the database:
// it reads there who changed, looks at them, and tells what is different from what it told
// before. So whatever wrote it, nothing is told twice, and nothing that came and went in
// between at all.
type Hub struct {
	store    *store.Store
	now      func() time.Time
	log      zerolog.Logger
	troubles *web.Troubles

	feed          *feed
	readers       *watchers // of the list
	userSockets   *watchers // of end users, who are told of their own session only
	announcements *announcements
	wake          chan struct{} // of capacity 1: something has happened in this process
	restart       atomic.Bool   // what was told may be wrong
	tracker       tracker       // only Run touches it

	limits   Limits
	places   places // that sockets take of the limits
	networks func(*http.Request) []string
	sockets  sync.WaitGroup  // that are open
	ending   context.Context // of all sockets
	end      context.CancelFunc
}

// New returns a hub that does nothing before it runs.
func New(cfg Config) *Hub {
	if cfg.Limits == (Limits{}) {
		cfg.Limits = DefaultLimits()
	}
	if cfg.Networks == nil {
		cfg.Networks = func(*http.Request) []string { return []string{"local"} }
	}
	wake := make(chan struct{}, 1)
	h := &Hub{store: cfg.Store, now: cfg.Now, log: cfg.Log, troubles: cfg.Troubles,
		feed: newFeed(), readers: newWatchers("list", wake), userSockets: newWatchers("own", wake), announcements: newAnnouncements(cfg.Store, wake),
		wake: wake, tracker: newTracker(), limits: cfg.Limits, places: places{taken: map[string]int{}}, networks: cfg.Networks}
	h.ending, h.end = context.WithCancel(context.Background())
	return h
}

// signal leaves a mark on a channel of capacity 1.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run looks for changes until ctx ends.
func (h *Hub) Run(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.tracker.tick()
		case <-h.store.DB().Changed():
		case <-h.wake:
		}
		if err := h.pollBriefly(ctx); err != nil && ctx.Err() == nil && !h.troubles.Observe(err) {
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
func (h *Hub) pollBriefly(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	return h.poll(ctx)
}

// Stop tells all sockets that the server stops, and waits for those that listen.
func (h *Hub) Stop() {
	h.end()
	closed := make(chan struct{})
	go func() { h.sockets.Wait(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(goodbyeWait):
	}
}

// Reset has the readers begin again, because deadlines have moved.
func (h *Hub) Reset() {
	h.restart.Store(true)
	signal(h.wake)
}

// Cursor is the place behind the newest event of the list, "" while nobody follows. A
// list that is read afterwards shows at least all that was told up to there.
func (h *Hub) Cursor() string { return h.feed.cursor() }

// Stats are figures about the list's feed.
type Stats struct {
	Sockets int    // that are open
	Events  uint64 // since the start
	Resets  uint64 // how often readers were told to read the list again
}

// Stats returns the figures as of now.
func (h *Hub) Stats() Stats {
	return Stats{Sockets: h.readers.count(), Events: h.feed.published.Load(), Resets: h.feed.resets.Load()}
}
