package ui_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/server/api"
	"rollcall/server/client"
)

// stage is an application with the script tag on its pages, and a Rollcall that
// its browsers reach through a proxy which sees all that they say.
type stage struct {
	t       *testing.T
	in      instance
	backend *client.Client
	host    string // the application's origin, another one than Rollcall's
	other   string // the same pages by another origin
	page    string // what is at each of its addresses; %s is Rollcall's
	wire    *wire
}

// scriptTag is a page of an application that follows the documentation.
const scriptTag = `<!doctype html><title>host</title><link rel="icon" href="data:,">
	<script src="%s/heartbeat.js" data-token-from="localStorage:accessToken" async></script>`

// newStage starts both, with this page and these settings of the server.
func newStage(t *testing.T, page string, settings ...string) *stage {
	t.Helper()
	s := &stage{t: t, page: page, wire: &wire{}}
	var rollcall string
	s.host = hostPage(t, func() string { return fmt.Sprintf(s.page, rollcall) }).URL
	s.other = strings.Replace(s.host, "127.0.0.1", "localhost", 1)
	s.in = serve(t, append(settings, "--allow-origin", s.host, "--allow-origin", s.other)...)
	rollcall = s.wire.before(t, s.in.url)
	s.backend = s.in.backend(t, "shop", "sessions,read,admin")
	return s
}

// signIn leaves the token of a new login where the application's pages look for
// it. The login is made long past, so that only a heartbeat brings its user online.
func (s *stage) signIn(b *tab, user string) api.Session {
	s.t.Helper()
	session := login(s.t, s.backend, user, user)
	s.in.backdate(s.t, user, time.Hour, 10*time.Minute)
	b.open(s.host + "/favicon.ico") // without the script
	b.eval(`localStorage.setItem('accessToken', '` + session.Token + `')`)
	b.open("about:blank")
	return session
}

// message is a request of a browser to Rollcall.
type message struct {
	arrived, answered time.Time
	text              string // all of it, as sent
}

func (m message) heartbeat() bool {
	return strings.HasPrefix(m.text, "POST /admin/users/heartbeat ") && !m.goodbye()
}

func (m message) goodbye() bool { return strings.Contains(m.text, `"leaving":true`) }

// wire is a proxy that keeps what passes.
type wire struct {
	mu       sync.Mutex
	messages []message
	holds    *hold // what becomes of the next answer
}

// hold is an answer that does not reach the browser.
type hold struct{ reached, over chan struct{} }

// hold keeps back the next answer to a heartbeat, for the rest of the test.
func (w *wire) hold(t *testing.T) (reached <-chan struct{}) {
	h := &hold{make(chan struct{}), make(chan struct{})}
	t.Cleanup(func() { close(h.over) })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holds = h
	return h.reached
}

func (w *wire) answer(res *http.Response) error {
	w.mu.Lock()
	h := w.holds
	if h == nil || res.Request.Method != http.MethodPost {
		w.mu.Unlock()
		return nil
	}
	w.holds = nil
	w.mu.Unlock()
	close(h.reached)
	<-h.over
	return nil
}

// before puts the proxy in front of a server and returns its address.
func (w *wire) before(t *testing.T, server string) string {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: w.answer,
		ErrorHandler:   func(rw http.ResponseWriter, _ *http.Request, _ error) { rw.WriteHeader(http.StatusBadGateway) },
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		m := message{arrived: time.Now()}
		text, err := httputil.DumpRequest(r, true) // leaves the body to be read again
		if err != nil {
			rw.WriteHeader(http.StatusBadRequest)
			return
		}
		forward.ServeHTTP(rw, r)
		m.text, m.answered = string(text), time.Now()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.messages = append(w.messages, m)
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// since lists the messages of a kind that were answered after a moment, by the
// time of their answers.
func (w *wire) since(moment time.Time, kind func(message) bool) (found []message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.messages {
		if m.answered.After(moment) && kind(m) {
			found = append(found, m)
		}
	}
	return found
}

// sample is what the list said of a user at a moment between asked and answered.
type sample struct {
	asked, answered time.Time
	*api.Person     // nil: not online
}

func (s sample) online() bool  { return s.Person != nil }
func (s sample) offline() bool { return s.Person == nil }

func (s sample) String() string {
	if s.offline() {
		return "offline"
	}
	return fmt.Sprintf("%+v", *s.Person)
}

// watch asks the list for one user all the time, so that a test can tell what
// was never the case in between.
type watch struct {
	t       *testing.T
	mu      sync.Mutex
	news    *sync.Cond
	samples []sample
	err     error
}

// watch begins to ask for a user; it goes on until the test ends.
func (s *stage) watch(user string) *watch {
	w := &watch{t: s.t}
	w.news = sync.NewCond(&w.mu)
	quit, done := make(chan struct{}), make(chan struct{})
	s.t.Cleanup(func() { close(quit); <-done })
	pause := time.NewTicker(25 * time.Millisecond) // the machine has more to do
	go func() {
		defer close(done)
		defer pause.Stop()
		for {
			w.note(s.look(user))
			select {
			case <-quit:
				return
			case <-pause.C:
			}
		}
	}()
	return w
}

func (s *stage) look(user string) (sample, error) {
	look := sample{asked: time.Now()}
	people, err := s.backend.Online(s.t.Context(), client.OnlineFilter{})
	look.answered = time.Now()
	for _, p := range people.Users {
		if p.ID != user {
			continue
		}
		if look.online() {
			return look, fmt.Errorf("%s is in the list twice", user)
		}
		look.Person = &p
	}
	return look, err
}

func (w *watch) note(look sample, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.err = err
	} else {
		w.samples = append(w.samples, look)
	}
	w.news.Broadcast()
}

// until waits for a sample that was asked for after the call and fits.
func (w *watch) until(fact string, is func(sample) bool) sample {
	w.t.Helper()
	return w.within(patience, fact, is)
}

// isOn waits until the person is online on a page.
func (w *watch) isOn(page string) {
	w.t.Helper()
	w.until("is on "+page, func(s sample) bool { return s.online() && s.Page == page })
}

// lasts goes on sampling for so long, and returns the first sample after that.
func (w *watch) lasts(d time.Duration) sample {
	w.t.Helper()
	end := time.Now().Add(d)
	return w.within(d+patience, "has lasted "+d.String(), func(s sample) bool { return s.asked.After(end) })
}

func (w *watch) within(limit time.Duration, fact string, is func(sample) bool) sample {
	w.t.Helper()
	from := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for next := len(w.samples); ; {
		for ; next < len(w.samples); next++ {
			if s := w.samples[next]; s.asked.After(from) && is(s) {
				return s
			}
		}
		if w.err != nil || time.Since(from) > limit {
			w.t.Fatalf("waiting until the user %s: %v; of late: %v", fact, w.err, w.samples[max(0, next-1):])
		}
		w.news.Wait()
	}
}

// always reports where a fact did not hold in a sample between two moments.
func (w *watch) always(fact string, from, to time.Time, is func(sample) bool) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := 0
	for _, s := range w.samples {
		if s.asked.Before(from) || s.answered.After(to) {
			continue
		}
		seen++
		if !is(s) {
			w.t.Errorf("after %v the user was not %s: %v", s.asked.Sub(from), fact, s)
			return
		}
	}
	if seen == 0 {
		w.t.Errorf("nothing tells whether the user was always %s", fact)
	}
}
