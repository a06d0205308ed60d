package server

import (
	"crypto/hmac"
	"encoding/base64"
	"net/http"
)

// cookieName carries the __Host- prefix wherever the browser grants it: such a
// cookie can not be set by another host or over plain http.
func (s *Server) cookieName() string {
	if s.cfg.TLS {
		return "__Host-rollcall"
	}
	return "rollcall"
}

// cookieAge is how long a browser keeps a cookie, in seconds. Its session ends earlier.
const cookieAge = 30 * 24 * 3600

func (s *Server) cookie(name, value string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: cookieAge,
		HttpOnly: true, Secure: s.cfg.TLS, SameSite: http.SameSiteStrictMode}
}

// sessionCookie holds the session's token; "" deletes the cookie.
func (s *Server) sessionCookie(token string) *http.Cookie {
	c := s.cookie(s.cookieName(), token)
	if token == "" {
		c.MaxAge = -1
	}
	return c
}

// deviceCookie marks a browser from which an account has signed in.
func (s *Server) deviceCookie(user string) *http.Cookie {
	return s.cookie(s.cookieName()+"-device", base64.RawURLEncoding.EncodeToString(s.limits.deviceMark(user)))
}

// knownDevice tells whether the account has signed in from this browser since
// the process began.
func (s *Server) knownDevice(r *http.Request, user string) bool {
	cookie, err := r.Cookie(s.cookieName() + "-device")
	if err != nil {
		return false
	}
	mark, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	return err == nil && hmac.Equal(mark, s.limits.deviceMark(user))
}
