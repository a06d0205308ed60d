package store

import (
	"context"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// SetSlack has people judged more leniently, as long as times in the database or the
// silence of a person do not tell who is there. While the clock is skewed Cleanup does
// nothing. The zero Slack ends it, once everybody who is there has sent a heartbeat by a
// clock that is right.
func (s *Store) SetSlack(slack presence.Slack) { s.slack.Store(&slack) }

// latestActivity is the latest activity up to $1, of the block $2: in that block, or else in the one before it that
// has any.
var latestActivity = `
	SELECT MAX(last_activity_at) AS at FROM user_sessions WHERE is_active = true AND last_activity_at <= $1 AND ` + activityBlock + ` IN ($2,
		(SELECT MAX(` + activityBlock + `) FROM user_sessions WHERE is_active = true AND ` + activityBlock + ` < $2))`

var activityBlock = presence.InActivityBlock(`last_activity_at`)

// heardUntil is the setting that NoteStop keeps.
const heardUntil = "heard_until_ms"

// NoteStop keeps that whoever was there could be heard of up to a time, at which the server stops. It does nothing while
// people are judged leniently: some may not have come back yet, of whom a start would have to know.
func (s *Store) NoteStop(ctx context.Context, at time.Time) error {
	slack := *s.slack.Load()
	slack.Unproven = false // nobody is judged by that
	if slack != (presence.Slack{}) {
		return nil
	}
	err := s.db.WriteOne(ctx, func(t *sqldb.Tx) error { return t.SaveSetting(heardUntil, at.UnixMilli()) })
	return sqldb.Wrap("noting the stop", err)
}

// LastHeard returns when the last heartbeat was recorded, or up to when it could be (see NoteStop) where that is later, if
// people who were online then may still be there. It is zero where nobody was left then, or by a later sample of the history.
// Whether all of them said goodbye is not examined. What lies in the future of now was recorded
// by another clock and is no evidence; future is the latest such activity, or zero.
func (s *Store) LastHeard(ctx context.Context, now time.Time) (at, future time.Time, err error) {
	var heard, sampled, ahead, until int64
	err = s.db.Scan(ctx, []any{&heard, &sampled, &ahead, &until}, `SELECT
		COALESCE((`+latestActivity+`), 0),
		COALESCE((SELECT MAX(at) FROM activity_samples WHERE organization_id = 0 AND app = '' AND at <= $1), 0),
		COALESCE((SELECT MAX(last_activity_at) FROM user_sessions WHERE is_active = true AND last_activity_at > $1
			AND `+activityBlock+` = (SELECT MAX(`+activityBlock+`) FROM user_sessions WHERE is_active = true)), 0),
		COALESCE((SELECT value FROM settings WHERE name = $3 AND value <= $1), 0)`,
		now.UnixMilli(), presence.ActivityBlock(now.UnixMilli()), heardUntil)
	if err == nil {
		heard, ahead, err = s.latestWaiting(ctx, now.UnixMilli(), heard, ahead)
	}
	if err != nil {
		return at, future, sqldb.Wrap("finding who was heard of last", err)
	}
	if ahead != 0 {
		future = sqldb.Time(ahead)
	}
	if heard != 0 && max(sampled, until) < heard+s.rules.OnlineWindow.Milliseconds() {
		at = sqldb.Time(max(heard, until))
	}
	return at, future, nil
}

// LastRecorded returns the latest time on record that is not in the future of now: the time had come that far. It is
// zero where nothing is on record.
func (s *Store) LastRecorded(ctx context.Context, now time.Time) (at time.Time, err error) {
	var latest int64
	err = s.db.Scan(ctx, []any{&latest}, `SELECT COALESCE(MAX(at), 0) FROM (
		`+latestActivity+`
		UNION ALL SELECT MAX(ended_at) FROM user_sessions WHERE is_active = false AND ended_at <= $1
		UNION ALL SELECT MAX(at) FROM activity_samples WHERE organization_id = 0 AND app = '' AND at <= $1
		UNION ALL SELECT MAX(started_at) FROM drain WHERE started_at <= $1) times`, now.UnixMilli(), presence.ActivityBlock(now.UnixMilli()))
	if err == nil {
		latest, _, err = s.latestWaiting(ctx, now.UnixMilli(), latest, 0)
	}
	if err == nil && latest != 0 {
		at = sqldb.Time(latest)
	}
	return at, sqldb.Wrap("finding what was recorded last", err)
}

// at returns the cutoffs at now.
func (s *Store) at(now time.Time) presence.Cutoffs { return s.rules.At(now, *s.slack.Load()) }
