package store

import (
	"context"
	"errors"
	"time"

	"rollcall/store/sqldb"
)

// MayLogin tells by's app whether a user may log in to it now: a [DrainingError] while nobody is to,
// ErrSessionLimit where they have as many sessions as may be, and none is to make room. What is
// recorded of the user decides where in leaves out the role. Nothing is reserved: a login that is
// reported later counts whatever was answered here.
func (s *Store) MayLogin(ctx context.Context, now time.Time, by By, in UserInput) error {
	if err := in.check(); err != nil {
		return err
	}
	role := ""
	if in.Role != nil {
		role = *in.Role
	} else if err := s.db.Scan(ctx, []any{&role}, `SELECT role FROM users WHERE id = $1`, by.Key(in.ID)); err != nil && !errors.Is(sqldb.Wrap("", err), sqldb.ErrNotFound) {
		return sqldb.Wrap("reading a user's role", err)
	}
	if err := keepsOut(s.reader(ctx), role); err != nil || s.limit.Sessions == 0 || !s.limit.Deny {
		return err
	}
	s.settle(ctx, now)
	open, _, err := countOthers(s.reader(ctx), s.at(now), by.Key(in.ID), by.App, 0)
	if err == nil && open >= s.limit.Sessions {
		err = ErrSessionLimit
	}
	return err
}

// CheckSession returns the session of app that a token, or else the app's own name for it, finds:
// an [EndedError] where it has ended, ErrSessionEnded where it is unknown.
func (s *Store) CheckSession(ctx context.Context, now time.Time, app, token, key string) (Session, error) {
	s.settle(ctx, now)
	var found reported
	var err error
	if token != "" {
		found, err = ofToken(s.reader(ctx), s.at(now), s.tokenRef(token))
	} else {
		found, err = ofKey(s.reader(ctx), s.at(now), keyDigest(app, key))
	}
	switch {
	case err != nil:
		return Session{}, err
	case found.id == 0 || found.app != app:
		return Session{}, ErrSessionEnded
	case found.reason != "":
		return Session{}, &EndedError{Reason: found.reason}
	}
	s.beats.Overlay(found.id, &found.activity, new(int64), &found.expires)
	return Session{ID: found.id, App: app, ExpiresAt: sqldb.Time(found.expires)}, nil
}
