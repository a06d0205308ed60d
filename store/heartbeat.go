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
	Seen    []int64       // notices that the browser has shown
	Whose   bool          // the answer is to say for whom announcements are
}

// Beaten is a session whose heartbeat was recorded.
type Beaten struct {
	Session
	Member Member // where that was asked for
}

const maxPage = 200 // characters kept of a page's path

// Touch records a heartbeat at now. It returns ErrSessionEnded for a session
// that is unknown, ended or expired: a late heartbeat must not bring a session
// back. A goodbye is only noted; it is no activity.
func (s *Store) Touch(ctx context.Context, now time.Time, token string, beat Beat) (Beaten, error) {
	h := s.heard(now, token, beat)
	job := &write{ctx: ctx, single: len(beat.Seen) == 0, run: func(t *tx) (err error) {
		if beat.Leaving {
			h.Beaten.ExpiresAt, err = t.leave(h.moment, h.handle)
		} else {
			h.Beaten.ExpiresAt, err = t.touch(h)
		}
		if err == nil && len(beat.Seen) > 0 {
			err = t.noteSeen(h.now, h.id, beat.Seen)
		}
		if err == nil && h.whose {
			h.Beaten.Member, err = t.member(h.id)
		}
		return err
	}}
	if !beat.Leaving && len(beat.Seen) == 0 {
		job.heartbeat = h
	}
	err := s.writer.do(job)
	if !h.unseen {
		err = s.announce(err)
	}
	return h.Beaten, err
}

// nearlyGone is how long before the end of the online window a heartbeat counts as
// one of somebody who comes back: until it is committed, or by the clock of another
// replica, they may have been announced as gone.
const nearlyGone = 10 * time.Second

// heartbeat is one as the database is told of it, and what came of it.
type heartbeat struct {
	moment
	handle
	idle      int64
	idleAfter int64   // from which idle on a session counts as idle
	silence   int64   // one that was last active up to here may seem to have left to somebody
	end       *int64  // of its session, from now on; nil: as before
	page      *string // nil: as before
	whose     bool

	Beaten   Beaten
	recorded bool // with others
	unseen   bool // nobody can see a difference
}

func (s *Store) heard(now time.Time, token string, beat Beat) *heartbeat {
	h := &heartbeat{moment: s.at(now), handle: s.handle(token), whose: beat.Whose,
		idle: beat.Idle.Milliseconds(), idleAfter: s.rules.IdleAfter.Milliseconds()}
	h.silence = millis(now.Add(min(nearlyGone, s.rules.OnlineWindow/4) - s.rules.OnlineWindow))
	h.Beaten.ID = h.id
	if beat.Page != nil {
		clipped := clip(*beat.Page, maxPage)
		h.page = &clipped
	}
	if !s.rules.Idle(beat.Idle) { // an unattended tab must not keep its person logged in
		end := h.now + s.rules.SessionTTL.Milliseconds()
		h.end = &end
	}
	return h
}

func (t *tx) member(session int64) (m Member, err error) {
	err = t.scan([]any{&m.App, &m.OrganizationID, &m.Role}, `
		SELECT s.app, s.organization_id, u.role FROM user_sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1`, session)
	return m, fail("reading whose session it is", err)
}

// touch records activity and whether anybody could see a difference. Nearly
// always nobody can, and then nothing but the row is written: the second update
// is logged by a trigger because it sets the page.
func (t *tx) touch(h *heartbeat) (expires time.Time, err error) {
	n, err := t.exec(`
		UPDATE user_sessions
		SET last_activity_at = $3, idle_ms = $4, expires_at = COALESCE(CAST($5 AS BIGINT), expires_at)
		WHERE id = $1 AND token_sha256 = $2 AND is_active = true AND expires_at > $6
			AND page = COALESCE($7, page) AND (idle_ms >= $8) = (CAST($5 AS BIGINT) IS NULL) AND leaving_at IS NULL
			AND last_activity_at > $9 AND last_activity_at <= $10`,
		h.id, h.digest, h.now, h.idle, h.end, h.expiry, h.page, h.idleAfter, h.silence, h.future)
	h.unseen = n > 0
	if err == nil && n == 0 {
		n, err = t.exec(`
			UPDATE user_sessions
			SET last_activity_at = $3, idle_ms = $4, expires_at = COALESCE(CAST($5 AS BIGINT), expires_at), page = COALESCE($7, page), leaving_at = NULL
			WHERE id = $1 AND token_sha256 = $2 AND is_active = true AND expires_at > $6`,
			h.id, h.digest, h.now, h.idle, h.end, h.expiry, h.page)
	}
	if err != nil {
		return time.Time{}, fail("recording a heartbeat", err)
	}
	return t.beaten(h.handle, n, h.end)
}

func (t *tx) leave(m moment, h handle) (time.Time, error) {
	n, err := t.exec(`
		UPDATE user_sessions SET leaving_at = $3
		WHERE id = $1 AND token_sha256 = $2 AND is_active = true AND expires_at > $4`, h.id, h.digest, m.now, m.expiry)
	if err != nil {
		return time.Time{}, fail("recording a goodbye", err)
	}
	return t.beaten(h, n, nil)
}

// beaten returns when the session ends of which a heartbeat has updated n rows:
// end, or where that is nil what the database says.
func (t *tx) beaten(h handle, n int64, end *int64) (time.Time, error) {
	if n == 0 {
		return time.Time{}, t.whyEnded(h)
	}
	if end != nil {
		return fromMillis(*end), nil
	}
	var expires int64
	err := t.scan([]any{&expires}, `SELECT expires_at FROM user_sessions WHERE id = $1`, h.id)
	return fromMillis(expires), fail("reading a session", err)
}

const whyEnded = `SELECT COALESCE(end_reason, 'expired') FROM user_sessions WHERE id = $1 AND token_sha256 = $2`

// whyEnded explains why a heartbeat found no live session.
func (t *tx) whyEnded(h handle) error {
	return endedFor(func(reason *string) error { return t.scan([]any{reason}, whyEnded, h.id, h.digest) })
}

// WhyEnded returns why the session with this token, which is not active any more,
// ended: an [EndedError], or ErrSessionEnded where nobody knows.
func (s *Store) WhyEnded(ctx context.Context, token string) error {
	h := s.handle(token)
	return endedFor(func(reason *string) error { return s.read.QueryRowContext(ctx, whyEnded, h.id, h.digest).Scan(reason) })
}

func endedFor(find func(reason *string) error) error {
	var reason string
	err := find(&reason)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrSessionEnded
	}
	if err != nil {
		return fail("finding why a session ended", err)
	}
	return &EndedError{Reason: EndReason(reason)}
}
