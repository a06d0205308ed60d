package clock

import (
	"context"
	"errors"
	"time"

	"rollcall/store/sqldb"
)

// gap is a time in which no heartbeat could be recorded: the server was down, its
// database out of reach or its disk full. Everybody would seem to have left then, and a
// deployment to be safe. So people count as they did before, until all who are there had
// the time to be heard of again.
type gap struct {
	since   time.Time // zero: there was none of late
	refused time.Time // when a heartbeat was, last
	over    time.Time // zero: it goes on
}

// Settling is how many heartbeats everybody has the time to be heard of in: pages
// try again within one.
const Settling = 2

// tried notes that a heartbeat was tried, and how that ended.
func (g *gap) tried(now time.Time, err error) {
	switch {
	case errors.Is(err, sqldb.ErrUnavailable), errors.Is(err, sqldb.ErrFull), errors.Is(err, sqldb.ErrBusy):
		if g.since.IsZero() {
			g.since = now
		}
		g.refused, g.over = now, time.Time{}
	case err == nil && !g.since.IsZero() && g.over.IsZero():
		g.over = now
	}
}

// abandoned tells whether the gap goes on, but nobody tries to be heard of any more.
func (g *gap) abandoned(now time.Time, heartbeat time.Duration) bool {
	return !g.since.IsZero() && g.over.IsZero() && now.Sub(g.refused) >= Settling*heartbeat
}

// longAgo is since when nobody was heard of as long as nobody knows that.
var longAgo = time.Unix(0, 0)

// restored notes since when nobody had been heard of before the start; zero: nobody was
// left then. If heartbeats have been refused since, and none was recorded yet, the gap
// goes on.
func (g *gap) restored(since, started time.Time) {
	switch {
	case since.IsZero():
		since = g.refused
	case g.refused.IsZero() || !g.over.IsZero():
		g.over = started
	}
	g.since = since
}

// shift moves the gap with the clock, when that is set: it is neither longer nor over for that.
func (g *gap) shift(by time.Duration) {
	for _, t := range []*time.Time{&g.since, &g.refused, &g.over} {
		if !t.IsZero() {
			*t = t.Add(by)
		}
	}
}

// length is for how long nobody could be heard of, 0 once that is history, or where
// it was not longer than a heartbeat: nobody times out by so little.
func (g *gap) length(now time.Time, heartbeat time.Duration) time.Duration {
	switch {
	case g.since.IsZero():
		return 0
	case g.over.IsZero():
		return max(0, now.Sub(g.since))
	}
	length := g.over.Sub(g.since)
	if length <= heartbeat || now.Sub(g.over) >= Settling*heartbeat {
		*g = gap{}
		return 0
	}
	return length
}

// Heartbeat notes that a heartbeat was to be recorded, and how that ended.
func (c *Clock) Heartbeat(now time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gap.tried(now, err)
}

// restore has those who were there when the server stopped count until they had the time
// to come back. Once that has succeeded it does nothing more; the database may be out of
// reach at the start.
func (c *Clock) restore(ctx context.Context) error {
	c.mu.Lock()
	restored, now := c.restored, c.now()
	c.mu.Unlock()
	if restored {
		return nil
	}
	last, future, err := c.cfg.Store.LastHeard(ctx, now)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.restored {
		return nil
	}
	c.restored = true
	c.gap.restored(last, now)
	if !future.IsZero() {
		c.steps.sawFuture(future.Sub(now))
	}
	c.judge(now)
	return nil
}

// Recheck has people judged by what is known now. Of those who are there a heartbeat tells
// when the next can be recorded, because a full disk has room for one write and not for
// the next. Where nobody tries any more, because whoever was refused has gone, it looks
// itself whether one could be.
func (c *Clock) Recheck(ctx context.Context) error {
	if err := c.restore(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	now := c.now()
	c.judge(now)
	abandoned := c.gap.abandoned(now, c.cfg.Heartbeat)
	c.mu.Unlock()
	if abandoned && c.cfg.Store.DB().CanWrite(ctx) == nil {
		c.Heartbeat(c.Now(), nil)
	}
	return nil
}
