package store

import (
	"context"
	"time"
)

// probeFresh is how long what a probe of the writer found is good for: whoever
// asks often must not keep others from writing.
const probeFresh = time.Second

// probe is what the last look at a remote database's writer found.
type probe struct {
	turn  chan struct{} // of capacity 1: held by who reads or makes it
	at    time.Time
	found error
	after int64 // transactions that had been lost until then
}

// holds tells whether it needs no other look: a success is worth nothing once
// a transaction was lost after it.
func (p *probe) holds(lost int64) bool {
	return !p.at.IsZero() && time.Since(p.at) < probeFresh && (p.found != nil || p.after == lost)
}

// Ping tells whether the database can be read and still takes writes.
func (s *Store) Ping(ctx context.Context) error {
	select {
	case <-s.writer.broken:
		return ErrBroken
	default:
	}
	var one int
	err := s.read.QueryRowContext(ctx, `SELECT 1`).Scan(&one)
	if err != nil || s.engine.server == nil {
		return wrapErr("asking the database", err)
	}
	select {
	case s.probe.turn <- struct{}{}:
		defer func() { <-s.probe.turn }()
	case <-ctx.Done():
		return wrapErr("asking the database", ctx.Err())
	}
	lost := s.writer.failedCommits.Load()
	if s.probe.holds(lost) {
		return s.probe.found
	}
	found := s.takesWrites(ctx)
	if ctx.Err() == nil { // else it says more of who asks than of the database
		s.probe.at, s.probe.found, s.probe.after = time.Now(), found, lost
	}
	return found
}

// takesWrites writes, which is to say its transaction's mark, because a server
// that has become read only can be read as ever.
func (s *Store) takesWrites(ctx context.Context) error {
	job := emptyWrite(ctx)
	if err := s.writer.enqueue(job); err != nil {
		return err
	}
	select {
	case err := <-job.answer:
		return err
	case <-ctx.Done():
		return wrapErr("waiting for the writer", ctx.Err())
	}
}
