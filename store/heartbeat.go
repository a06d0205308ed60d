package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Beat is what a heartbeat says besides that its session is alive.
type Beat struct {
	Idle    time.Duration // age of the last input in any tab of that browser; 0 when unknown
	Page    *string       // path of the page; nil: as before
	Leaving bool          // the last tab is closing
}

const maxPage = 200 // characters kept of a page's path

// Touch records a heartbeat at now. It returns ErrSessionEnded for a session
// that is unknown, ended or expired: a late heartbeat must not bring a session
// back. A goodbye is only noted; it is no activity.
func (s *Store) Touch(ctx context.Context, now time.Time, token string, beat Beat) (Session, error) {
	h := s.handle(token)
	session := Session{ID: h.id}
	err := s.writeOne(ctx, func(t *tx) (err error) {
		if beat.Leaving {
			session.ExpiresAt, err = t.leave(now, h)
		} else {
			session.ExpiresAt, err = t.touch(now, s.rules, h, beat)
		}
		return err
	})
	return session, err
}

func (t *tx) touch(now time.Time, r Rules, h handle, beat Beat) (time.Time, error) {
	var page *string
	if beat.Page != nil {
		clipped := clip(*beat.Page, maxPage)
		page = &clipped
	}
	var expires *int64      // nil: as before
	if !r.idle(beat.Idle) { // an unattended tab must not keep its person logged in
		end := millis(now.Add(r.SessionTTL))
		expires = &end
	}
	return t.beat(h, expires, `
		UPDATE user_sessions
		SET last_activity_at = $3, idle_ms = $4, page = COALESCE($5, page), leaving_at = NULL,
			expires_at = COALESCE($6, expires_at)
		WHERE id = $1 AND token_sha256 = $2 AND is_active = true AND expires_at > $3`,
		millis(now), beat.Idle.Milliseconds(), page, expires)
}

func (t *tx) leave(now time.Time, h handle) (time.Time, error) {
	return t.beat(h, nil, `
		UPDATE user_sessions SET leaving_at = $3
		WHERE id = $1 AND token_sha256 = $2 AND is_active = true AND expires_at > $3`, millis(now))
}

// beat runs an update of a live session and returns when that session ends:
// expires, or where that is nil what the database says. The update's first
// parameters are the session's id and digest.
func (t *tx) beat(h handle, expires *int64, update string, args ...any) (time.Time, error) {
	n, err := t.exec(update, append([]any{h.id, h.digest}, args...)...)
	if err != nil {
		return time.Time{}, fail("recording a heartbeat", err)
	}
	if n == 0 {
		return time.Time{}, t.whyEnded(h)
	}
	if expires != nil {
		return fromMillis(*expires), nil
	}
	var end int64
	err = t.scan([]any{&end}, `SELECT expires_at FROM user_sessions WHERE id = $1`, h.id)
	return fromMillis(end), fail("reading a session", err)
}

// whyEnded explains why a heartbeat found no live session.
func (t *tx) whyEnded(h handle) error {
	var reason string
	err := t.scan([]any{&reason},
		`SELECT COALESCE(end_reason, 'expired') FROM user_sessions WHERE id = $1 AND token_sha256 = $2`, h.id, h.digest)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrSessionEnded
	}
	if err != nil {
		return fail("finding why a session ended", err)
	}
	return &EndedError{Reason: EndReason(reason)}
}
