package auth

import (
	"crypto/hmac"
	"encoding/base64"
	"net/http"
)

// cookieName carries the __Host- prefix wherever the browser grants it: such a
// cookie can not be set by another host or over plain http.
func (a *Authenticator) cookieName() string {
	if a.tls {
		return "__Host-rollcall"
	}
	return "rollcall"
}

// cookieAge is how long a browser keeps a cookie, in seconds. Its session ends earlier.
const cookieAge = 30 * 24 * 3600

func (a *Authenticator) cookie(name, value string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: cookieAge,
		HttpOnly: true, Secure: a.tls, SameSite: http.SameSiteStrictMode}
}

// SignInCookies hold a session's token, and mark the browser as one from which this
// user has signed in.
func (a *Authenticator) SignInCookies(token, user string) []*http.Cookie {
	device := base64.RawURLEncoding.EncodeToString(a.limits.deviceMark(user))
	return []*http.Cookie{a.cookie(a.cookieName(), token), a.cookie(a.cookieName()+"-device", device)}
}

// SignOutCookies delete the session's token in the browser.
func (a *Authenticator) SignOutCookies() []*http.Cookie {
	c := a.cookie(a.cookieName(), "")
	c.MaxAge = -1
	return []*http.Cookie{c}
}

// knownDevice tells whether the account has signed in from this browser since
// the process began.
func (a *Authenticator) knownDevice(r *http.Request, user string) bool {
	cookie, err := r.Cookie(a.cookieName() + "-device")
	if err != nil {
		return false
	}
	mark, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	return err == nil && hmac.Equal(mark, a.limits.deviceMark(user))
}
