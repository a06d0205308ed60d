package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"rollcall/store"
)

// outage is the time while the database is out of reach. Much fails then, again
// and again: the log has one line when it begins and one when it is over.
type outage struct {
	log zerolog.Logger

	mu    sync.Mutex
	since time.Time // zero: there is none
}

// explains tells whether err is due to the outage, which begins with the first.
func (o *outage) explains(err error) bool {
	if !errors.Is(err, store.ErrUnavailable) {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		o.since = time.Now()
		o.log.Error().Err(err).Msg("the database is out of reach")
	}
	return true
}

func (o *outage) goesOn() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.since.IsZero()
}

func (o *outage) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.since.IsZero() {
		o.log.Info().Dur("after", time.Since(o.since)).Msg("the database is back")
		o.since = time.Time{}
	}
}

// endOutage looks whether the database can be read and written again. Only this
// ends an outage: while one that is read only is read, other things succeed.
func (s *Server) endOutage(ctx context.Context) error {
	if !s.outage.goesOn() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if s.store.Ping(ctx) == nil {
		s.outage.end()
	}
	return nil
}
