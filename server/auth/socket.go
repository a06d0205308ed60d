package auth

import (
	"context"
	"net/http"

	"rollcall/store"
)

// Follow returns who has a credential, if they belong to the audience of a connection. Whoever keeps one open asks
// again when that may have changed.
type Follow func(ctx context.Context, token string) (Caller, error)

// follow is the Follow of an audience.
func (a *Authenticator) follow(who Audience) Follow {
	return func(ctx context.Context, token string) (Caller, error) {
		c, err := a.callerWith(ctx, token)
		if err == nil && !c.May(who) {
			err = Forbidden
		}
		return c, err
	}
}

// byProxy stands for the credential of whom only the proxy knows.
const byProxy = "(by the proxy)"

// Socket returns the credential in the head of a request for a WebSocket, "" for
// none, after finding that it may be used by the page that asks and belongs to the
// audience. A browser sends cookies from any page, so a cookie counts only from a page
// of ours, and so does what the proxy in front says; other pages, and programs, bring a token. So may a page
// beside ours, of the same origin: it says so, and what it brings counts, whoever is signed in to the panel.
func (a *Authenticator) Socket(r *http.Request, who Audience) (token string, follow Follow, err error) {
	ours := a.pages.Own(r)
	if !ours && !a.pages.Known(r) {
		return "", nil, CrossOrigin
	}
	follow = a.follow(who)
	token = Bearer(r)
	ambient := token == "" && ours && r.URL.Query().Get("auth") != "message"
	if ambient {
		if token, err = a.ambientToken(r, who); err != nil {
			return "", nil, err
		}
	}
	if token != "" {
		_, err = follow(r.Context(), token)
	}
	if !ambient || who == People || token != "" && err == nil {
		return token, follow, err
	}
	switch c, ok, failed := a.proxied(r); {
	case failed != nil:
		return "", nil, failed
	case ok && c.May(who):
		return byProxy, a.followProxied(c), nil
	}
	return token, follow, err
}

// ambientToken is the token that a request has without bringing it: where it is about the own session that of the page,
// of somebody whom the proxy has let in, else that of the panel's cookie. "" for none.
func (a *Authenticator) ambientToken(r *http.Request, who Audience) (string, error) {
	if who == People {
		person, ok, err := a.FromProxy(r)
		if err != nil {
			return "", err
		}
		if ok {
			return a.ProxiedToken(person, r.URL.Query().Get("client")), nil
		}
	}
	cookie, err := r.Cookie(a.cookieName(r))
	if err != nil || store.IsKey(cookie.Value) {
		return "", nil
	}
	return cookie.Value, nil
}
