package auth

import (
	"cmp"
	"crypto/hmac"
	"encoding/base64"
	"net/http"
	"strings"

	"rollcall/store"
)

// cookieName carries the __Host- prefix wherever the browser grants it: such a
// cookie can not be set by another host or over plain http. Below a base path the cookie is kept
// to that, away from what else is on the host, which __Host- does not allow; __Secure- keeps it to https.
// To a browser all ports of a host are one place for cookies, so each Rollcall there has a name of its own.
func (a *Authenticator) cookieName(r *http.Request) string {
	name := "rollcall"
	if a.tls {
		name = "__Host-rollcall"
		if a.pages.BasePath != "" {
			name = "__Secure-rollcall"
		}
	}
	if port := a.pages.Port(r); port != "" {
		name += "-" + port
	}
	return name + strings.Map(inName, a.pages.BasePath)
}

// inName is how a character of the base path stands in the name of a cookie.
func inName(r rune) rune {
	if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '.' {
		return r
	}
	return '-'
}

// cookieAge is how long a browser keeps a cookie, in seconds. Its session ends earlier.
const cookieAge = 30 * 24 * 3600

// cookie is sent with a link from a mail or a chat, too (Lax), so that whoever is signed in
// arrives signed in. Nothing changes by such a link, which is a GET; a page of others that
// sends anything else is refused by [Authenticator.OwnOrigin], whatever the browser does.
func (a *Authenticator) cookie(name, value string) *http.Cookie {
	path := cmp.Or(a.pages.BasePath, "/") // as __Host- demands
	return &http.Cookie{Name: name, Value: value, Path: path, MaxAge: cookieAge,
		HttpOnly: true, Secure: a.tls, SameSite: http.SameSiteLaxMode}
}

// SignInCookies hold a session's token, and mark the browser as one from which this
// user has signed in.
func (a *Authenticator) SignInCookies(r *http.Request, token, user string) []*http.Cookie {
	device := base64.RawURLEncoding.EncodeToString(a.store.DeviceMark(user))
	return []*http.Cookie{a.cookie(a.cookieName(r), token), a.cookie(a.cookieName(r)+"-device", device)}
}

// SignOutCookies delete the session's token in the browser.
func (a *Authenticator) SignOutCookies(r *http.Request) []*http.Cookie {
	c := a.cookie(a.cookieName(r), "")
	c.MaxAge = -1
	return []*http.Cookie{c}
}

// KnownDevice tells whether the account has signed in from this browser before.
func (a *Authenticator) KnownDevice(r *http.Request, account string) bool {
	cookie, err := r.Cookie(a.cookieName(r) + "-device")
	if err != nil {
		return false
	}
	mark, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	return err == nil && hmac.Equal(mark, a.store.DeviceMark(store.AccountID(account)))
}
