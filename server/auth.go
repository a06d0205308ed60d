package server

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"rollcall/server/web"
	"rollcall/store"
)

// caller is who sends a request: a person with a session, a key, or nobody.
type caller struct {
	person *store.Identity
	key    *store.Key
}

// access is what the caller may do in Rollcall itself.
func (c caller) access() store.Access {
	switch {
	case c.key != nil:
		return c.key.Scopes.Access()
	case c.person != nil:
		return c.person.Access
	}
	return store.AccessNone
}

// may tells whether the caller belongs to an audience.
func (c caller) may(who audience) bool {
	switch who {
	case anyone:
		return true
	case people:
		return c.person != nil
	case viewers:
		return c.access() >= store.AccessViewer
	case admins:
		return c.access() >= store.AccessAdmin
	case claimants: // of whom, the handler sees
		return c.may(people) || c.may(backends)
	case backends:
		return c.key != nil && c.key.Scopes.Has(store.ScopeSessions)
	}
	return false
}

// by is the caller as the store wants to know it.
func (c caller) by() store.By { return store.By{App: c.key.App, Grant: c.access(), Actor: c.actor()} }

// actor is the caller for the record of what was done.
func (c caller) actor() string {
	if c.key != nil {
		return "key:" + formatID(c.key.ID) + ":" + c.key.App
	}
	return store.UserActor(c.person.User.ID)
}

type callerKey struct{}

// callerOf returns who sends r, once r is admitted.
func callerOf(r *http.Request) caller {
	c, _ := r.Context().Value(callerKey{}).(caller)
	return c
}

var (
	errUnauthenticated = &web.Problem{Status: http.StatusUnauthorized, Code: "unauthenticated", Words: "A valid credential is needed"}
	errForbidden       = &web.Problem{Status: http.StatusForbidden, Code: "forbidden", Words: "This credential may not do that"}
	errCrossOrigin     = &web.Problem{Status: http.StatusForbidden, Code: "cross_origin", Words: "A page of another origin may not do that"}
)

// admit finds out who is calling and whether they may. Routes for anyone are
// not asked who they are, so a broken credential can not keep them out.
func (s *Server) admit(r *http.Request, who audience) (*http.Request, error) {
	if who == anyone {
		return r, nil
	}
	c, err := s.identify(r)
	switch {
	case err != nil:
		return r, err
	case c.person == nil && c.key == nil:
		return r, errUnauthenticated
	case !c.may(who):
		return r, errForbidden
	}
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, c)), nil
}

// identify returns the caller behind the bearer token or, without one, behind
// the panel's cookie.
func (s *Server) identify(r *http.Request) (caller, error) {
	if token := bearer(r); token != "" {
		return s.callerWith(r.Context(), token)
	}
	token, err := s.cookieToken(r)
	if token == "" || err != nil {
		return caller{}, err
	}
	return s.personWith(r.Context(), token)
}

// callerWith returns who has a key or a session token.
func (s *Server) callerWith(ctx context.Context, secret string) (caller, error) {
	if !store.IsKey(secret) {
		return s.personWith(ctx, secret)
	}
	key, err := s.store.KeyBySecret(ctx, secret)
	return caller{key: &key}, unknownIs401(err)
}

func (s *Server) personWith(ctx context.Context, token string) (caller, error) {
	person, err := s.store.Authenticate(ctx, s.now(), token)
	return caller{person: &person}, unknownIs401(err)
}

func unknownIs401(err error) error {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrSessionEnded) {
		return errUnauthenticated
	}
	return err
}

// bearer returns the token of the Authorization header, "" without one. Another
// scheme is between the browser and a proxy that asks for a password of its own.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// cookieToken returns the panel's session token, "" without one. A browser adds
// cookies by itself, so whatever changes something must come from our own page.
func (s *Server) cookieToken(r *http.Request) (string, error) {
	cookie, err := r.Cookie(s.cookieName())
	if err != nil || cookie.Value == "" {
		return "", nil
	}
	return cookie.Value, s.ownOrigin(r)
}

// ownOrigin refuses an unsafe request that a page of another origin sends.
func (s *Server) ownOrigin(r *http.Request) error {
	if s.crossSite.Check(r) != nil {
		return errCrossOrigin
	}
	return nil
}
