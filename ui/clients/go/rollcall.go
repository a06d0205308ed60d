// Package rollcall tells Rollcall who is logged in to this application. Without ROLLCALL_URL and ROLLCALL_KEY in the
// environment, and in tests, it does nothing. No call fails, or takes longer than a second. Where a proxy is in front,
// ROLLCALL_TRUSTED_PROXIES has its addresses or networks, separated by commas.
//
//	calls := rollcall.New(session, signOut)
//	mux.HandleFunc("/rollcall/token", calls.Token)
//
// A page holds calls.Script in its head. Before a login: if calls.Refuses(w, r, person) { return }.
package rollcall

import (
	"encoding/json"
	"flag"
	"fmt"
	"html/template"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// Client reports to Rollcall.
type Client struct {
	base, key string
	session   func(*http.Request) (string, *Person)
	signOut   func(http.ResponseWriter, *http.Request)
	proxies   []netip.Prefix
	http      *http.Client
	failing   atomic.Bool
}

// New returns a client that learns from session who is logged in, nil for nobody, and by which session: an id that no
// other login has and that stays the same for this one. signOut logs the person of a request out, without an answer.
func New(session func(*http.Request) (id string, person *Person), signOut func(http.ResponseWriter, *http.Request)) *Client {
	c := &Client{session: session, signOut: signOut, http: &http.Client{Timeout: time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if flag.Lookup("test.v") == nil {
		c.base, c.key = strings.TrimRight(os.Getenv("ROLLCALL_URL"), "/"), os.Getenv("ROLLCALL_KEY")
	}
	c.proxies = networks(os.Getenv("ROLLCALL_TRUSTED_PROXIES"))
	return c
}

func (c *Client) off() bool { return c.base == "" || c.key == "" }

// Script is the tag for the head of every page.
func (c *Client) Script() template.HTML {
	if c.off() {
		return ""
	}
	return template.HTML(`<script src="` + template.HTMLEscapeString(c.base) + `/heartbeat.js" data-renew="/rollcall/token" async></script>`)
}

// Token is the route that heartbeat.js asks who is logged in.
func (c *Client) Token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost || r.Header.Get("X-Rollcall") != "renew" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	id, person := c.session(r)
	if c.off() || id == "" || person == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer, ok := c.ask(r, "POST", "/admin/sessions", map[string]any{"user": person.clipped(), "session_key": keyOf(id), "session_token": c.token(id),
		"ip_address": c.address(r), "user_agent": r.UserAgent()}, "session_ended")
	switch {
	case answer.Code == "session_ended":
		c.signOut(w, r)
		c.ask(r, "POST", "/admin/sessions/end", map[string]string{"session_key": keyOf(id)}) // they have left
		w.WriteHeader(http.StatusNoContent)
	case !ok:
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"token": c.token(id)})
	}
}

// Refuses tells whether somebody may not log in now, and then answers with a page that says why.
func (c *Client) Refuses(w http.ResponseWriter, r *http.Request, person Person) bool {
	answer, _ := c.ask(r, "POST", "/admin/sessions/may", map[string]any{"user": person.clipped()}, "draining", "session_limit")
	status, why := http.StatusServiceUnavailable, answer.Error
	switch answer.Code {
	case "draining":
	case "session_limit":
		status, why = http.StatusConflict, "You are logged in as often as you may be. Log out elsewhere first."
	default:
		return false
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Not now</title><h1>Not now</h1><p>%s</p><p><a href="">Try again</a></p></html>`, template.HTMLEscapeString(why))
	return true
}

// LoggedOut is to be called before the session is gone.
func (c *Client) LoggedOut(r *http.Request) {
	if id, _ := c.session(r); id != "" {
		c.ask(r, "POST", "/admin/sessions/end", map[string]string{"session_key": keyOf(id)})
	}
}

// PasswordChanged ends the other sessions of whoever is logged in.
func (c *Client) PasswordChanged(r *http.Request) {
	if id, person := c.session(r); id != "" && person != nil {
		c.ask(r, "POST", "/admin/sessions/end", map[string]string{"user": person.ID, "reason": "password_changed", "except_token": c.token(id)})
	}
}

// Changed tells what is new of somebody, such as the name.
func (c *Client) Changed(r *http.Request, person Person) {
	c.ask(r, "PUT", "/admin/users/"+url.PathEscape(person.ID), person.clipped())
}

// Deactivated ends all sessions of somebody.
func (c *Client) Deactivated(r *http.Request, id string) {
	c.ask(r, "POST", "/admin/sessions/end", map[string]string{"user": id, "reason": "revoked"})
}

// Deleted removes somebody from Rollcall.
func (c *Client) Deleted(r *http.Request, id string) {
	if answer, _ := c.ask(r, "DELETE", "/admin/users/"+url.PathEscape(id), nil, "forbidden", "not_found"); answer.Code == "forbidden" {
		c.Deactivated(r, id) // another application has them too
	}
}
