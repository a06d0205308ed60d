package server

import (
	"sync"
	"time"
)

// stepTolerance is how far the wall clock may drift from the monotonic one
// between two looks before that counts as a step.
const stepTolerance = 2 * time.Second

// steadyClock is the wall clock, guarded against its steps: when an
// administrator, NTP or a suspended machine moves it, every deadline would pass
// at once, and everybody would seem to have left. So for two online windows,
// until everybody had the time to be heard of again, deadlines are forgiven.
type steadyClock struct {
	wall    func() time.Time
	uptime  func() time.Duration // monotonic
	forgive func(late, early time.Duration) (period time.Duration)

	mu        sync.Mutex
	ahead     time.Duration // of the wall clock: the one that counts, see keepTo
	offset    time.Duration // wall less uptime, up to a constant, at the last look
	stepped   bool          // not long ago
	low, high time.Duration // the offsets since before the first of these steps
	until     time.Duration // uptime at which they are history
}

// newSteadyClock watches wall against uptime. Where uptime is nil, wall itself
// brings the monotonic reading.
func newSteadyClock(wall func() time.Time, uptime func() time.Duration, forgive func(late, early time.Duration) time.Duration) *steadyClock {
	if uptime == nil {
		start := wall()
		uptime = func() time.Duration { return wall().Sub(start) }
	}
	c := &steadyClock{wall: wall, uptime: uptime, forgive: forgive}
	c.offset = c.read(wall())
	return c
}

// wallTime is the wall clock's time, or that of the clock that counts instead. This one has
// no monotonic reading: it would move with every change of what the two differ by.
func (c *steadyClock) wallTime() time.Time {
	if c.ahead == 0 {
		return c.wall()
	}
	return c.wall().Add(c.ahead).Round(0)
}

func (c *steadyClock) read(wall time.Time) time.Duration {
	return time.Duration(wall.UnixNano()) - c.uptime()
}

// follow has another clock count, which is ahead of the wall's by this much, unless that
// is about what was known. It tells whether it was not.
func (c *steadyClock) follow(ahead, about time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if (ahead - c.ahead).Abs() <= about {
		return false
	}
	c.ahead = ahead
	return true
}

// begin takes the clock as it is now. Nobody has been judged by what it was before.
func (c *steadyClock) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = c.read(c.wallTime())
}

// now is the time. Whoever is judged by it is forgiven a step from the first call after it.
func (c *steadyClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall := c.wallTime()
	offset, last := c.read(wall), c.offset
	c.offset = offset
	switch {
	case (offset - last).Abs() > stepTolerance:
		c.step(last, offset)
	case c.stepped && c.uptime() >= c.until:
		c.stepped = false
		c.forgive(0, 0)
	}
	return wall
}

// step notes that the clock went from one offset to another. People may have been
// heard of at any offset between the lowest and the highest.
func (c *steadyClock) step(from, to time.Duration) {
	if !c.stepped {
		c.low, c.high = from, from
	}
	c.stepped = true
	c.low, c.high = min(c.low, to), max(c.high, to)
	c.until = c.uptime() + c.forgive(to-c.low, c.high-to)
}

// forgive moves the deadlines in the store after a step of the clock and returns
// how long that lasts: two online windows.
func (s *Server) forgive(late, early time.Duration) time.Duration {
	s.store.AllowClockSkew(late, early)
	s.forgiving.Store(late != 0 || early != 0)
	s.live.Reset()
	if late == 0 && early == 0 {
		s.stepped.Store(true)
		s.log.Info().Msg("deadlines hold again")
	} else {
		s.log.Warn().Dur("late", late).Dur("early", early).Msg("the clock was set; nobody is turned offline until everybody had time to be heard of")
	}
	return 2 * s.store.Rules().OnlineWindow
}
