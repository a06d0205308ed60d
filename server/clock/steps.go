package clock

import "time"

// stepTolerance is how far the wall clock may be from where the monotonic one leads to
// before that counts as a step.
const stepTolerance = 2 * time.Second

// maxDrift is how much of a time that passes a clock may gain or lose by itself, or because it
// is corrected little by little: twice what a kernel does. Small steps add up against the rest.
const maxDrift = 1000 // parts per million

// steps watches the wall clock for steps: when an administrator, NTP or a suspended
// machine moves it, every deadline would pass at once, and everybody would seem to have
// left. So for a period, until everybody had the time to be heard of again, deadlines are
// late and activity may lie in the future.
type steps struct {
	wall   func() time.Time
	up     func() time.Duration // monotonic; nil: the wall's own reading since start
	start  time.Time
	period time.Duration

	ahead       time.Duration // of the wall clock: the clock that counts, see follow
	offset      time.Duration // wall less uptime, up to a constant, at the last look
	base        time.Duration // where the offset was, moved by no more than a drift since
	looked      time.Duration // uptime of the last look
	steady      time.Duration // uptime since when there was no step
	recent      bool          // there was a step not long ago
	low, high   time.Duration // the offsets since before the first of the recent steps
	until       time.Duration // uptime at which they are history
	late, early time.Duration // by how much the rules are lenient for them
}

// newSteps watches wall against uptime. Where uptime is nil, wall itself
// brings the monotonic reading, and both are one.
func newSteps(wall func() time.Time, uptime func() time.Duration, period time.Duration) *steps {
	s := &steps{wall: wall, up: uptime, start: wall(), period: period}
	s.begin()
	return s
}

// begin takes the clock as it is now. Nobody has been judged by what it was before.
func (s *steps) begin() {
	now, up := s.read()
	s.offset, s.looked = offsetOf(now, up), up
	s.base, s.steady = s.offset, s.looked
}

// steadyFor tells for how long there was no step.
func (s *steps) steadyFor() time.Duration { return s.uptime() - s.steady }

func (s *steps) uptime() time.Duration {
	_, up := s.read()
	return up
}

// read returns the wall clock's time, or that of the clock that counts instead, and the uptime. The
// latter clock has no monotonic reading: it would move with every change of what the two differ by.
func (s *steps) read() (now time.Time, up time.Duration) {
	now = s.wall()
	if s.up == nil {
		up = now.Sub(s.start)
	} else {
		up = s.up()
	}
	if s.ahead != 0 {
		now = now.Add(s.ahead).Round(0)
	}
	return now, up
}

func offsetOf(wall time.Time, up time.Duration) time.Duration {
	return time.Duration(wall.UnixNano()) - up
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
	now, up := s.read()
	offset, last := offsetOf(now, up), s.offset
	drift := (up - s.looked) / 1_000_000 * maxDrift
	s.offset, s.looked = offset, up
	if (offset - s.base).Abs() > stepTolerance+drift {
		s.step(last, offset)
		return now, offset - last, true
	}
	s.base += min(max(offset-s.base, -drift), drift)
	if s.recent && up >= s.until {
		s.recent, s.late, s.early = false, 0, 0
		changed = true
	}
	return now, 0, changed
}

// step notes that the clock went from one offset to another. People may have been
// heard of at any offset between the lowest and the highest.
func (s *steps) step(from, to time.Duration) {
	if !s.recent {
		s.low, s.high = min(from, s.base), max(from, s.base)
	}
	s.recent, s.base = true, to
	s.low, s.high = min(s.low, to), max(s.high, to)
	s.late, s.early = to-s.low, s.high-to
	s.steady = s.uptime()
	s.until = s.steady + s.period
}

// sawFuture notes that something is on record that will be by that much: the clock was ahead
// then, and was set back while nobody watched, or it is behind now.
func (s *steps) sawFuture(by time.Duration) {
	if by > stepTolerance {
		s.step(s.offset+by, s.offset)
	}
}
