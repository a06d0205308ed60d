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
	since time.Time
	over  chan struct{} // closed when it is; nil: there is none
}

// observe tells whether err is due to the outage, which begins with the first.
func (o *outage) observe(err error) bool {
	if !errors.Is(err, store.ErrUnavailable) {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over == nil {
		o.since, o.over = time.Now(), make(chan struct{})
		o.log.Error().Err(err).Msg("the database is out of reach")
	}
	return true
}

func (o *outage) goesOn() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.over != nil
}

// wait returns when there is none, or an error when ctx ends before.
func (o *outage) wait(ctx context.Context) error {
	o.mu.Lock()
	over := o.over
	o.mu.Unlock()
	if over == nil {
		return nil
	}
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (o *outage) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over != nil {
		o.log.Info().Dur("after", time.Since(o.since)).Msg("the database is back")
		close(o.over)
		o.over = nil
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
