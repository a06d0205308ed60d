package store

import (
	"context"
	"time"

	"rollcall/store/presence"
)

// AllowClockSkew makes up for steps of the wall clock: every deadline, except those of
// claims, is late later, and activity may lie early further in the future. While
// either is not 0, Cleanup does nothing. Forgive(0, 0) ends it, once everybody
// who is there has sent a heartbeat by the new clock.
func (s *Store) AllowClockSkew(late, early time.Duration) {
	s.allow(func(a *presence.Slack) { a.Late, a.Early = late, early })
}

// AllowOutage makes up for a silence, a time in which no heartbeat could be recorded:
// nobody times out by it. Logins end when they would have. Await(0) ends it, once
// everybody who is there has sent a heartbeat again.
func (s *Store) AllowOutage(silent time.Duration) {
	s.allow(func(a *presence.Slack) { a.Silent = silent })
}

func (s *Store) allow(change func(*presence.Slack)) {
	s.slackMu.Lock()
	defer s.slackMu.Unlock()
	a := *s.slack.Load()
	change(&a)
	s.slack.Store(&a)
}

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

// at returns the moment now.
func (s *Store) at(now time.Time) presence.Cutoffs { return s.rules.At(now, *s.slack.Load()) }
