package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"rollcall/store/beats"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Beat is what a heartbeat says besides that its session is alive.
type Beat struct {
	Idle       time.Duration // age of the last input in any tab of that browser; 0 when unknown
	Page       *string       // path of the page; nil: as before
	Client     string        // a random name of the browser, as the application's pages see it; "" for none
	Leaving    bool          // its last tab is closing
	Seen       []int64       // notices that the browser has shown
	WantMember bool          // the answer is to say for whom announcements are
}

// HeartbeatResult is a session whose heartbeat was recorded.
type HeartbeatResult struct {
	Session
	Member Member // where that was asked for
}

// Characters that are kept.
const (
	maxPage   = 200 // of a page's path
	maxClient = 64  // of a browser's name
)

// Touch records a heartbeat at now. It returns ErrSessionEnded for a session
// that is unknown, ended or expired: a late heartbeat must not bring a session
// back. A goodbye is only noted; it is no activity.
func (s *Store) Touch(ctx context.Context, now time.Time, token string, beat Beat) (HeartbeatResult, error) {
	h := s.newHeartbeat(now, token, beat)
	job := &sqldb.Job{NoSavepoint: len(beat.Seen) == 0, Run: func(t *sqldb.Tx) error { return h.record(&tx{t}, beat) }}
	if !beat.Leaving && len(beat.Seen) == 0 {
		job.Bulk = h
	}
	err := s.db.Do(ctx, job)
	if err == nil && !h.unchanged {
		s.db.NotifyChanged()
	}
	if err == nil {
		err = h.refusal
	}
	if err != nil {
		return HeartbeatResult{}, err
	}
	return h.result, nil
}

// record writes one heartbeat with all that it says. Where it declines it leaves at most what was true before.
func (h *heartbeat) record(t *tx, beat Beat) (err error) {
	err = byToken(t.Scan, sqldb.Time(h.Now), h.tokenRef, func(session tokenRef) (err error) {
		if err := h.store.foldPerson(t.Tx, session.id); err != nil {
			return err
		}
		h.tokenRef, h.result.ID = session, session.id
		if beat.Leaving {
			h.result.ExpiresAt, err = t.leave(h, session)
			return err
		}
		if h.result.ExpiresAt, err = t.touch(h); err == nil {
			err = h.store.beats.Wrote(t.Tx, session.id, h.Now)
		}
		return err
	})
	if errors.Is(err, sqldb.ErrNotFound) {
		return t.refuse(h, beat.Leaving)
	}
	if err == nil && len(beat.Seen) > 0 {
		err = t.noteSeen(h.Now, h.id, beat.Seen)
	}
	if err == nil && h.wantMember {
		h.result.Member, err = t.member(h.id)
	}
	return err
}

// nearTimeout is how long before the end of the online window a heartbeat is treated as a
// return: before it is committed, or by the clock of another replica, the person may have
// been announced as offline.
const nearTimeout = 10 * time.Second

// heartbeat is what is written for one heartbeat, and what came of it.
type heartbeat struct {
	presence.Cutoffs
	tokenRef
	idle        int64
	idleAfter   int64   // from which idle on a session counts as idle
	staleBefore int64   // one that was last active up to here may seem to have left to somebody
	end         *int64  // of its session, from now on; nil: as before
	page        *string // nil: as before
	client      string  // "": it does not say
	wantMember  bool
	print       beats.Print // of all that it says; 0 without a page

	result     HeartbeatResult
	refusal    error // no session lives that this heartbeat is of
	store      *Store
	recordedIn *sqldb.Tx // with others
	unchanged  bool      // nobody can see a difference
}

func (s *Store) newHeartbeat(now time.Time, token string, beat Beat) *heartbeat {
	h := &heartbeat{store: s, Cutoffs: s.at(now), tokenRef: s.tokenRef(token), client: clip(beat.Client, maxClient), wantMember: beat.WantMember,
		idle: beat.Idle.Milliseconds(), idleAfter: s.rules.IdleAfter.Milliseconds()}
	h.staleBefore = now.Add(min(nearTimeout, s.rules.OnlineWindow/4) - s.rules.OnlineWindow).UnixMilli()
	h.result.ID = h.id
	if beat.Page != nil {
		clipped := clip(*beat.Page, maxPage)
		h.page = &clipped
	}
	if !s.rules.Idle(beat.Idle) { // an unattended tab must not keep its person logged in
		end := h.Now + s.rules.SessionTTL.Milliseconds()
		h.end = &end
	}
	return h
}

func (t *tx) member(session int64) (m Member, err error) {
	err = t.Scan([]any{&m.App, &m.OrganizationID, &m.Role}, `
		SELECT s.app, s.organization_id, u.role FROM user_sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1`, session)
	return m, sqldb.Wrap("reading whose session it is", err)
}

// otherActive begins a condition on another active session o of the person of s.
const otherActive = `EXISTS (SELECT 1 FROM user_sessions o WHERE o.user_id = s.user_id AND o.is_active = true AND o.id <> s.id AND `

// overtakes is the condition that the last input of o lies between the previous one of s
// and the new one. A person is shown by the session with the latest input, so without
// such an o the heartbeat does not change by which session they are shown.
func overtakes(input string) string {
	return strings.ReplaceAll(`(o.last_activity_at - o.idle_ms >= s.last_activity_at - s.idle_ms OR o.last_activity_at - o.idle_ms >= NEW)
			AND (o.last_activity_at - o.idle_ms <= s.last_activity_at - s.idle_ms OR o.last_activity_at - o.idle_ms <= NEW)`, "NEW", input)
}

// laterEnd is the end of a session by a heartbeat. It is never earlier than it was: a clock
// that is behind for a while must not log anybody out when it is right again.
const laterEnd = `CASE WHEN CAST($5 AS BIGINT) > expires_at THEN CAST($5 AS BIGINT) ELSE expires_at END`

// touchUnchanged applies to a heartbeat of which nobody can see a difference. Where the last one is ahead of the clock,
// which was set back, the session may have been offline meanwhile, and have come back by time alone.
var touchUnchanged = `
	UPDATE user_sessions AS s
	SET last_activity_at = $3, idle_ms = $4, expires_at = ` + laterEnd + `
	WHERE id = $1 AND token_sha256 = $2 AND is_active = true AND expires_at > $6 AND heard = true
		AND page = COALESCE($7, page) AND (idle_ms >= $8) = (CAST($5 AS BIGINT) IS NULL) AND leaving_at IS NULL
		AND last_activity_at > $9 AND last_activity_at <= $10 AND client = $12 AND NOT ` + otherActive + overtakes("$11") + `)
	RETURNING expires_at`

const touchChanged = `
	UPDATE user_sessions
	SET last_activity_at = $3, heard = true, idle_ms = $4, expires_at = ` + laterEnd + `, page = COALESCE($7, page), leaving_at = NULL, client = $8
	WHERE id = $1 AND token_sha256 = $2 AND is_active = true AND expires_at > $6 AND COALESCE(client, $8) = $8
	RETURNING expires_at`

// touch records activity and whether anybody could see a difference. Nearly
// always nobody can, and then nothing but the row is written: the second update
// is logged by a trigger because it sets the page.
func (t *tx) touch(h *heartbeat) (time.Time, error) {
	var expires int64
	err := t.Scan([]any{&expires}, touchUnchanged, h.id, h.digest, h.Now, h.idle, h.end, h.Expiry, h.page, h.idleAfter, h.staleBefore, h.Now, h.Now-h.idle, h.client)
	h.unchanged = err == nil
	change := func() error {
		return t.Scan([]any{&expires}, touchChanged, h.id, h.digest, h.Now, h.idle, h.end, h.Expiry, h.page, h.client)
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = change()
	}
	if errors.Is(err, sql.ErrNoRows) {
		if err = t.changeClient(h); err == nil {
			err = change()
		}
	}
	return sqldb.Time(expires), sqldb.Wrap("recording a heartbeat", err)
}

// refuse explains why a heartbeat found no session that lives. That a page is in use whose session
// has ended is noted: somebody works there, and whoever deploys has to know. So it is for a token whose
// place another took, in a page that has not got to know the other.
func (t *tx) refuse(h *heartbeat, leaving bool) error {
	session, err := ofToken(t.Scan, h.Cutoffs, h.tokenRef)
	h.refusal = ErrSessionEnded
	if session.reason != "" && !session.replaced {
		h.refusal = &EndedError{Reason: session.reason}
	}
	switch {
	case err != nil:
		return err
	case session.id == 0:
		return h.refusal
	}
	return t.refuseKnown(h, session.id, leaving)
}

// refuseKnown notes what a heartbeat of a session that has ended says of who is still there.
func (t *tx) refuseKnown(h *heartbeat, session int64, leaving bool) error {
	if leaving {
		return t.leaveEnded(h, session)
	}
	return t.noteRefused(h, session)
}

// noteRefused notes that somebody works in a page of a session that it is not heard for: there was input,
// or somebody claims that they are busy, whatever the input.
func (t *tx) noteRefused(h *heartbeat, session int64) error {
	n, err := t.Exec(`
		UPDATE user_sessions SET refused_at = $2 WHERE id = $1 AND ($3 OR EXISTS (
			SELECT 1 FROM status_claims c WHERE c.user_id = user_sessions.user_id AND c.status = 'busy' AND (c.until IS NULL OR c.until > $2)))`,
		session, h.Now, h.end != nil)
	if err == nil && n > 0 {
		err = t.noteClient(h, session)
	}
	return sqldb.Wrap("noting who is still there", err)
}

// refuseUnknown refuses a heartbeat whose token nobody has or had: it costs no statement of its own.
func (h *heartbeat) refuseUnknown(t *sqldb.Tx) {
	h.recordedIn, h.unchanged, h.refusal = t, true, ErrSessionEnded
}

// KnowsToken tells whether any session has or had a token, active or not.
func (s *Store) KnowsToken(ctx context.Context, token string) (known bool, err error) {
	h := s.tokenRef(token)
	err = s.db.Scan(ctx, []any{&known}, `
		SELECT EXISTS (SELECT 1 FROM user_sessions WHERE id = $1 AND token_sha256 = $2)
			OR EXISTS (SELECT 1 FROM session_tokens WHERE id = $1 AND token_sha256 = $2)`, h.id, h.digest)
	return known, sqldb.Wrap("looking for a token", err)
}

// WhyEnded returns why the session with this token, which is not active any more,
// ended: an [EndedError], or ErrSessionEnded where nobody knows.
func (s *Store) WhyEnded(ctx context.Context, now time.Time, token string) error {
	h := s.tokenRef(token)
	if later, err := follow(s.reader(ctx), now.UnixMilli(), h); err == nil {
		h = later // one that began after the token's first one expired
	} else if !errors.Is(err, sqldb.ErrNotFound) {
		return err
	}
	var reason presence.EndReason
	err := s.db.Scan(ctx, []any{&reason}, `SELECT COALESCE(end_reason, 'expired') FROM user_sessions WHERE id = $1 AND token_sha256 = $2`, h.id, h.digest)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrSessionEnded
	case err != nil:
		return sqldb.Wrap("finding why a session ended", err)
	}
	return &EndedError{Reason: reason}
}
