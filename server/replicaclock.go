package server

import (
	"context"
	"time"
)

// clockTolerance is how far a replica may be from the clock of the database's server.
// Two of them then differ by no more than they need to hear of each other.
const clockTolerance = time.Second

// syncClock has a replica go by the clock of the database's server. Else replicas would
// disagree about who is online, and the clean-up of one whose clock is a day ahead would
// log everybody out.
func (s *Server) syncClock(ctx context.Context) error {
	s.clockMu.Lock() // in turn: what was measured earlier must not replace what was measured later
	defer s.clockMu.Unlock()
	ahead, err := s.aheadOfDatabase(ctx)
	if err != nil || ahead == nil || !s.clock.follow(-ahead.by, clockTolerance+ahead.within) {
		return err
	}
	if ahead.surely(clockTolerance) {
		s.log.Warn().Dur("ahead", ahead.by).Msg("this machine's clock is not PostgreSQL's, which counts; see rollcall doctor")
	} else {
		s.log.Info().Msg("this machine's clock agrees with PostgreSQL's")
	}
	return nil
}

// difference is how far this machine's clock is ahead of another, as measured.
type difference struct {
	by     time.Duration // negative: behind
	within time.Duration // more or less
}

// surely tells whether it is more than that, either way.
func (d difference) surely(tolerance time.Duration) bool { return d.by.Abs() > tolerance+d.within }

// aheadOfDatabase compares this machine's clock with that of the database's server; nil
// where the database is a file. It goes by what the clock shows only, so that one that is
// set meanwhile makes the answer vague instead of wrong.
func (s *Server) aheadOfDatabase(ctx context.Context) (*difference, error) {
	began := s.cfg.Now().Round(0)
	there, err := s.store.Clock(ctx)
	if err != nil || there.IsZero() {
		return nil, err
	}
	half := s.cfg.Now().Round(0).Sub(began) / 2
	return &difference{by: began.Add(half).Sub(there), within: half.Abs()}, nil
}
