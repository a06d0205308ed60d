package store

import (
	"context"
	"time"
)

// An slack is what the rules forgive while the wall clock has just been
// moved: stamps from before look older than they are after a step forward, and
// lie in the future after a step back. And while nobody could be heard of until
// just now: stamps are then as old as they look, but tell nothing of who left.
type slack struct {
	late, early time.Duration
	silent      time.Duration
}

// AllowClockSkew makes up for steps of the wall clock: every deadline, except those of
// claims, is late later, and activity may lie early further in the future. While
// either is not 0, Cleanup does nothing. Forgive(0, 0) ends it, once everybody
// who is there has sent a heartbeat by the new clock.
func (s *Store) AllowClockSkew(late, early time.Duration) {
	s.allow(func(a *slack) { a.late, a.early = late, early })
}

// AllowOutage makes up for a silence, a time in which no heartbeat could be recorded:
// nobody times out by it. Logins end when they would have. Await(0) ends it, once
// everybody who is there has sent a heartbeat again.
func (s *Store) AllowOutage(silent time.Duration) {
	s.allow(func(a *slack) { a.silent = silent })
}

func (s *Store) allow(change func(*slack)) {
	s.slackMu.Lock()
	defer s.slackMu.Unlock()
	a := *s.slack.Load()
	change(&a)
	s.slack.Store(&a)
}

// clockSkewed tells whether stamps are not to be trusted now.
func (s *Store) clockSkewed() bool {
	a := s.slack.Load()
	return a.late != 0 || a.early != 0
}

// inOutage tells whether nobody knows who is there now.
func (s *Store) inOutage() bool { return s.slack.Load().silent != 0 }

// LastHeard returns when a heartbeat was recorded last, if somebody was online
// then who may be there still: zero where nobody was left in a sample of the
// history since. That they all said goodbye is not looked for.
func (s *Store) LastHeard(ctx context.Context) (at time.Time, err error) {
	var heard, sampled int64
	err = s.read.QueryRowContext(ctx, `SELECT
		COALESCE((SELECT MAX(last_activity_at) FROM user_sessions WHERE is_active = true), 0),
		COALESCE((SELECT MAX(at) FROM activity_samples WHERE organization_id = 0 AND app = ''), 0)`).Scan(&heard, &sampled)
	if err != nil || heard == 0 || sampled >= heard+s.rules.OnlineWindow.Milliseconds() {
		return time.Time{}, wrapErr("finding who was heard of last", err)
	}
	return fromMillis(heard), nil
}

// A cutoffs is an instant as the rules look at it: the stamps that are the
// bounds, in milliseconds.
type cutoffs struct {
	now    int64
	expiry int64 // a session that ends up to here has expired
	window int64 // one that was last active up to here has timed out,
	future int64 // and one after here was by a clock that has been set back since
	grace  int64 // one that said goodbye up to here has left

	slack // how far these are moved
}

// at returns the moment now.
func (s *Store) at(now time.Time) cutoffs { return s.rules.at(now, *s.slack.Load()) }

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

// cutoffsAt returns the parameters of atRule for a time in the past. What is forgiven now was so then,
// perhaps, or not: it does not count.
func (r Rules) cutoffsAt(at time.Time) []any {
	m := r.at(at, slack{})
	return []any{m.now, m.expiry, m.window, m.grace}
}
