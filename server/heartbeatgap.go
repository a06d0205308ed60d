package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"rollcall/store"
)

// heartbeatGap is a time in which no heartbeat could be recorded: the server was down,
// its database out of reach or its disk full. Everybody would seem to have left
// then, and a deployment to be safe. So people count as they did before, until all
// who are there had the time to be heard of again.
type heartbeatGap struct {
	mu      sync.Mutex
	since   time.Time // zero: there was none of late
	refused time.Time // when a heartbeat was, last
	over    time.Time // zero: it goes on
}

// settling is how many heartbeats everybody has the time to be heard of in: pages
// try again within one.
const settling = 2

// tried notes that a heartbeat was tried, and how that ended.
func (q *heartbeatGap) tried(now time.Time, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrFull), errors.Is(err, store.ErrBusy):
		if q.since.IsZero() {
			q.since = now
		}
		q.refused, q.over = now, time.Time{}
	case err == nil && !q.since.IsZero() && q.over.IsZero():
		q.over = now
	}
}

// abandoned tells whether it goes on, but nobody tries to be heard of any more.
func (q *heartbeatGap) abandoned(now time.Time, heartbeat time.Duration) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.since.IsZero() && q.over.IsZero() && now.Sub(q.refused) >= settling*heartbeat
}

// restored notes that nobody had been heard of since before the start. Where it goes on,
// because heartbeats have been refused already, it has begun earlier than it seemed.
func (q *heartbeatGap) restored(since, started time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.since.IsZero() || !q.over.IsZero() {
		q.over = started
	}
	q.since = since
}

// length is for how long nobody could be heard of, 0 once that is history, or where
// it was not longer than a heartbeat: nobody times out by so little.
func (q *heartbeatGap) length(now time.Time, heartbeat time.Duration) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.since.IsZero():
		return 0
	case q.over.IsZero():
		return max(0, now.Sub(q.since))
	}
	length := q.over.Sub(q.since)
	if length <= heartbeat || now.Sub(q.over) >= settling*heartbeat {
		q.since, q.over = time.Time{}, time.Time{}
		return 0
	}
	return length
}

// restoreGap has those who were there when the server stopped count until they had the
// time to come back. It has to be called until it knows them: the database may be
// away at the start.
func (s *Server) restoreGap(ctx context.Context) error {
	if s.gapRestored.Load() {
		return nil
	}
	now := s.now()
	last, err := s.store.LastHeard(ctx)
	if err != nil {
		return err
	}
	s.gapRestored.Store(true)
	if last.IsZero() {
		return nil
	}
	s.heartbeatGap.restored(last, now)
	if silent := s.allowOutage(now); silent > 0 {
		s.log.Info().Time("since", last).Msg("nobody was heard of since; who was there before counts until everybody had the time to be heard of again")
	}
	return nil
}

// allowOutage tells the store of a silence, as long as it matters.
func (s *Server) allowOutage(now time.Time) time.Duration {
	silent := s.heartbeatGap.length(now, s.cfg.Heartbeat)
	s.store.AllowOutage(silent)
	return silent
}

// endHeartbeatGap looks whether heartbeats could be recorded again where none comes: whose
// was refused may have gone meanwhile. Of those who are there a heartbeat tells more,
// because a full disk has room for one write and not for the next.
func (s *Server) endHeartbeatGap(ctx context.Context) error {
	if err := s.restoreGap(ctx); err != nil {
		return err
	}
	now := s.now()
	s.allowOutage(now)
	if s.heartbeatGap.abandoned(now, s.cfg.Heartbeat) && s.store.TryWrite(ctx) == nil {
		s.heartbeatGap.tried(s.now(), nil)
	}
	return nil
}
