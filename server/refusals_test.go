package server

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rollcall/server/auth"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

// Every route is called by who may call it, and refused for another reason.

func (g *gate) everyRoute(t *testing.T, call func(t *testing.T, route route, path string, body any, caller func(*http.Request))) {
	for _, route := range g.routes() {
		name := route.method + " " + documented(route.path)
		path, body := g.request(t, name)
		caller := g.caller(t, "cookie:a")
		if route.who == auth.Backends || strings.HasSuffix(route.path, "/live") { // where a cookie needs a page
			caller = g.caller(t, "key:a")
		}
		call(t, route, path, body, together(caller, g.fromElsewhere()))
	}
}

func TestNoRouteButHealthAnswersForAnotherHost(t *testing.T) {
	g := newGate(t)
	g.everyRoute(t, func(t *testing.T, route route, path string, body any, caller func(*http.Request)) {
		if path == "/healthz" || path == "/readyz" {
			return
		}
		do(t, g.bench, route.method, path, body, caller, host("evil.example")).refuses(421, "unknown_host")
	})
}

func host(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }

// bodied are the routes that read a body, besides the heartbeat.
var bodied = []string{"POST /setup", "POST /auth/login", "POST /auth/link", "POST /auth/link/password", "POST /auth/password", "POST /auth/totp", "POST /auth/totp/confirm", "POST /auth/totp/remove", "POST /admin/keys", "POST /admin/accounts",
	"POST /admin/sessions", "POST /admin/sessions/may", "POST /admin/sessions/check", "POST /admin/sessions/end", "PUT /admin/users/{id}"}

func TestABodyThatIsNotAsItShouldBeIsRefused(t *testing.T) {
	g := newGate(t)
	for name, test := range map[string]struct {
		kind, body string
		status     int
		code       string
	}{
		"too large":          {"application/json", `{"name":"` + strings.Repeat("x", 64<<10) + `"}`, 413, "body_too_large"},
		"of another type":    {"text/plain", `{}`, 415, "unsupported_media_type"},
		"a form":             {"application/x-www-form-urlencoded", `name=x`, 415, "unsupported_media_type"},
		"of no type":         {"", `{}`, 415, "unsupported_media_type"},
		"of a broken type":   {"application/json; =", `{}`, 415, "unsupported_media_type"},
		"empty":              {"application/json", ``, 400, "invalid_request"},
		"cut short":          {"application/json", `{"name":`, 400, "invalid_request"},
		"malformed":          {"application/json", `{'name':1}`, 400, "invalid_request"},
		"a list":             {"application/json", `[]`, 400, "invalid_request"},
		"a text":             {"application/json", `"name"`, 400, "invalid_request"},
		"two values":         {"application/json", `{}{}`, 400, "invalid_request"},
		"with trailing text": {"application/json", `{} x`, 400, "invalid_request"},
		"with a misspelling": {"application/json; charset=utf-8", `{"nmae":"x"}`, 400, "invalid_request"},
		"with a wrong type":  {"application/json", `{"name":5,"id":5,"app":5}`, 400, "invalid_request"},
		"deep":               {"application/json", strings.Repeat(`[`, 20000), 400, "invalid_request"},
	} {
		t.Run("a body "+name, func(t *testing.T) {
			for _, call := range bodied {
				path, _ := g.request(t, call)
				method, _, _ := strings.Cut(call, " ")
				caller := bearing(g.keys["admin"])
				if strings.HasPrefix(path, "/auth/") { // where a key has no account
					caller = g.caller(t, "cookie:a")
				}
				got := do(t, g.bench, method, path, test.body, caller, g.fromElsewhere(), header("Content-Type", test.kind))
				body := got.refuses(test.status, test.code)
				if strings.Contains(body["error"].(string), "json:") || strings.Contains(body["error"].(string), "Go ") {
					t.Errorf("%s: the words are the program's: %v", call, body["error"])
				}
			}
		})
	}
}

func TestABodyThatIsRefusedSaysWhy(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	for body, words := range map[string]string{
		`{"user":{"id":"ada","access":"root"}}`: "access must be none, viewer or admin",
		`{"user":{"id":"ada","nmae":"x"}}`:      `unknown field "nmae"`,
		`{"user":{"id":5}}`:                     "wrong type for user.id",
		`{"user":`:                              "cut short",
		`{"user":}`:                             "malformed at byte 9",
		`{"user":{}}`:                           "user id must have 1 to 200 characters",
		`{"user":{"id":"rollcall:root"}}`:       `must not begin with "rollcall:"`,
		`{"user":{"id":"a"},"session_token":"1111111111111111"}`: "session_token could be guessed: it must have 128 random bits or more",
	} {
		got := do(t, b, "POST", "/admin/sessions", body, bearing(key)).refuses(400, "invalid_request")
		if !strings.Contains(got["error"].(string), words) {
			t.Errorf("%s: %q does not say %q", body, got["error"], words)
		}
	}
}

func TestARouteSaysSoWhenTheDatabaseDoesNotAnswer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	giveUp := func(r *http.Request) { *r = *r.WithContext(ctx) }
	g := newGate(t)
	g.everyRoute(t, func(t *testing.T, route route, path string, body any, caller func(*http.Request)) {
		if !documentsStatus(t, route, 503) {
			return
		}
		got := do(t, g.bench, route.method, path, body, caller, giveUp)
		got.refuses(503, "unavailable")
		if got.Header().Get("Retry-After") == "" {
			t.Errorf("%s %s: no Retry-After", route.method, path)
		}
	})
}

func TestARouteKeepsToItselfWhatIsWrongInside(t *testing.T) {
	cfg := storetest.Config(t, t.TempDir())
	cfg.Rules = presence.DefaultRules()
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{bench: newBench(t, s), keys: map[string]string{}}
	g.account(t, "root", store.AccessAdmin)
	g.account(t, "watch", store.AccessViewer)
	g.keys["admin"] = g.key(t, "shop", "admin")
	var calls []func()
	g.everyRoute(t, func(t *testing.T, route route, path string, body any, caller func(*http.Request)) {
		calls = append(calls, func() {
			if !documentsStatus(t, route, 500) {
				return
			}
			got := do(t, g.bench, route.method, path, body, caller)
			if text := got.Body.String(); got.Code < 500 || strings.Contains(text, "sql") || strings.Contains(text, "closed") {
				t.Errorf("%s %s tells %d %s", route.method, path, got.Code, text)
			}
		})
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, call := range calls {
		call()
	}
	if logs := g.logs.String(); !strings.Contains(logs, "database is closed") {
		t.Errorf("the log does not say what is wrong: %s", logs)
	}
}

func documentsStatus(t testing.TB, route route, status int) bool {
	t.Helper()
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	operation := doc.Paths.Value(documented(route.path)).GetOperation(route.method)
	return operation.Responses.Status(status) != nil
}

func TestAPanicIsAnsweredAndLogged(t *testing.T) {
	b := newBench(t, storetest.New(t), func(c *Config) {
		c.Mount = map[string]http.Handler{"/demo/": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a bug in the demo") })}
	})
	body := do(t, b, "GET", "/demo/x", nil).refuses(500, "internal")
	if strings.Contains(body["error"].(string), "bug") {
		t.Errorf("it tells %v", body)
	}
	if !strings.Contains(b.logs.String(), "a bug in the demo") {
		t.Errorf("the log does not: %s", b.logs.String())
	}
	do(t, b, "GET", "/healthz", nil).wants(200)
}

// TestAPanicInTheMiddleOfAnAnswerBreaksItOff has the reader notice that it is a part only.
func TestAPanicInTheMiddleOfAnAnswerBreaksItOff(t *testing.T) {
	b := newBench(t, storetest.New(t), func(c *Config) {
		c.Mount = map[string]http.Handler{"/demo/": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half of a file")
			_ = http.NewResponseController(w).Flush()
			panic("a bug in the demo")
		})}
	})
	served := httptest.NewServer(b.Handler())
	defer served.Close()
	answer, err := http.Get(served.URL + "/demo/x")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got, err := io.ReadAll(answer.Body); err == nil || string(got) != "half of a file" {
		t.Errorf("the reader took %q for the whole: %v", got, err)
	}
	if !strings.Contains(b.logs.String(), "a bug in the demo") {
		t.Errorf("the log does not tell: %s", b.logs.String())
	}
}

func TestAHandlerMayAbortItsConnection(t *testing.T) {
	b := newBench(t, storetest.New(t), func(c *Config) {
		c.Mount = map[string]http.Handler{"/demo/": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })}
	})
	defer func() {
		if cause := recover(); cause != http.ErrAbortHandler {
			t.Errorf("recovered %v, want it to go on to net/http", cause)
		}
	}()
	r := httptest.NewRequest("GET", "/demo/x", nil)
	r.Host = "localhost"
	b.Handler().ServeHTTP(httptest.NewRecorder(), r)
}
