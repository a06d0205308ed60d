package ui_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"rollcall/server/api"
	"rollcall/server/client"
)

// application is a host with sessions of its own, by a cookie, and one route for Rollcall.
type application struct {
	*stage
	rollcall string

	mu       sync.Mutex
	sessions map[string]string // the user of each cookie
	tokens   map[string]string // what was reported of each cookie
	asked    int               // how often for a token
	loads    int               // of pages
	made     int               // tokens, and cookies
	rotates  bool              // a token lives for one answer
	keeps    bool              // nobody is signed out, whatever Rollcall says
	fails    http.HandlerFunc  // what answers in place of the route, if anything
}

// newApplication starts one, of which every page holds this script tag; %s is Rollcall's address.
func newApplication(t *testing.T, page string, settings ...string) *application {
	t.Helper()
	a := &application{stage: &stage{t: t, page: page, wire: &wire{}}, sessions: map[string]string{}, tokens: map[string]string{}}
	routes := http.NewServeMux()
	routes.HandleFunc("/favicon.ico", http.NotFound)
	routes.HandleFunc("/login", a.login)
	routes.HandleFunc("/logout", a.logout)
	routes.HandleFunc("POST /rollcall/token", a.answer)
	routes.HandleFunc("/", a.show)
	host := httptest.NewServer(routes)
	t.Cleanup(host.Close)
	a.host = host.URL
	settings = append(settings, "--allow-origin", a.host)
	a.in = serve(t, settings...)
	a.rollcall = a.wire.before(t, a.in.url)
	a.backend = a.in.backend(t, "shop", "sessions,read,admin")
	return a
}

const renewing = counting + `<script src="%s/heartbeat.js" data-renew="/rollcall/token" async></script>`

func (a *application) show(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	a.loads++
	a.mu.Unlock()
	w.Header().Set("Content-Type", "text/html")
	_, _ = fmt.Fprintf(w, a.page, a.rollcall)
}

func (a *application) login(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.made++
	id := fmt.Sprint("cookie-", a.made)
	a.sessions[id] = r.FormValue("user")
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", HttpOnly: true})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *application) logout(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if cookie, err := r.Cookie("session"); err == nil {
		if token := a.tokens[cookie.Value]; token != "" {
			_, _ = a.backend.EndSession(r.Context(), token) // at worst the heartbeats stop
		}
		delete(a.sessions, cookie.Value)
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// failing has the route be answered by something else from now on, nil for itself.
func (a *application) failing(by http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fails = by
}

func (a *application) answer(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.asked++
	by := a.fails
	a.mu.Unlock()
	if by == nil {
		by = a.token
	}
	by(w, r)
}

// token is the route, as the README has it.
func (a *application) token(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.Header.Get("X-Rollcall") != "renew" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	cookie, err := r.Cookie("session")
	if err != nil || a.sessions[cookie.Value] == "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	report := api.LoginReport{User: api.UserInput{ID: a.sessions[cookie.Value]}, SessionKey: cookie.Value, SessionToken: a.tokenOf(cookie.Value)}
	if before := a.tokens[cookie.Value]; before != report.SessionToken {
		report.PreviousToken = before
	}
	_, err = a.backend.Login(r.Context(), report)
	if errors.Is(err, &client.Error{Code: "session_ended"}) && !a.keeps {
		delete(a.sessions, cookie.Value)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if err != nil && !a.keeps {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	a.tokens[cookie.Value] = report.SessionToken
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"token": %q}`, report.SessionToken)
}

func (a *application) tokenOf(cookie string) string {
	if a.rotates {
		a.made++
	}
	n := 0
	if a.rotates {
		n = a.made
	}
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, "secret ", cookie, n)))
}

// count is how often the application was asked for a token and for a page.
func (a *application) count() (asked, loads int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked, a.loads
}

// longAgo has the user's session made long past, so that only a heartbeat brings them online.
func (a *application) longAgo(user string) { a.in.backdate(a.t, user, time.Hour, 10*time.Minute) }
