package clock

import "time"

// instant is a time, and the uptime at which it had come.
type instant struct {
	at time.Time
	up time.Duration
}

// newInstant leaves out the monotonic reading, by which no step shows.
func newInstant(at time.Time, up time.Duration) instant { return instant{at.Round(0), up} }

// maybeAhead tells by how much the clock may be ahead of the time: since what was recorded last before the start no
// more may have gone by than since the start, and a step since may be wrong. Once it was steady for long enough it
// is believed, as with everything that is past by it.
func (c *Clock) maybeAhead(now time.Time) time.Duration {
	up := c.steps.uptime()
	if !c.started {
		return 0
	}
	if c.steps.steadyFor() >= c.steps.period {
		c.proven = newInstant(now, up)
	}
	return max(0, now.Round(0).Sub(c.proven.at)-(up-c.proven.up))
}

// startedAfter notes the latest time on record from before the start, zero for none.
func (c *Clock) startedAfter(recorded, now time.Time) {
	if recorded.IsZero() { // nothing is due either
		recorded = now
	}
	if recorded.After(c.proven.at) {
		c.proven.at = recorded.Round(0)
	}
}

// Confirm takes the clock as it is, until its next step: somebody has just said by it when something is due.
func (c *Clock) Confirm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	c.proven = newInstant(now, c.steps.uptime())
	c.judge(now)
}
