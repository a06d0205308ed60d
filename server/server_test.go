package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rollcall/store"
	"rollcall/store/storetest"
	"rollcall/ui"
)

// bench is a server on an empty store, with a clock that tests set.
type bench struct {
	*Server
	store *store.Store
	clock *testClock
	logs  *logbook

	directory string // of all keys; "": each of that of its app
}

// logbook keeps what the server logs.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// newBench returns a server on s; change adjusts its settings.
func newBench(t testing.TB, s *store.Store, change ...func(*Config)) *bench {
	t.Helper()
	b := &bench{store: s, clock: &testClock{now: storetest.Start}, logs: &logbook{}}
	cfg := Config{Store: s, Assets: ui.Static, Heartbeat: time.Minute, Now: b.clock.Now, Log: zerolog.New(b.logs)}
	for _, f := range change {
		f(&cfg)
	}
	var err error
	if b.Server, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.auditWrites.Wait) // one that still opens a connection would make files in a folder that is being removed
	return b
}

// result is an answer as a test looks at it.
type result struct {
	t    testing.TB
	call string
	*httptest.ResponseRecorder
}

// do sends a request as httptest.NewRequest has it; opts adjust it. Whatever is
// asked, the answer has to be as documented and carry the security headers.
func do(t testing.TB, b *bench, method, path string, body any, opts ...func(*http.Request)) result {
	t.Helper()
	var text []byte
	switch body := body.(type) {
	case nil:
	case string:
		text = []byte(body)
	default:
		var err error
		if text, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(text))
	r.Host, r.RemoteAddr = "localhost:8080", "203.0.113.7:4711"
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, opt := range opts {
		opt(r)
	}
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	b.inDocument(t, r, text, w)
	hasSecurityHeaders(t, b, method+" "+path, w.Header())
	return result{t: t, call: method + " " + path, ResponseRecorder: w}
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func bearing(token string) func(*http.Request) { return header("Authorization", "Bearer "+token) }

func cookied(b *bench, token string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(b.auth.SignInCookies(r, token, "")[0]) }
}

// wants checks the status and returns the body.
func (r result) wants(status int) map[string]any {
	r.t.Helper()
	if r.Code != status {
		r.t.Fatalf("%s: got %d %s, want %d", r.call, r.Code, r.Body, status)
	}
	var body map[string]any
	if strings.HasPrefix(r.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(r.Body.Bytes(), &body); err != nil {
			r.t.Fatalf("%s: %v in %s", r.call, err, r.Body)
		}
	}
	return body
}

// refuses checks the status and the code of an error.
func (r result) refuses(status int, code string) map[string]any {
	r.t.Helper()
	body := r.wants(status)
	if body["code"] != code || body["success"] != false {
		r.t.Fatalf("%s: got %v, want code %q", r.call, body, code)
	}
	return body
}

const password = "correct horse battery staple"

// admin returns the session token of a signed-in admin account.
func (b *bench) admin(t testing.TB) string { return b.account(t, "root", store.AccessAdmin) }

func (b *bench) account(t testing.TB, name string, access store.Access) string {
	t.Helper()
	_, err := b.store.CreateAccount(t.Context(), b.now(), "user:root", store.AccountInput{Name: name, Password: password, Access: access})
	if err != nil {
		t.Fatal(err)
	}
	login, err := b.store.SignInAs(t.Context(), b.now(), store.AccountID(name), store.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	return login.Token
}

// key returns the secret of a key for app.
func (b *bench) key(t testing.TB, app string, scopes ...string) string {
	t.Helper()
	parsed, err := store.ParseScopes(scopes)
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := b.store.CreateKey(t.Context(), b.now(), "user:root", app, b.directory, parsed)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// person logs a user in through the API and returns session id and token.
func (b *bench) person(t testing.TB, key, id string) (session, token string) {
	t.Helper()
	body := do(t, b, "POST", "/admin/sessions", fmt.Sprintf(`{"user":{"id":%q}}`, id), bearing(key)).wants(201)
	made := body["session"].(map[string]any)
	return made["id"].(string), made["token"].(string)
}

// lines are those of the log with a text.
func (b *bench) lines(text string) (found []string) {
	for line := range strings.Lines(b.logs.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}
