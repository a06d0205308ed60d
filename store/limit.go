package store

import (
	"database/sql"
	"math"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// SessionLimit is how many active sessions a user may have in one app at once.
// It is about the logins that applications report, not about the panel's.
type SessionLimit struct {
	Sessions int  // 0: any number
	Deny     bool // a login too many is refused, rather than the least recently active session ended
}

// enforceLimit makes room for a session that has just been stored, in the same
// transaction, and so exactly, and returns the sessions that ended for it.
func (t *tx) enforceLimit(m presence.Cutoffs, limit SessionLimit, user string, fresh Session) ([]int64, error) {
	const others = `FROM user_sessions WHERE user_id = $1 AND app = $2 AND is_active = true AND expires_at > $3 AND id <> $4`
	about := []any{user, fresh.App, m.Expiry, fresh.ID}
	if limit.Deny {
		var n int
		err := t.Scan([]any{&n}, `SELECT COUNT(*) `+others, about...)
		if err == nil && n >= limit.Sessions {
			err = ErrSessionLimit
		}
		return nil, sqldb.Wrap("counting a user's sessions", err)
	}
	var evicted []int64
	err := t.Each(func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		evicted = append(evicted, id)
		return err
	}, `
		UPDATE user_sessions SET is_active = false, ended_at = $5, end_reason = $6
		WHERE id IN (SELECT id `+others+` ORDER BY last_activity_at DESC, id DESC LIMIT $7 OFFSET $8) RETURNING id`,
		append(about, m.Now, string(presence.EndEvicted), math.MaxInt32, limit.Sessions-1)...)
	return evicted, sqldb.Wrap("making room for a session", err)
}
