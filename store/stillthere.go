package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// StillThere is somebody who was asked to leave and has not: their session has ended, and its page
// is open, as far as anybody can tell. They are not online by any other session.
type StillThere struct {
	Session int64
	App     string
	User    User // directory, id and name
	Reason  presence.EndReason
	SeenAt  time.Time // last heartbeat, refused or not
}

// lingers sets, where somebody else than the person ends sessions, that whoever is online by one is still there,
// whatever their status: until its page closes, the application confirms the end, or nothing more is heard for as
// long as two heartbeats take; after a goodbye, for what is left of its grace. The statement that it is part of ends
// sessions that are active and not expired; the parameters of lingering follow its first ones.
func lingers(first int) string {
	p := func(i int) string { return "$" + strconv.Itoa(first+i) }
	since := `CASE WHEN leaving_at IS NULL THEN CAST(` + p(4) + ` AS BIGINT) ELSE leaving_at - CAST(` + p(5) + ` AS BIGINT) END`
	return `refused_at = CASE WHEN last_activity_at > ` + p(0) + ` AND last_activity_at <= ` + p(1) + `
		AND (heard = true OR last_activity_at > ` + p(2) + `) AND (leaving_at IS NULL OR leaving_at > ` + p(3) + `)
		AND (refused_at IS NULL OR refused_at < ` + since + `) THEN ` + since + ` ELSE refused_at END`
}

// lingering are the parameters of lingers: the bounds of who is online, and since when whoever is asked to leave
// now seems to have been refused.
func lingering(m presence.Cutoffs) []any {
	return []any{m.Window, m.Future, m.Login, m.Grace, m.Now - (m.Login - m.Window), m.Grace - m.Window}
}

// leftNow is when whoever says goodbye now seems to have been refused: they count for the grace of a goodbye.
func leftNow(m presence.Cutoffs) int64 { return m.Now - (m.Grace - m.Window) }

// fromStillThere are the sessions s of those who match a filter, as far as it is not about a status.
func (f OnlineFilter) fromStillThere(q *sqldb.Query, m presence.Cutoffs) {
	// Few have been refused, so they come first: by the index on organizations there would be many.
	q.Add(` FROM user_sessions s CROSS JOIN users u LEFT JOIN organizations o ON o.id = u.organization_id
		WHERE u.id = s.user_id AND s.refused_at > ? AND s.refused_at <= ?`, m.Window, m.Future)
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
