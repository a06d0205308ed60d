package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Session is one login of one user in one application.
type Session struct {
	ID        int64
	App       string
	KeyID     int64 // of the key that reported it; 0 for none
	ExpiresAt time.Time
}

// panelMaxAge is how long a sign-in to the panel lasts at most, however active the person is.
const panelMaxAge = 7 * 24 * time.Hour

// Identity is who stands behind a session token.
type Identity struct {
	Session Session
	User    User
	Member  Member
	Access  Access // what this session may do: never more than its key may grant, and nothing once the key is deleted
}

// Authenticate returns who has this session token at now, or ErrSessionEnded.
func (s *Store) Authenticate(ctx context.Context, now time.Time, token string) (Identity, error) {
	s.settle(ctx, now)
	var id Identity
	err := byToken(s.reader(ctx), now, s.tokenRef(token), func(h tokenRef) (err error) {
		id, err = s.identity(ctx, now, h)
		return err
	})
	if errors.Is(err, sqldb.ErrNotFound) {
		err = ErrSessionEnded
	}
	return id, err
}

func (s *Store) identity(ctx context.Context, now time.Time, h tokenRef) (id Identity, err error) {
	var activity, idle, expires, created int64
	var limit Access
	u := &id.User
	err = s.db.Scan(ctx, []any{&id.Session.ID, &id.Session.App, &id.Session.KeyID, &activity, &expires, &created, &limit,
		&id.Member.OrganizationID, userKey{u}, &u.Name, &u.Email, &u.Role, &u.Team, &u.Access}, `
		SELECT s.id, s.app, COALESCE(s.key_id, 0), s.last_activity_at, s.expires_at, s.created_at,
			CASE WHEN s.key_id IS NULL OR EXISTS (SELECT 1 FROM api_keys WHERE id = s.key_id) THEN s.max_access ELSE 'none' END, s.organization_id, u.id, u.name, u.email, u.role, u.team_name, u.access
		FROM user_sessions s JOIN users u ON u.id = s.user_id
		WHERE s.id = $1 AND s.token_sha256 = $2 AND s.is_active = true AND s.expires_at > $3 AND (s.app <> $4 OR s.created_at > $5)`,
		h.id, h.digest, s.at(now).Expiry, presence.PanelApp, s.at(now).Expiry-panelMaxAge.Milliseconds())
	s.beats.Overlay(id.Session.ID, &activity, &idle, &expires)
	if id.Session.App == presence.PanelApp {
		expires = min(expires, created+panelMaxAge.Milliseconds())
	}
	id.Session.ExpiresAt = sqldb.Time(expires)
	id.Member.App, id.Member.Role = id.Session.App, u.Role
	id.Access = min(limit, u.Access)
	return id, sqldb.Wrap("authenticating", err)
}

// EndByToken ends the session of app that has this token and tells whether it
// was active until now. Of a token that nobody has it is confirmed that its page is gone.
func (s *Store) EndByToken(ctx context.Context, now time.Time, app, token string, reason presence.EndReason) (bool, error) {
	ref, unknown := s.tokenRef(token), false
	ended, err := s.endFound(ctx, now, app, reason, func(t *tx) (reported, error) {
		session, err := ofToken(t.Scan, s.at(now), ref)
		if unknown = err == nil && session.id == 0; unknown {
			err = t.forgetUnidentified(s.pageID(ref))
		}
		return session, err
	})
	if err == nil && unknown {
		s.doubted.forgetAll(s.pageID(ref))
	}
	return ended, err
}

// EndByKey is EndByToken for the app's own name for the session.
func (s *Store) EndByKey(ctx context.Context, now time.Time, app, key string, reason presence.EndReason) (bool, error) {
	return s.endFound(ctx, now, app, reason, func(t *tx) (reported, error) { return ofKey(t.Scan, s.at(now), keyDigest(app, key)) })
}

// EndByID ends the session with this id and tells whether it was active until
// now. An app, unless empty, is the only one whose sessions it may be.
func (s *Store) EndByID(ctx context.Context, now time.Time, app string, id int64, reason presence.EndReason) (bool, error) {
	return s.endFound(ctx, now, app, reason, func(t *tx) (reported, error) {
		return find(t.Scan, s.at(now), `false`, ` FROM user_sessions s WHERE s.id = $2`, id)
	})
}

// endFound ends the session that find returns because its application says so, and tells whether
// it was active until now. Of one that has ended it is confirmed that its page is gone: see Gate.
func (s *Store) endFound(ctx context.Context, now time.Time, app string, reason presence.EndReason, find func(*tx) (reported, error)) (ended bool, err error) {
	s.settle(ctx, now)
	err = s.write(ctx, func(t *tx) error {
		session, err := find(t)
		if err != nil || session.id == 0 || app != "" && session.app != app {
			return err
		}
		n, err := t.end(s.at(now), Ending{Reason: reason}, `id = $6`, session.id)
		if ended = n > 0; err != nil || ended {
			return err
		}
		if err = t.endExpired(session.id); err == nil {
			err = t.confirmGone(`id = $1`, session.id)
		}
		return err
	})
	return ended, err
}

// endExpired ends a session that is past its time for good: whoever said that it is to end must not see it
// come back, because the clock is set back, or those are waited for who could not be heard.
func (t *tx) endExpired(id int64) error {
	_, err := t.Exec(endExpired+`id = $1 AND is_active = true`, id)
	return sqldb.Wrap("ending an expired session", err)
}

// confirmGone notes that the pages of sessions, which have ended, are in use no more.
func (t *tx) confirmGone(which string, args ...any) error {
	_, err := t.Exec(`UPDATE user_sessions SET refused_at = NULL WHERE refused_at IS NOT NULL AND `+which, args...)
	return sqldb.Wrap("confirming that somebody has left", err)
}

// EndAll ends the sessions of a user of by's directory in by's app, but for that of a token ("" for none), and
// returns how many were active. Who is told to leave again is confirmed to have left.
func (s *Store) EndAll(ctx context.Context, now time.Time, by By, user, except string, reason presence.EndReason) (total int64, err error) {
	user = by.Key(user)
	s.settle(ctx, now)
	for {
		var ended int64
		err := s.write(ctx, func(t *tx) (err error) {
			ended, err = t.endSome(s.at(now), by, user, s.tokenRef(except), reason, total)
			return err
		})
		total += ended
		if err != nil || ended < revokeBatch {
			return total, err
		}
	}
}

// endSome is EndAll for as many as one write may end, after others.
func (t *tx) endSome(m presence.Cutoffs, by By, user string, except tokenRef, reason presence.EndReason, before int64) (int64, error) {
	stays, err := ofToken(t.Scan, m, except)
	if err != nil {
		return 0, err
	}
	n, err := t.end(m, Ending{Reason: reason, By: by.Actor}, `id IN (
		SELECT id FROM user_sessions WHERE user_id = $6 AND app = $7 AND is_active = true AND expires_at > $3 AND id <> $8 LIMIT $9)`,
		user, by.App, stays.id, revokeBatch)
	if err != nil || n == revokeBatch {
		return n, err
	}
	if _, err := t.Exec(endExpired+`user_id = $1 AND app = $2 AND is_active = true AND id <> $3`, user, by.App, stays.id); err != nil {
		return n, sqldb.Wrap("ending expired sessions", err)
	}
	told := m.Now // those that ended before are told again
	if reason == presence.EndLogout {
		told++
	}
	if err := t.confirmGone(`user_id = $1 AND app = $2 AND id <> $3 AND ended_at < $4`, user, by.App, stays.id, told); err != nil || before+n == 0 {
		return n, err
	}
	return n, t.record(sqldb.Time(m.Now), AuditEvent{Actor: by.Actor, Action: "session.revoke", Target: UserActor(user),
		Detail: joined(sessionCount(before+n), string(reason))})
}

// SignOutEverywhere ends all sessions of an account in the panel and returns how many were active.
func (s *Store) SignOutEverywhere(ctx context.Context, now time.Time, user string) (int64, error) {
	return s.EndAll(ctx, now, By{App: presence.PanelApp, Actor: UserActor(user)}, user, "", presence.EndLogout)
}

// end ends the active sessions that the condition which names. Its parameters
// begin at $6. A session that is past its time is left for the cleanup, which
// knows the true reason. Who logged out is not there any more; whose session ends for another reason may be.
func (t *tx) end(m presence.Cutoffs, e Ending, which string, args ...any) (int64, error) {
	args = append([]any{m.Now, string(e.Reason), m.Expiry, e.By, e.Note}, args...)
	stays := ""
	if e.Reason != presence.EndLogout {
		stays = ", " + lingers(len(args)+1)
		args = append(args, lingering(m)...)
	}
	n, err := t.Exec(fmt.Sprintf(`
		UPDATE user_sessions SET is_active = false, ended_at = $1, end_reason = $2, ended_by = $4, end_note = $5%s
		WHERE is_active = true AND expires_at > $3 AND %s`, stays, which), args...)
	return n, sqldb.Wrap("ending a session", err)
}
