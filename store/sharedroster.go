package store

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// sharedRoster is the roster of a store. One question looks at it at a time, and for a moment.
type sharedRoster struct {
	store  *Store
	always bool          // also of a small database
	blocks bool          // lists of a small database are by blocks of activity, too
	large  atomic.Bool   // it was, and seldom gets smaller
	limit  int           // see maxRoster
	turn   chan struct{} // full while somebody uses what follows

	current *roster   // nil: it is to be read
	tooMany time.Time // when there were last; zero: there are not
	reading bool      // anew, behind the one that is in use
	drops   int       // how often it was to be forgotten
}

func newSharedRoster(s *Store) *sharedRoster {
	return &sharedRoster{store: s, limit: maxRoster, turn: make(chan struct{}, 1)}
}

// serves tells whether lists are to be answered from the roster, as far as there is one.
func (h *sharedRoster) serves(ctx context.Context) bool {
	if !h.large.Load() && h.store.db.IsLarge(ctx) {
		h.large.Store(true)
	}
	return h.always || h.large.Load()
}

// byBlocks tells whether lists by activity are by its blocks: once the database was found to be large. It asks nobody,
// because whoever asks may hold a connection.
func (h *sharedRoster) byBlocks() bool { return h.blocks || h.large.Load() }

// forget has the roster read anew: it names somebody who is to be forgotten.
func (h *sharedRoster) forget() {
	h.turn <- struct{}{}
	defer func() { <-h.turn }()
	h.current = nil
	h.drops++
}

// within lets choose look at the roster as of now, and then read look at the same instant, which others need
// not wait for. It returns ErrTooManyOnline where there are too many people for one.
func (h *sharedRoster) within(ctx context.Context, now time.Time, choose func(*sql.Tx, presence.Cutoffs, *roster) error, read func(*sql.Tx, presence.Cutoffs) error) error {
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	held := true
	release := func() {
		if held {
			held = false
			<-h.turn
		}
	}
	defer release()
	for tries := 0; ; tries++ {
		if err := h.prepare(ctx, now); err != nil {
			return err
		}
		h.store.settleAt(ctx, h.current.judged, h.store.at(now))
		err := h.store.db.Snapshot(ctx, func(look *sql.Tx) error {
			m := h.store.at(now)
			if err := h.current.catchUp(ctx, h.store, look, m); err != nil {
				return err
			}
			if err := choose(look, m, h.current); err != nil {
				return err
			}
			release()
			return read(look, m)
		})
		if !errors.Is(err, errStaleRoster) || tries == 2 {
			return err
		}
		h.current = nil
	}
}

// prepare makes sure that there is a roster.
func (h *sharedRoster) prepare(ctx context.Context, now time.Time) (err error) {
	if h.current != nil {
		if time.Since(h.current.read) > rosterAge {
			h.startRenewal(ctx, now)
		}
		return nil
	}
	if !h.tooMany.IsZero() {
		if time.Since(h.tooMany) > judgeAgain { // which takes a moment: nobody waits for it
			h.startRenewal(ctx, now)
		}
		return ErrTooManyOnline
	}
	if h.current, err = h.read(sqldb.Aside(ctx, false), now); errors.Is(err, ErrTooManyOnline) {
		h.tooMany = time.Now()
	}
	return err
}

// read reads the roster, as far as there are not too many people for one.
func (h *sharedRoster) read(ctx context.Context, now time.Time) (*roster, error) {
	ctx = sqldb.WithCaller(context.WithoutCancel(ctx), "")
	switch few, err := h.store.isFew(ctx, now); {
	case err != nil:
		return nil, err
	case !few:
		return nil, ErrTooManyOnline
	}
	return h.store.readRoster(ctx, now)
}

func (h *sharedRoster) startRenewal(ctx context.Context, now time.Time) {
	if !h.reading {
		h.reading = true
		go h.renew(ctx, now, h.drops)
	}
}

// renew reads the roster anew: whatever was changed in a way that no log tells is right again, and so is whether there
// are too many people for one.
func (h *sharedRoster) renew(ctx context.Context, now time.Time, drops int) {
	fresh, err := h.read(sqldb.Aside(ctx, true), now)
	h.turn <- struct{}{}
	defer func() { <-h.turn }()
	h.reading = false
	switch {
	case errors.Is(err, ErrTooManyOnline):
		h.current, h.tooMany = nil, time.Now()
	case err == nil && drops == h.drops:
		h.current, h.tooMany = fresh, time.Time{}
	}
}

// isFew tells whether a roster would not be of too many people. It counts by the index alone.
func (s *Store) isFew(ctx context.Context, now time.Time) (bool, error) {
	var n int
	err := s.db.Scan(ctx, []any{&n}, `SELECT COUNT(*) FROM (SELECT 1 FROM user_sessions WHERE is_active = true AND `+activityBlock+` >= $1 LIMIT $2) few`,
		presence.ActivityBlock(s.at(now).Window), s.roster.limit+1)
	return n <= s.roster.limit, err
}
