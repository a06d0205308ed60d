package ui_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"rollcall/server/api"
	"rollcall/server/client"
)

// life is a Rollcall and browsers of its own, with an application that has forgotten everybody.
type life struct {
	*stage
	h        *host
	settings []string
}

// newLife starts a Rollcall behind the address that the application knows.
func (h *host) newLife(t *testing.T, settings ...string) *life {
	t.Helper()
	l := &life{stage: &stage{t: t, host: h.front.url}, h: h}
	l.settings = append([]string{"--heartbeat", "1s", "--online-window", "20s", "--leave-grace", "1s", "--allow-origin", h.front.url, "--allow-origin", h.stranger.url}, settings...)
	data := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(data, os.DirFS(h.data)); err != nil {
		t.Fatal(err)
	}
	l.in = start(t, binary, data, "127.0.0.1:0", l.settings...)
	l.backend = client.New(l.in.url, h.admin)
	t.Cleanup(l.backend.Close)
	l.h.front.forget()
	l.rollcallIsBack()
	l.allow(l.policy(""), "", "")
	before := h.output.len()
	res, err := http.Get(h.direct + "/reset")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	t.Cleanup(func() {
		for _, token := range h.front.made(ofTokens) {
			if token.method == http.MethodPost && !strings.Contains(token.cache, "no-store") {
				t.Errorf("a token may be kept by caches: %+v", token)
			}
		}
		if t.Failed() {
			t.Logf("%s says:\n%s", h.name, h.output.since(before))
		}
	})
	return l
}

// policy lets a page do what the script tag needs, and load further scripts.
func (l *life) policy(scripts string) string {
	return "default-src 'none'; form-action 'self'; base-uri 'none'; img-src 'self'; script-src " + scripts + l.h.scripts + l.h.rollcall.url + "; connect-src 'self' " + l.h.rollcall.url
}

// allow sets the policy of all pages, and what is added to them.
func (l *life) allow(policy, head, body string) {
	l.h.front.mu.Lock()
	defer l.h.front.mu.Unlock()
	l.h.front.policy, l.h.front.head, l.h.front.body = policy, head, body
}

// rollcallIsBack has Rollcall answer at its address.
func (l *life) rollcallIsBack() {
	l.t.Helper()
	target, err := url.Parse(l.in.url)
	if err != nil {
		l.t.Fatal(err)
	}
	l.h.rollcall.forward(target)
	l.h.rollcall.forget()
}

// device is a new browser profile with the first page of the application.
func (l *life) device() *tab {
	l.t.Helper()
	b := newTab(l.t, l.h.root.ctx, chromedp.WithNewBrowserContext())
	b.open(l.host + "/")
	return b
}

// login fills in the form.
func (l *life) login(b *tab, name string, remember bool) {
	l.t.Helper()
	l.tryLogin(b, name, remember)
	b.until(`document.querySelector('#logout') && document.querySelector('#who').textContent !== ''`)
}

func (l *life) tryLogin(b *tab, name string, remember bool) {
	l.t.Helper()
	b.fill(`#login [name=name]`, name)
	b.fill(`#login [name=password]`, "secret")
	if remember {
		b.click(`#login [name=remember]`)
	}
	b.click(`#login button`)
}

// fillIn sends one of the other forms, with a value of its only field or "".
func (l *life) fillIn(b *tab, form, value string) {
	l.t.Helper()
	if value != "" {
		b.fill(`#`+form+` input:not([type=hidden])`, value)
	}
	b.click(`#` + form + ` button`)
}

// isOut waits until a page has the form to log in.
func (l *life) isOut(b *tab) {
	l.t.Helper()
	b.until(`document.readyState === 'complete' && document.querySelector('#login') && !document.querySelector('#logout')`)
}

// sessions are all of a user, also those that have ended.
func (l *life) sessions(user string) []api.ListedSession {
	l.t.Helper()
	all, err := l.backend.Sessions(l.t.Context(), client.SessionFilter{User: user, State: "all"})
	if err != nil {
		l.t.Fatal(err)
	}
	return all.Sessions
}

// only is the one session that a user ever had.
func (l *life) only(user string) api.ListedSession {
	l.t.Helper()
	all := l.sessions(user)
	if len(all) != 1 {
		l.t.Fatalf("%d sessions, want one: %+v", len(all), all)
	}
	return all[0]
}

// loseDatabase puts one in its place that has the keys and nobody.
func (l *life) loseDatabase() {
	l.t.Helper()
	if err := os.RemoveAll(l.in.data); err != nil {
		l.t.Fatal(err)
	}
	if err := os.CopyFS(l.in.data, os.DirFS(l.h.data)); err != nil {
		l.t.Fatal(err)
	}
}

// revokeAll ends all sessions of a user as an admin does.
func (l *life) revokeAll(user string) {
	l.t.Helper()
	if _, err := l.backend.RevokeAll(l.t.Context(), api.Revocation{User: user}); err != nil {
		l.t.Fatal(err)
	}
}

// eventually waits for a condition on what the application or Rollcall was asked.
func (l *life) eventually(fact string, is func() bool) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	for !is() {
		select {
		case <-ctx.Done():
			l.t.Fatalf("it never was so that %s", fact)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
