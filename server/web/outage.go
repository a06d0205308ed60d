package web

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"rollcall/store/sqldb"
)

// Outage is the time while the database is out of reach. Much fails then, again
// and again: the log has one line when it begins and one when it is over.
type Outage struct {
	Log zerolog.Logger

	mu    sync.Mutex
	since time.Time
	over  chan struct{} // closed when it is; nil: there is none
}

// Observe tells whether err is due to the outage, which begins with the first.
func (o *Outage) Observe(err error) bool {
	if !errors.Is(err, sqldb.ErrUnavailable) {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over == nil {
		o.since, o.over = time.Now(), make(chan struct{})
		o.Log.Error().Err(err).Msg("the database is out of reach")
	}
	return true
}

// Wait returns when there is none, or an error when ctx ends before.
func (o *Outage) Wait(ctx context.Context) error {
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

// Recheck ends an outage if the database can be read and written again, which ping
// finds out. Only this ends one: while the database is read only, some things succeed.
func (o *Outage) Recheck(ctx context.Context, ping func(context.Context) error) {
	o.mu.Lock()
	over := o.over
	o.mu.Unlock()
	if over == nil || ping(ctx) != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over != nil {
		o.Log.Info().Dur("after", time.Since(o.since)).Msg("the database is back")
		close(o.over)
		o.over = nil
	}
}
