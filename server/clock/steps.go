package clock

import "time"

// stepTolerance is how far the wall clock may drift from the monotonic one
// between two looks before that counts as a step.
const stepTolerance = 2 * time.Second

// steps watches the wall clock for steps: when an administrator, NTP or a suspended
// machine moves it, every deadline would pass at once, and everybody would seem to have
// left. So for a period, until everybody had the time to be heard of again, deadlines are
// late and activity may lie in the future.
type steps struct {
	wall   func() time.Time
	uptime func() time.Duration // monotonic
	period time.Duration

	ahead       time.Duration // of the wall clock: the clock that counts, see follow
	offset      time.Duration // wall less uptime, up to a constant, at the last look
	recent      bool          // there was a step not long ago
	low, high   time.Duration // the offsets since before the first of the recent steps
	until       time.Duration // uptime at which they are history
	late, early time.Duration // by how much the rules are lenient for them
}

// newSteps watches wall against uptime. Where uptime is nil, wall itself
// brings the monotonic reading.
func newSteps(wall func() time.Time, uptime func() time.Duration, period time.Duration) *steps {
	if uptime == nil {
		start := wall()
		uptime = func() time.Duration { return wall().Sub(start) }
	}
	s := &steps{wall: wall, uptime: uptime, period: period}
	s.begin()
	return s
}

// begin takes the clock as it is now. Nobody has been judged by what it was before.
func (s *steps) begin() { s.offset = s.read(s.time()) }

// time is the wall clock's time, or that of the clock that counts instead. The latter has
// no monotonic reading: it would move with every change of what the two differ by.
func (s *steps) time() time.Time {
	if s.ahead == 0 {
		return s.wall()
	}
	return s.wall().Add(s.ahead).Round(0)
}

func (s *steps) read(wall time.Time) time.Duration {
	return time.Duration(wall.UnixNano()) - s.uptime()
}

// follow has another clock count where the wall's differs from it by more than was known.
func (s *steps) follow(wall Difference) {
	switch known := -s.ahead; {
	case (wall.By - known).Abs() <= tolerance+wall.Within:
	case wall.Matters():
		s.ahead = -wall.By
	default:
		s.ahead = 0
	}
}

// now is the time, by how much the clock was set since the last look, and whether late
// and early have changed.
func (s *steps) now() (now time.Time, step time.Duration, changed bool) {
	now = s.time()
	offset, last := s.read(now), s.offset
	s.offset = offset
	switch {
	case (offset - last).Abs() > stepTolerance:
		s.step(last, offset)
		return now, offset - last, true
	case s.recent && s.uptime() >= s.until:
		s.recent, s.late, s.early = false, 0, 0
		return now, 0, true
	}
	return now, 0, false
}

// step notes that the clock went from one offset to another. People may have been
// heard of at any offset between the lowest and the highest.
func (s *steps) step(from, to time.Duration) {
	if !s.recent {
		s.low, s.high = from, from
	}
	s.recent = true
	s.low, s.high = min(s.low, to), max(s.high, to)
	s.late, s.early = to-s.low, s.high-to
	s.until = s.uptime() + s.period
}
