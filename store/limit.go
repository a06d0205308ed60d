package store

import (
	"database/sql"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// SessionLimit is how many active sessions a user may have in one app at once.
// It is about the logins that applications report, not about the panel's.
type SessionLimit struct {
	Sessions int  // 0: any number
	Deny     bool // a login too many is refused, rather than the least recently active session ended; see enforceLimit
}

// enforceLimit makes room for a session that has just been stored, in the same
// transaction, and so exactly, and returns the sessions that ended for it. Those
// that nobody has open any more go first, and where a login too many is denied
// only those.
func (t *tx) enforceLimit(m presence.Cutoffs, limit SessionLimit, user string, fresh Session) ([]int64, error) {
	open, abandoned, err := countOthers(t.Scan, m, user, fresh.App, fresh.ID)
	switch {
	case err != nil:
		return nil, err
	case limit.Deny && open >= limit.Sessions:
		return nil, ErrSessionLimit
	case open+abandoned < limit.Sessions:
		return nil, nil
	}
	var evicted []int64
	err = t.Each(func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		evicted = append(evicted, id)
		return err
	}, `
		UPDATE user_sessions SET is_active = false, ended_at = $7, end_reason = $8, `+lingers(10)+`
		WHERE id IN (SELECT id `+otherSessions+` ORDER BY CASE WHEN `+isAbandoned+` THEN 0 ELSE 1 END, last_activity_at, id LIMIT $9) RETURNING id`,
		append([]any{user, fresh.App, m.Expiry, fresh.ID, m.Grace, m.Window, m.Now, string(presence.EndEvicted), open + abandoned - limit.Sessions + 1}, lingering(m)...)...)
	return evicted, sqldb.Wrap("making room for a session", err)
}

// otherSessions are the active sessions of a user in an app, without one.
const otherSessions = `FROM user_sessions WHERE user_id = $1 AND app = $2 AND is_active = true AND expires_at > $3 AND id <> $4`

// countOthers counts them: those that somebody has open, and those that nobody has open any more.
func countOthers(read scan, m presence.Cutoffs, user, app string, without int64) (open, abandoned int, err error) {
	err = read([]any{&open, &abandoned}, `
		SELECT COALESCE(SUM(CASE WHEN `+isAbandoned+` THEN 0 ELSE 1 END), 0), COALESCE(SUM(CASE WHEN `+isAbandoned+` THEN 1 ELSE 0 END), 0) `+otherSessions,
		user, app, m.Expiry, without, m.Grace, m.Window)
	return open, abandoned, sqldb.Wrap("counting a user's sessions", err)
}

// isAbandoned is which sessions nobody has open any more: one that said goodbye, or one that sent heartbeats and
// has not been heard of for so long that the goodbye must have been lost.
const isAbandoned = `(COALESCE(leaving_at <= $5, false) OR heard = true AND last_activity_at <= $6)`
