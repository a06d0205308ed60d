package presence

import (
	"time"
)

// Slack is by how much the rules are lenient for now. The clock may have been set:
// after a step forward times from before look older than they are, and after a step
// back they lie in the future. Or no heartbeat could be recorded for a while: times are
// then as old as they look, but do not tell who left.
type Slack struct {
	Late   time.Duration // every deadline, except those of claims, is this much later
	Early  time.Duration // activity may lie this much further in the future
	Silent time.Duration // nobody times out, nor expires, by a gap of this length

	// Ahead is by how much the clock may be ahead of the time, as far as anybody knows: sessions
	// that a drain is to end by a time end this much later.
	Ahead time.Duration

	// Unheard is why somebody may be there who could not be heard of yet.
	Unheard Unheard

	// Unproven: the clock has been steady for a short time only, so that no row is removed by it.
	Unproven bool
}

// Unheard is why somebody may be there of whom nothing is on record: for a while nothing could be recorded, or what
// was recorded may have been lost. It is zero once everybody has had the time to be heard of.
type Unheard struct {
	Cause Cause     // CauseStart or CauseOutage
	Since time.Time // when the server started, or from when on nothing could be recorded
}

// ClockSkewed tells whether recorded times are not to be trusted now.
func (s Slack) ClockSkewed() bool { return s.Late != 0 || s.Early != 0 }

// InOutage tells whether nobody knows who is there now.
func (s Slack) InOutage() bool { return s.Silent != 0 }

// CountsNobody tells whether who is there is not to be recorded now.
func (s Slack) CountsNobody() bool { return s.ClockSkewed() || s.InOutage() }

// Cutoffs are the times by which sessions are judged at an instant, in unix milliseconds.
type Cutoffs struct {
	Now    int64
	Expiry int64 // a session that ends at or before this has expired
	Window int64 // one whose last activity is at or before this has timed out
	Login  int64 // likewise one that has only its login
	Future int64 // one whose last activity is after this was recorded before the clock was set back
	Grace  int64 // one that said goodbye at or before this has left

	Slack // by which these are moved
}

// At returns the cutoffs at now, moved by the slack.
func (r Rules) At(now time.Time, a Slack) Cutoffs {
	judged := now.Add(-a.Late)
	login := r.LoginGrace()
	if a.InOutage() { // the heartbeats that should have followed could not be recorded
		login = r.OnlineWindow
	}
	return Cutoffs{
		Now:    now.UnixMilli(),
		Expiry: judged.Add(-a.Silent).UnixMilli(),
		Window: judged.Add(-a.Silent - r.OnlineWindow).UnixMilli(),
		Login:  judged.Add(-a.Silent - login).UnixMilli(),
		Future: now.Add(r.OnlineWindow + a.Early).UnixMilli(),
		Grace:  judged.Add(-r.LeaveGrace).UnixMilli(),

		Slack: a,
	}
}

// CutoffsAt returns the parameters of AtRule for a time in the past. Today's slack says nothing
// about that time, so there is none.
func (r Rules) CutoffsAt(at time.Time) []any {
	m := r.At(at, Slack{})
	return []any{m.Now, m.Expiry, m.Window, m.Login, m.Grace}
}
