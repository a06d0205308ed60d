package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// A session is found by its token alone: its id is made from the token that began it. The tokens
// for which that is not so stand in session_tokens, and are looked up where the id finds nothing:
// one that took the place of another, and one that is reported again after its session expired.

// scan reads the only row of a query.
type scan func(dest []any, query string, args ...any) error

// follow finds the session of a token that did not begin it, and returns how statements name it;
// ErrNotFound for none. A token whose place another took is heard for a while.
func follow(read scan, now int64, token tokenRef) (session tokenRef, err error) {
	err = read([]any{&session.id, &session.digest}, `
		SELECT s.id, s.token_sha256 FROM session_tokens k JOIN user_sessions s ON s.id = k.session_id
		WHERE k.id = $1 AND k.token_sha256 = $2 AND (k.until IS NULL OR k.until > $3)`, token.id, token.digest, now)
	return session, sqldb.Wrap("following a token", err)
}

// byToken runs f for the session that a token finds, which returns ErrNotFound where it finds none.
func byToken(read scan, now time.Time, token tokenRef, f func(tokenRef) error) error {
	err := f(token)
	if !errors.Is(err, sqldb.ErrNotFound) {
		return err
	}
	if token, err = follow(read, now.UnixMilli(), token); err != nil {
		return err
	}
	return f(token)
}

// reader is scan outside a transaction.
func (s *Store) reader(ctx context.Context) scan {
	return func(dest []any, query string, args ...any) error { return s.db.Scan(ctx, dest, query, args...) }
}

// reported is a session that a report is about: the latest of its key, or of its token.
type reported struct {
	tokenRef         // of the token in use
	user, app string // user by key
	activity  int64
	expires   int64
	ended     int64              // 0: it has not, or by its time alone
	reason    presence.EndReason // "": it is active
	replaced  bool               // the token that found it is heard for a while only
}

// isActive tells whether somebody is logged in by it.
func (r reported) isActive() bool { return r.id != 0 && r.reason == "" }

// find returns a session that a condition on s and its parameters from $2 on name; none is no error.
func find(read scan, m presence.Cutoffs, replaced, from string, args ...any) (r reported, err error) {
	err = read([]any{&r.id, &r.digest, &r.user, &r.app, &r.activity, &r.expires, &r.ended, &r.reason, &r.replaced}, `
		SELECT s.id, s.token_sha256, s.user_id, s.app, s.last_activity_at, s.expires_at, COALESCE(s.ended_at, 0),
			COALESCE(s.end_reason, CASE WHEN s.expires_at <= $1 THEN 'expired' ELSE '' END), `+replaced+from, append([]any{m.Expiry}, args...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return reported{}, nil
	}
	return r, sqldb.Wrap("finding a session", err)
}

// ofToken returns the latest session that has or had this token.
func ofToken(read scan, m presence.Cutoffs, token tokenRef) (reported, error) {
	r, err := find(read, m, `k.until IS NOT NULL`, `
		FROM session_tokens k JOIN user_sessions s ON s.id = k.session_id WHERE k.id = $2 AND k.token_sha256 = $3`, token.id, token.digest)
	if err != nil || r.id != 0 {
		return r, err
	}
	return find(read, m, `false`, ` FROM user_sessions s WHERE s.id = $2 AND s.token_sha256 = $3`, token.id, token.digest)
}

// ofKey returns the latest session of an application's own name for it.
func ofKey(read scan, m presence.Cutoffs, key []byte) (reported, error) {
	if key == nil {
		return reported{}, nil
	}
	return find(read, m, `false`, `
		FROM user_sessions s WHERE s.session_key_sha256 = $2 ORDER BY s.created_at DESC, s.is_active DESC LIMIT 1`, key)
}

// keyDigest is what is kept of an application's own name for a session; nil for none.
func keyDigest(app, key string) []byte {
	if key == "" {
		return nil
	}
	return digest(app + "\x00" + key)
}

// setToken has a session found by another token than before, which is heard for as long as two
// heartbeats take: pages that are open get to know the new one meanwhile.
func (t *tx) setToken(m presence.Cutoffs, r presence.Rules, session reported, token tokenRef) error {
	forget := m.Now - r.SessionTTL.Milliseconds() // up to then it is known that a page with it is one of this session
	_, err := t.Exec(`DELETE FROM session_tokens WHERE session_id = $1 AND until <= $2`, session.id, forget)
	if err != nil {
		return sqldb.Wrap("forgetting replaced tokens", err)
	}
	until := m.Now + 2*r.Heartbeat.Milliseconds()
	n, err := t.Exec(`UPDATE session_tokens SET until = $2 WHERE session_id = $1 AND until IS NULL`, session.id, until)
	if err == nil && n == 0 { // the one that the id is made from
		err = t.alias(tokenRef{session.id, session.digest}, session.id, &until)
	}
	if err == nil {
		err = t.alias(token, session.id, nil)
	}
	if err == nil {
		_, err = t.Exec(`UPDATE user_sessions SET token_sha256 = $2 WHERE id = $1`, session.id, token.digest)
	}
	return sqldb.Wrap("replacing a token", err)
}

// alias has a session found by a token that did not begin it, up to a time or for good.
func (t *tx) alias(token tokenRef, session int64, until *int64) error {
	_, err := t.Exec(`
		INSERT INTO session_tokens (id, token_sha256, session_id, until) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET session_id = excluded.session_id, until = excluded.until`, token.id, token.digest, session, until)
	return sqldb.Wrap("storing a token", err)
}
