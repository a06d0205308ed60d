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
	var session Session
	err := s.writeOne(ctx, func(t *tx) (err error) {
		if beat.Leaving {
			session, err = t.leave(now, digest(token))
		} else {
			session, err = t.touch(now, s.rules, digest(token), beat)
		}
		if errors.Is(err, sql.ErrNoRows) {
			return t.whyEnded(digest(token))
		}
		return fail("recording a heartbeat", err)
	})
	return session, err
}

func (t *tx) touch(now time.Time, r Rules, token []byte, beat Beat) (Session, error) {
	var page *string
	if beat.Page != nil {
		clipped := clip(*beat.Page, maxPage)
		page = &clipped
	}
	var expires *int64
	if !r.idle(beat.Idle) { // an unattended tab must not keep its person logged in
		at := millis(now.Add(r.SessionTTL))
		expires = &at
	}
	return t.session(`
		UPDATE user_sessions
		SET last_activity_at = $2, idle_ms = $3, page = COALESCE($4, page), leaving_at = NULL,
			expires_at = COALESCE($5, expires_at)
		WHERE token_sha256 = $1 AND is_active = true AND expires_at > $2
		RETURNING id, app, expires_at`, token, millis(now), beat.Idle.Milliseconds(), page, expires)
}

func (t *tx) leave(now time.Time, token []byte) (Session, error) {
	return t.session(`
		UPDATE user_sessions SET leaving_at = $2
		WHERE token_sha256 = $1 AND is_active = true AND expires_at > $2
		RETURNING id, app, expires_at`, token, millis(now))
}

func (t *tx) session(query string, args ...any) (session Session, err error) {
	var expires int64
	err = t.scan([]any{&session.ID, &session.App, &expires}, query, args...)
	session.ExpiresAt = fromMillis(expires)
	return session, err
}

// whyEnded explains why a heartbeat found no live session.
func (t *tx) whyEnded(token []byte) error {
	var reason string
	err := t.scan([]any{&reason},
		`SELECT COALESCE(end_reason, 'expired') FROM user_sessions WHERE token_sha256 = $1`, token)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrSessionEnded
	}
	if err != nil {
		return fail("finding why a session ended", err)
	}
	return &EndedError{Reason: EndReason(reason)}
}
