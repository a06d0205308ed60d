package clock

import (
	"context"
	"errors"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// gap is a time in which no heartbeat could be recorded: the server was down or frozen, its
// database out of reach, its disk full or hung. Everybody would seem to have left then, and a
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
	case err == nil && g.goesOn():
		g.over = now
	}
}

// goesOn tells whether there is one that is not over.
func (g *gap) goesOn() bool { return !g.since.IsZero() && g.over.IsZero() }

// begin notes that no heartbeat could be recorded since then, and that it goes on.
func (g *gap) begin(since time.Time, heartbeat time.Duration) {
	history := !g.over.IsZero() && since.Sub(g.over) >= Settling*heartbeat
	if g.since.IsZero() || history {
		g.since, g.refused = since, time.Time{}
	}
	g.over = time.Time{}
}

// abandoned tells whether the gap goes on, but nobody tries to be heard of any more.
func (g *gap) abandoned(now time.Time, heartbeat time.Duration) bool {
	return g.goesOn() && now.Sub(g.refused) >= Settling*heartbeat
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

// unheard is why somebody may be there of whom nothing is on record. The report of a login that came while the server
// was down was lost, and so is what an older backup does not have. Whoever is there is heard of within the time that
// those who were there before have to come back.
func (c *Clock) unheard(now time.Time, silent time.Duration) presence.Unheard {
	up := c.steps.uptime()
	switch {
	case !c.started:
		return presence.Unheard{}
	case !c.restored || up-c.heardFrom < Settling*c.cfg.Heartbeat:
		return presence.Unheard{Cause: presence.CauseStart, Since: now.Add(c.begun - up)}
	case silent > c.cfg.Heartbeat: // what is shorter is no gap
		return presence.Unheard{Cause: presence.CauseOutage, Since: c.gap.since}
	}
	return presence.Unheard{}
}

// Heartbeat notes that a heartbeat was to be recorded from began on, and how that ended just now.
func (c *Clock) Heartbeat(began time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		if !c.gap.goesOn() { // as nearly always
			return
		}
		began = c.now() // it may have waited for long, and so has everybody
	}
	c.gap.tried(began, err)
}

// From when on it counts as a gap that nothing is heard of a write, and of the look that is due
// every second.
const (
	stalledAfter = 2 * time.Second
	frozenAfter  = 3 * time.Second
)

// noticeGap notes a gap, dated back to where it began, that nobody tells of: the disk hangs, or
// this process was frozen. Whoever asks for the time first notices, before anybody is judged. The steps
// have just been looked for.
func (c *Clock) noticeGap(now time.Time) {
	if c.looked == 0 {
		return
	}
	if silent := c.steps.looked - c.looked; silent >= frozenAfter {
		c.startGap(now, silent)
	}
	if silent := c.cfg.Store.DB().Stalled(); silent >= stalledAfter {
		c.startGap(now, silent)
	}
}

func (c *Clock) startGap(now time.Time, silent time.Duration) {
	before := c.gap
	c.gap.begin(now.Add(-silent), c.cfg.Heartbeat)
	if c.gap != before {
		c.judge(now)
	}
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
	recorded, err := c.cfg.Store.LastRecorded(ctx, now)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.restored {
		return nil
	}
	c.restored, c.heardFrom = true, c.steps.uptime()
	c.startedAfter(recorded, now)
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
	c.looked = c.steps.uptime()
	c.judge(now)
	abandoned := c.gap.abandoned(now, c.cfg.Heartbeat)
	c.mu.Unlock()
	if abandoned && c.cfg.Store.DB().CanWrite(ctx) == nil {
		c.Heartbeat(c.Now(), nil)
	}
	return nil
}
