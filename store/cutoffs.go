package store

import "time"

// slack is by how much the rules are lenient for now. The clock may have been set:
// after a step forward times from before look older than they are, and after a step
// back they lie in the future. Or no heartbeat could be recorded for a while: times are
// then as old as they look, but do not tell who left.
type slack struct {
	late   time.Duration // every deadline, except those of claims, is this much later
	early  time.Duration // activity may lie this much further in the future
	silent time.Duration // nobody times out by a gap of this length
}

// clockSkewed tells whether recorded times are not to be trusted now.
func (s slack) clockSkewed() bool { return s.late != 0 || s.early != 0 }

// inOutage tells whether nobody knows who is there now.
func (s slack) inOutage() bool { return s.silent != 0 }

// cutoffs are the times by which sessions are judged at an instant, in unix milliseconds.
type cutoffs struct {
	now    int64
	expiry int64 // a session that ends at or before this has expired
	window int64 // one whose last activity is at or before this has timed out
	future int64 // one whose last activity is after this was recorded before the clock was set back
	grace  int64 // one that said goodbye at or before this has left

	slack // by which these are moved
}

// at returns the cutoffs at now, moved by the slack.
func (r Rules) at(now time.Time, a slack) cutoffs {
	judged := now.Add(-a.late)
	return cutoffs{
		now:    millis(now),
		expiry: millis(judged),
		window: millis(judged.Add(-a.silent - r.OnlineWindow)),
		future: millis(now.Add(r.OnlineWindow + a.early)),
		grace:  millis(judged.Add(-r.LeaveGrace)),

		slack: a,
	}
}

// cutoffsAt returns the parameters of atRule for a time in the past. Today's slack says nothing
// about that time, so there is none.
func (r Rules) cutoffsAt(at time.Time) []any {
	m := r.at(at, slack{})
	return []any{m.now, m.expiry, m.window, m.grace}
}
