package store

import (
	"context"
	"database/sql"
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
	ExpiresAt time.Time
}

// Login is a login as an application's back end reports it.
type Login struct {
	User  UserInput
	Token string // the application's own; "" to have one minted
	Origin
}

// LoginResult is the session that a login led to.
type LoginResult struct {
	Session
	Token   string  // only where it was minted here
	Created bool    // false when the same login was reported before
	Evicted []int64 // sessions that ended for it, see SessionLimit
}

// Login stores the user and begins a session for by's app. The same token
// again for the same user answers with the same session. ErrTokenTaken where
// the token belongs to anybody else or to a session that has ended;
// ErrSessionLimit where the user has as many sessions in this app as may be and
// none is to make room; ErrDraining while nobody may log in; ErrForbidden as for PutUser.
func (s *Store) Login(ctx context.Context, now time.Time, by By, in Login) (LoginResult, error) {
	if err := in.User.check(); err != nil {
		return LoginResult{}, err
	}
	var result LoginResult
	token := in.Token
	if token == "" {
		token = newSecret(sessionPrefix)
		result.Token = token
	} else if err := checkToken(token); err != nil {
		return LoginResult{}, err
	}
	err := s.write(ctx, func(t *tx) (err error) {
		if err = t.putUser(now, by, in.User); err != nil {
			return err
		}
		result.Session, result.Created, err = t.beginSession(s.at(now), s.rules, by, in, s.tokenRef(token))
		if err == nil && result.Created {
			err = t.refuseWhileDraining(in.User.ID)
		}
		if err == nil && result.Created && s.limit.Sessions > 0 {
			result.Evicted, err = t.enforceLimit(s.at(now), s.limit, in.User.ID, result.Session)
		}
		return err
	})
	if err != nil {
		return LoginResult{}, err
	}
	return result, nil
}

// beginSession inserts a session, or finds the one with this token.
func (t *tx) beginSession(m presence.Cutoffs, r presence.Rules, by By, in Login, token tokenRef) (Session, bool, error) {
	session := Session{ID: token.id, App: by.App, ExpiresAt: sqldb.Time(m.Now).Add(r.SessionTTL)}
	o := in.Origin.clipped()
	n, err := t.Exec(`
		INSERT INTO user_sessions (id, user_id, organization_id, app, token_sha256, max_access,
			ip_address, user_agent, device_type, device_os, device_browser, location, last_activity_at, created_at, expires_at)
		SELECT $1, id, organization_id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13 FROM users WHERE id = $2
		ON CONFLICT (id) DO NOTHING`,
		session.ID, in.User.ID, by.App, token.digest, by.Grant,
		o.IPAddress, o.UserAgent, o.Device.Type, o.Device.OS, o.Device.Browser, o.Location, m.Now, session.ExpiresAt.UnixMilli())
	if err != nil || n == 1 {
		return session, true, sqldb.Wrap("storing a session", err)
	}
	var expires int64
	err = t.Scan([]any{&expires}, `
		SELECT expires_at FROM user_sessions
		WHERE id = $1 AND token_sha256 = $2 AND user_id = $3 AND app = $4 AND is_active = true AND expires_at > $5`,
		token.id, token.digest, in.User.ID, by.App, m.Expiry)
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, false, ErrTokenTaken
	}
	session.ExpiresAt = sqldb.Time(expires)
	return session, false, sqldb.Wrap("finding a session", err)
}

// Identity is who stands behind a session token.
type Identity struct {
	Session Session
	User    User
	Member  Member
	Access  Access // what this session may do: never more than its key could grant
}

// Authenticate returns who has this session token at now, or ErrSessionEnded.
func (s *Store) Authenticate(ctx context.Context, now time.Time, token string) (Identity, error) {
	var id Identity
	var expires int64
	var limit Access
	u := &id.User
	h := s.tokenRef(token)
	err := s.db.Scan(ctx, []any{&id.Session.ID, &id.Session.App, &expires, &limit,
		&id.Member.OrganizationID, &u.ID, &u.Name, &u.Email, &u.Role, &u.Team, &u.Access}, `
		SELECT s.id, s.app, s.expires_at, s.max_access, s.organization_id, u.id, u.name, u.email, u.role, u.team_name, u.access
		FROM user_sessions s JOIN users u ON u.id = s.user_id
		WHERE s.id = $1 AND s.token_sha256 = $2 AND s.is_active = true AND s.expires_at > $3`, h.id, h.digest, s.at(now).Expiry)
	if errors.Is(err, sql.ErrNoRows) {
		return Identity{}, ErrSessionEnded
	}
	id.Session.ExpiresAt = sqldb.Time(expires)
	id.Member.App, id.Member.Role = id.Session.App, u.Role
	id.Access = min(limit, u.Access)
	return id, sqldb.Wrap("authenticating", err)
}

// EndByToken ends the session of app that has this token and tells whether it
// was active until now.
func (s *Store) EndByToken(ctx context.Context, now time.Time, app, token string, reason presence.EndReason) (bool, error) {
	h := s.tokenRef(token)
	return s.end(ctx, now, Ending{Reason: reason}, `id = $6 AND token_sha256 = $7 AND app = $8`, h.id, h.digest, app)
}

// EndByID ends the session with this id and tells whether it was active until
// now. An app, unless empty, is the only one whose sessions it may be.
func (s *Store) EndByID(ctx context.Context, now time.Time, app string, id int64, reason presence.EndReason) (bool, error) {
	return s.end(ctx, now, Ending{Reason: reason}, `id = $6 AND ($7 = '' OR app = $7)`, id, app)
}

func (s *Store) end(ctx context.Context, now time.Time, e Ending, which string, args ...any) (bool, error) {
	var n int64
	err := s.writeOne(ctx, func(t *tx) (err error) {
		n, err = t.end(s.at(now), e, which, args...)
		return err
	})
	return n > 0, err
}

// end ends the active sessions that the condition which names. Its parameters
// begin at $6. A session that is past its time is left for the cleanup, which
// knows the true reason.
func (t *tx) end(m presence.Cutoffs, e Ending, which string, args ...any) (int64, error) {
	n, err := t.Exec(fmt.Sprintf(`
		UPDATE user_sessions SET is_active = false, ended_at = $1, end_reason = $2, ended_by = $4, end_note = $5
		WHERE is_active = true AND expires_at > $3 AND %s`, which),
		append([]any{m.Now, string(e.Reason), m.Expiry, e.By, e.Note}, args...)...)
	return n, sqldb.Wrap("ending a session", err)
}
