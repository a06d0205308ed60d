package store

import (
	"context"
	"database/sql"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// StillThere is somebody who was asked to leave and has not: their session has ended, and its page
// is in use. They are not online by any other session.
type StillThere struct {
	Session int64
	App     string
	User    User // directory, id and name
	Reason  presence.EndReason
	SeenAt  time.Time // last heartbeat, refused or not
}

// lingers sets, where somebody ends sessions without their application, that who works in one is still
// there: until its page closes, the application confirms the end, or nothing more is heard for as long as
// two heartbeats take. Its parameters in the statement that it is part of are those of lingering.
func lingers(since, window, future string) string {
	return `refused_at = CASE WHEN heard = true AND leaving_at IS NULL AND last_activity_at > ` + window + ` AND last_activity_at <= ` + future + `
		AND idle_ms < (SELECT value FROM settings WHERE name = 'idle_after_ms') THEN CAST(` + since + ` AS BIGINT) ELSE refused_at END`
}

// lingering is since when whoever is asked to leave now seems to have been refused.
func lingering(m presence.Cutoffs) int64 { return m.Now - (m.Login - m.Window) }

// fromStillThere are the sessions s of those who match a filter, as far as it is not about a status.
func (f OnlineFilter) fromStillThere(q *sqldb.Query, m presence.Cutoffs) {
	q.Add(` FROM user_sessions s`+userJoins+` WHERE s.refused_at > ? AND s.refused_at <= ?`, m.Window, m.Future)
	f.where(q)
	q.Add(` AND NOT EXISTS (SELECT 1 FROM user_sessions o WHERE o.user_id = s.user_id AND `+presence.OnlineRule("o"), m.Bounds()...)
	f.whereApp(q, "o")
	q.Add(`)`)
}

// countStillThere counts people.
func countStillThere(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f OnlineFilter) (n int, err error) {
	q := sqldb.NewQuery(`SELECT COUNT(DISTINCT s.user_id)`)
	f.fromStillThere(q, m)
	err = q.Scan(ctx, look, &n)
	return n, sqldb.Wrap("counting who is still there", err)
}

// countHidden counts who is in no list of people online, and stands in the gate's way.
func countHidden(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f OnlineFilter) (stillThere, unidentified int, err error) {
	if stillThere, err = countStillThere(ctx, look, m, f); err == nil {
		unidentified, err = countUnidentified(ctx, look, m, f)
	}
	return stillThere, unidentified, err
}

// CountHidden counts those who are not online and stand in the gate's way: who is still there, and who is
// on no record.
func (s *Store) CountHidden(ctx context.Context, now time.Time) (stillThere, unidentified int, err error) {
	err = s.snapshot(ctx, now, func(look *sql.Tx, m presence.Cutoffs) (err error) {
		stillThere, unidentified, err = countHidden(ctx, look, m, OnlineFilter{})
		return err
	})
	return stillThere, unidentified, err
}

// stillThere lists who matches a filter, the latest first, at most f.Limit.
func (s *Store) stillThere(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f OnlineFilter) ([]StillThere, error) {
	q := sqldb.NewQuery(`SELECT s.id, s.app, s.user_id, u.name, COALESCE(s.end_reason, 'expired'), s.last_activity_at, s.refused_at`)
	f.fromStillThere(q, m)
	q.Add(` ORDER BY s.refused_at DESC, s.id LIMIT ?`, f.Limit)
	some := []StillThere{} // not nil: JSON must say [], never null
	err := q.Each(ctx, look, func(rows *sql.Rows) error {
		var one StillThere
		var active, refused int64
		err := rows.Scan(&one.Session, &one.App, userKey{&one.User}, &one.User.Name, &one.Reason, &active, &refused)
		s.beats.Overlay(one.Session, &active, new(int64), new(int64))
		one.SeenAt = sqldb.Time(max(active, refused))
		some = append(some, one)
		return err
	})
	return some, sqldb.Wrap("looking for who was asked to leave", err)
}
