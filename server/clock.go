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

func (c *steadyClock) read(wall time.Time) time.Duration {
	return time.Duration(wall.UnixNano()) - c.uptime()
}

// now is the wall clock's time. Whoever is judged by it is forgiven a step from
// the first call after it.
func (c *steadyClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall := c.wall()
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
	s.store.Forgive(late, early)
	s.forgiving.Store(late != 0 || early != 0)
	s.live.hub.doubt()
	if late == 0 && early == 0 {
		s.stepped.Store(true)
		s.log.Info().Msg("deadlines hold again")
	} else {
		s.log.Warn().Dur("late", late).Dur("early", early).Msg("the clock was set; nobody is turned offline until everybody had time to be heard of")
	}
	return 2 * s.store.Rules().OnlineWindow
}
