package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Change is one row of the log of what changed. With a UserID, that user may
// look different in the list; with a SessionID too, that session of the user has
// ended; with a KeyID, that key was deleted; with a Topic, that is to be read again.
type Change struct {
	Seq       int64
	UserID    string // key
	SessionID int64
	App       string             // of the session
	Reason    presence.EndReason // of the session
	KeyID     int64
	Topic     Topic
}

// Erasure tells whether the row says nothing because it was about somebody who
// was erased.
func (c Change) Erasure() bool { return c == Change{Seq: c.Seq} }

// Topic is something of which there is one for everybody.
type Topic string

// The topics of this version.
const (
	TopicNotices Topic = "notices"
	TopicDrain   Topic = "drain"
)

const changesQuery = `
	SELECT seq, COALESCE(user_id, ''), COALESCE(session_id, 0), COALESCE(app, ''), COALESCE(reason, ''), COALESCE(key_id, 0), COALESCE(topic, '')
	FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2`

// Changes returns up to limit changes that came after the one numbered after,
// in the order in which they were committed. ErrTooLate where some of them have
// been removed, and where the log never got as far as after.
func (s *Store) Changes(ctx context.Context, after int64, limit int) ([]Change, error) {
	rows, err := s.db.Rows(ctx, changesQuery, after, limit)
	if err != nil {
		return nil, sqldb.Wrap("reading what changed", err)
	}
	changes, err := sqldb.Collect(rows, scanChange)
	if err != nil {
		return nil, sqldb.Wrap("reading what changed", err)
	}
	if len(changes) > 0 {
		if changes[0].Seq != after+1 { // numbers have no holes, so what is missing was removed
			return nil, ErrTooLate
		}
		return changes, nil
	}
	if last, err := s.LastChange(ctx); err != nil || last < after {
		return nil, errors.Join(err, ErrTooLate)
	}
	return nil, nil
}

func scanChange(rows *sql.Rows) (c Change, err error) {
	err = rows.Scan(&c.Seq, &c.UserID, &c.SessionID, &c.App, &c.Reason, &c.KeyID, &c.Topic)
	return c, err
}

// LastChange returns the number of the latest change, 0 for none.
func (s *Store) LastChange(ctx context.Context) (int64, error) {
	var last int64
	err := s.db.Scan(ctx, []any{&last}, `SELECT COALESCE(MAX(seq), 0) FROM changes`)
	return last, sqldb.Wrap("finding the last change", err)
}

// TrimChanges removes all but the latest changes, of which it keeps keep and at
// least one: their numbers go on from it.
func (s *Store) TrimChanges(ctx context.Context, keep int64) error {
	last, err := s.LastChange(ctx)
	if err != nil {
		return err
	}
	_, err = s.db.InBatchesAside(ctx, `
		DELETE FROM changes WHERE seq IN (SELECT seq FROM changes WHERE seq <= $1 ORDER BY seq LIMIT $2)`, last-max(keep, 1))
	return err
}

var dueQuery = `
	SELECT user_id FROM user_sessions WHERE is_active = true AND last_activity_at > $1 AND last_activity_at <= $2
		AND ` + activityBlock + ` BETWEEN $13 AND $14 UNION
	SELECT user_id FROM user_sessions WHERE is_active = true AND leaving_at > $3 AND leaving_at <= $4 UNION
	SELECT user_id FROM user_sessions WHERE is_active = true AND expires_at > $5 AND expires_at <= $6
		AND ` + presence.InExpiryBlock(`expires_at`) + ` BETWEEN $15 AND $16 UNION
	SELECT user_id FROM user_sessions WHERE is_active = true AND last_activity_at > $7 AND last_activity_at <= $8
		AND ` + activityBlock + ` BETWEEN $17 AND $18 UNION
	SELECT user_id FROM user_sessions WHERE is_active = true AND last_activity_at > $9 AND last_activity_at <= $10 AND heard = false UNION
	SELECT user_id FROM status_claims WHERE until > $11 AND until <= $12`

// Due returns the ids of the users about whom time alone changed something in
// (from, to]: a session that timed out, or had no heartbeat, was past the grace of its goodbye or
// expired; one whose last activity is no longer too far in the future; a claim
// that ran out; or whom a change of the slack concerns. It may name users
// for whom nothing changed. It is for one caller, whose from is the last to.
func (s *Store) Due(ctx context.Context, from, to time.Time) ([]string, error) {
	a := s.slack.Load()
	before, after := s.rules.At(from, *s.lastDueSlack.Load()), s.rules.At(to, *a)
	s.settleAt(ctx, before, after)
	ids, err := s.db.Texts(ctx, dueQuery, dueBetween(before, after)...)
	if err == nil {
		s.lastDueSlack.Store(a)
	}
	return ids, sqldb.Wrap("finding who is due", err)
}

// dueBetween returns the stamps that two moments judge differently, as pairs of
// bounds in the order of Due's query, and the blocks of those that its indexes need. A bound goes back where the
// slack has changed between them.
func dueBetween(a, b presence.Cutoffs) (bounds []any) {
	for _, pair := range [][2]int64{{a.Window, b.Window}, {a.Grace, b.Grace}, {a.Expiry, b.Expiry}, {a.Future, b.Future}, {a.Login, b.Login}, {a.Now, b.Now}} {
		bounds = append(bounds, min(pair[0], pair[1]), max(pair[0], pair[1]))
	}
	for _, b := range []struct {
		first int // of the pair, from 0 on
		block func(int64) int64
	}{{0, presence.ActivityBlock}, {4, presence.ExpiryBlock}, {6, presence.ActivityBlock}} {
		bounds = append(bounds, b.block(bounds[b.first].(int64)), b.block(bounds[b.first+1].(int64)))
	}
	return bounds
}
