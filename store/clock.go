package store

import "time"

// An allowance is what the rules forgive while the wall clock has just been
// moved: stamps from before look older than they are after a step forward, and
// lie in the future after a step back.
type allowance struct {
	late, early time.Duration
}

// Forgive makes up for steps of the wall clock: every deadline, except those of
// claims, is late later, and activity may lie early further in the future. While
// either is not 0, Cleanup does nothing. Forgive(0, 0) ends it, once everybody
// who is there has sent a heartbeat by the new clock.
func (s *Store) Forgive(late, early time.Duration) {
	s.allowance.Store(&allowance{late: late, early: early})
}

// forgiving tells whether stamps are not to be trusted now.
func (s *Store) forgiving() bool { return *s.allowance.Load() != allowance{} }

// A moment is an instant as the rules look at it: the stamps that are the
// bounds, in milliseconds.
type moment struct {
	now    int64
	expiry int64 // a session that ends up to here has expired
	window int64 // one that was last active up to here has timed out,
	future int64 // and one after here was by a clock that has been set back since
	grace  int64 // one that said goodbye up to here has left

	allowance // how far these are moved
}

// at returns the moment now.
func (s *Store) at(now time.Time) moment { return s.rules.at(now, *s.allowance.Load()) }

func (r Rules) at(now time.Time, a allowance) moment {
	judged := now.Add(-a.late)
	return moment{
		now:    millis(now),
		expiry: millis(judged),
		window: millis(judged.Add(-r.OnlineWindow)),
		future: millis(now.Add(r.OnlineWindow + a.early)),
		grace:  millis(judged.Add(-r.LeaveGrace)),

		allowance: a,
	}
}

// then returns the parameters of atRule for a time in the past. What is forgiven now was so then,
// perhaps, or not: it does not count.
func (r Rules) then(at time.Time) []any {
	m := r.at(at, allowance{})
	return []any{m.now, m.expiry, m.window, m.grace}
}
