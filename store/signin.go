package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Credentials are what somebody signs in with.
type Credentials struct {
	Name, Password string
	Code           string // of the authenticator app or a recovery code; "": none was asked for yet
	KnownDevice    bool   // a browser from which this account signed in before, which waits for no strangers
}

// SignIn begins a panel session for a name and password and, where the account has an authenticator app, a code. ErrWrongPassword
// for an unknown name too, after the same time; ErrHashingCrowded where too many try at once. Once the password is right: ErrCodeNeeded
// without a code, ErrWrongCode for a wrong one and ErrCodesBlocked after too many.
func (s *Store) SignIn(ctx context.Context, now time.Time, in Credentials, from Origin) (LoginResult, error) {
	var user, hash string
	err := s.db.Scan(ctx, []any{&user, &hash}, `SELECT user_id, password_hash FROM accounts WHERE name = $1`,
		strings.ToLower(in.Name))
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && hash == "": // nobody has chosen a password yet
		user, hash = "", unknownName
	case err != nil:
		return LoginResult{}, sqldb.Wrap("finding an account", err)
	}
	turn := strangers
	if in.KnownDevice {
		turn = known
	}
	same, err := turn.verifyPassword(ctx, in.Password, hash)
	if err == nil && (!same || user == "") {
		err = ErrWrongPassword
	}
	if err != nil {
		return LoginResult{}, err
	}
	return s.signIn(ctx, now, user, hash, from, func(t *tx) (string, error, error) { return t.checkCode(now, user, in.Code) })
}

// SignInAs begins a panel session for an account without a password or a code, for
// somebody who proved otherwise that they may. ErrNotFound for an unknown id.
func (s *Store) SignInAs(ctx context.Context, now time.Time, user string, from Origin) (LoginResult, error) {
	var hash string
	err := s.db.Scan(ctx, []any{&hash}, `SELECT password_hash FROM accounts WHERE user_id = $1`, user)
	if err != nil {
		return LoginResult{}, sqldb.Wrap("finding an account", err)
	}
	return s.signIn(ctx, now, user, hash, from, func(*tx) (string, error, error) { return "", nil, nil })
}

// signIn begins the session unless the password has changed since hash was read, or second refuses it: it tells by what else
// somebody proved who they are.
func (s *Store) signIn(ctx context.Context, now time.Time, user, hash string, from Origin, second func(*tx) (proof string, refused, err error)) (LoginResult, error) {
	result := LoginResult{Token: newSecret(sessionPrefix), Created: true}
	var refused error // and what was counted for it stays
	err := s.write(ctx, func(t *tx) (err error) {
		var same bool
		var proof string
		err = t.Scan([]any{&same}, `SELECT EXISTS (SELECT 1 FROM accounts WHERE user_id = $1 AND password_hash = $2)`, user, hash)
		if err == nil && !same {
			return ErrWrongPassword
		}
		if err != nil {
			return sqldb.Wrap("checking an account", err)
		}
		if proof, refused, err = second(t); err != nil || refused != nil {
			return err
		}
		result.Session, err = s.beginPanel(t, now, user, result.Token, from, proof)
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return LoginResult{}, fmt.Errorf("signing in: %w", err)
	}
	return result, nil
}

// beginPanel begins a session of the panel and records it.
func (s *Store) beginPanel(t *tx, now time.Time, user, token string, from Origin, proof string) (Session, error) {
	if err := s.foldUser(t.Tx, user); err != nil {
		return Session{}, err
	}
	in := Login{User: UserInput{ID: user}, Origin: from}
	session, err := s.begin(t, s.at(now), By{App: presence.PanelApp, Grant: AccessAdmin}, in, s.tokenRef(token), nil)
	if err != nil {
		return Session{}, err
	}
	return session, t.record(now, AuditEvent{Actor: UserActor(user), Action: "panel.sign_in", Detail: proof})
}

// RecordFailure notes that somebody tried in vain to sign in to the account of
// that name. One entry an hour tells that it is going on, and only one for all
// names that no account has: what strangers type is not kept. It takes longer
// where it writes, so whoever tried must not wait for it.
func (s *Store) RecordFailure(ctx context.Context, now time.Time, name string) error {
	d := AuditEvent{Actor: ActorUnknown, Action: "panel.sign_in_failed", Detail: "no such account"}
	var user string
	err := s.db.Scan(ctx, []any{&user}, `SELECT user_id FROM accounts WHERE name = $1`, strings.ToLower(name))
	switch {
	case err == nil:
		d.Target, d.Detail = UserActor(user), ""
	case !errors.Is(err, sql.ErrNoRows):
		return sqldb.Wrap("finding an account", err)
	}
	return s.RecordOncePerHour(ctx, now, d)
}
