package server

import (
	"context"
	"time"

	"rollcall/store"
)

// clockTolerance is how far a replica may be from the clock of the database's server.
// Two of them then differ by no more than they need to hear of each other.
const clockTolerance = time.Second

// keepTime has a replica go by the clock of the database's server. Else replicas would
// disagree about who is online, and the clean-up of one whose clock is a day ahead would
// log everybody out.
func (s *Server) keepTime(ctx context.Context) error {
	b, ahead, err := s.askBacking(ctx)
	if err != nil || b == nil || !s.clock.keepTo(-ahead.by, clockTolerance+ahead.within) {
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

// askBacking asks the database's server about itself; nil where the database is a file.
func (s *Server) askBacking(ctx context.Context) (*store.Backing, difference, error) {
	began := s.cfg.Now()
	b, err := s.store.Backing(ctx)
	if err != nil || b == nil {
		return nil, difference{}, err
	}
	within := s.cfg.Now().Sub(began) / 2
	return b, difference{began.Add(within).Sub(b.Clock), within}, nil
}
