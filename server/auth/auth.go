// Package auth finds out who sends a request and what they may: sessions, keys, the
// panel's cookies, how often a sign-in may be tried, and one-time codes. It does not know
// which routes there are, nor what they do.
package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"rollcall/server/authproxy"
	"rollcall/server/origin"
	"rollcall/store"
	"rollcall/store/sqldb"
)

// Authenticator knows callers by their credentials.
type Authenticator struct {
	store     *store.Store
	now       func() time.Time
	tls       bool // people reach the panel by https
	origin    origin.Resolver
	pages     origin.Pages
	proxy     *authproxy.Proxy // nil: none says who asks
	crossSite *http.CrossOriginProtection
	limits    *signInLimits
	unknown   unknownLimits
}

// New returns an authenticator for callers that a store knows, or the proxy in front, nil for none. tls tells that people
// reach the panel by https.
func New(s *store.Store, now func() time.Time, tls bool, from origin.Resolver, pages origin.Pages, proxy *authproxy.Proxy) (*Authenticator, error) {
	a := &Authenticator{store: s, now: now, tls: tls, origin: from, pages: pages, proxy: proxy, crossSite: http.NewCrossOriginProtection(), limits: newSignInLimits(),
		unknown: unknownLimits{buckets: newBuckets()}}
	if u := pages.PublicURL; u != nil {
		if err := a.crossSite.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Admit finds out who is calling, also of whom may not, and whether they may. Where anyone may, nobody is
// asked who they are, so a broken credential can not keep them out.
func (a *Authenticator) Admit(r *http.Request, who Audience) (*http.Request, error) {
	if who == Anyone {
		return r, nil
	}
	c, err := a.Identify(r)
	switch {
	case err != nil:
		return r, err
	case c.Person == nil && c.Key == nil:
		return r, Unauthenticated
	}
	ctx := context.WithValue(r.Context(), callerKey{}, c)
	if !c.May(who) {
		if c.Proxied() && c.access() == store.AccessNone { // who may sign in to an account
			return r, Unauthenticated
		}
		return r.WithContext(ctx), Forbidden
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead { // what changes something is not to fail half-way
		ctx = sqldb.WithCaller(ctx, c.credential())
	}
	return r.WithContext(ctx), nil
}

// sessionHeader brings the token of a session where Authorization is for a proxy. No page of another site can have a
// browser send it.
const sessionHeader = "X-Rollcall-Session"

// Identify returns the caller behind the token of a session in a header of its own, behind the bearer token or,
// without either, behind the panel's cookie, else whom the proxy in front has let in.
func (a *Authenticator) Identify(r *http.Request) (Caller, error) {
	if token := r.Header.Get(sessionHeader); token != "" {
		return a.personWith(r.Context(), token)
	}
	if token := Bearer(r); token != "" {
		return a.callerWith(r.Context(), token)
	}
	if isOfPage(r) {
		if c, ok, err := a.proxied(r); ok || err != nil {
			return c, err
		}
	}
	token, err := a.CookieToken(r)
	if err != nil {
		return Caller{}, err
	}
	if token != "" {
		c, err := a.personWith(r.Context(), token)
		if !errors.Is(err, Unauthenticated) {
			return c, err
		}
	}
	c, _, err := a.proxied(r)
	return c, err
}

// callerWith returns who has a key or a session token.
func (a *Authenticator) callerWith(ctx context.Context, secret string) (Caller, error) {
	if !store.IsKey(secret) {
		return a.personWith(ctx, secret)
	}
	key, err := a.store.KeyBySecret(ctx, secret)
	return Caller{Key: &key}, unknownIs401(err)
}

func (a *Authenticator) personWith(ctx context.Context, token string) (Caller, error) {
	person, err := a.store.Authenticate(ctx, a.now(), token)
	return Caller{Person: &person}, unknownIs401(err)
}

func unknownIs401(err error) error {
	if errors.Is(err, sqldb.ErrNotFound) || errors.Is(err, store.ErrSessionEnded) {
		return Unauthenticated
	}
	return err
}

// Bearer returns the token of the Authorization header, "" without one. Other schemes
// than Bearer are not for us, but for a proxy that asks for a password of its own.
func Bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// CookieToken returns the panel's session token, "" without one. A browser adds
// cookies by itself, so whatever changes something must come from our own page.
func (a *Authenticator) CookieToken(r *http.Request) (string, error) {
	cookie, err := r.Cookie(a.cookieName(r))
	if err != nil || cookie.Value == "" {
		return "", nil
	}
	return cookie.Value, a.OwnOrigin(r)
}

// OwnOrigin refuses an unsafe request that a page of another origin sends.
func (a *Authenticator) OwnOrigin(r *http.Request) error {
	if a.crossSite.Check(r) != nil {
		return CrossOrigin
	}
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
	older := r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") != "" // of which only the host is compared
	if older && !safe && !a.pages.Own(r) {
		return CrossOrigin
	}
	return nil
}
