package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"rollcall/store/storetest"
)

func TestWhichMethodsAnAddressTakes(t *testing.T) {
	b := newBench(t, storetest.New(t))
	for path, allow := range map[string]string{
		"/":                             "GET, HEAD",
		"/healthz":                      "GET, HEAD",
		"/heartbeat.js":                 "GET, HEAD",
		b.static("base/base.css"):       "GET, HEAD",
		"/setup":                        "GET, HEAD, POST",
		"/auth/login":                   "POST",
		"/auth/me":                      "GET, HEAD",
		"/admin/keys":                   "GET, HEAD, POST",
		"/admin/keys/1":                 "DELETE",
		"/admin/sessions":               "GET, HEAD, POST",
		"/admin/sessions/1":             "DELETE",
		"/admin/sessions/end":           "DELETE, POST", // also the id of a session
		"/admin/sessions/may":           "DELETE, POST",
		"/admin/sessions/check":         "DELETE, POST",
		"/admin/sessions/revoke":        "DELETE, POST",
		"/admin/users/ada":              "DELETE, PUT",
		"/admin/users/online":           "DELETE, GET, HEAD, PUT", // also the id of a user
		"/admin/users/heartbeat":        "DELETE, POST, PUT",
		"/admin/users/cleanup-sessions": "DELETE, POST, PUT",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
			taken := strings.Contains(", "+allow+",", ", "+method+",")
			got := do(t, b, method, path, nil)
			if taken == (got.Code == 405) {
				t.Errorf("%s %s: %d", method, path, got.Code)
			}
			if !taken {
				got.refuses(405, "method_not_allowed")
				if got.Header().Get("Allow") != allow {
					t.Errorf("%s %s: Allow is %q, want %q", method, path, got.Header().Get("Allow"), allow)
				}
			}
		}
	}
}

func TestAnUnknownAddressIsNotFound(t *testing.T) {
	b := newBench(t, storetest.New(t))
	for _, path := range []string{
		"/nothing", "/admin", "/admin/", "/admin/users", "/admin/users/", "/admin/users/online/", "/admin/users/a/b", "/auth", "/static/", "/static/base/base.css", "/static/0123456789abcdef/base/base.css", b.static(""), b.static("nothing.css"), "/clients/", "/clients/express/", "/clients/express/none.cjs", "/clients/none/rollcall.cjs", "/clients/..%2fbase%2fbase.css",
		b.static("pages/now/now.html"), b.static("../pages/now/now.html"), b.static("%2e%2e/base/base.css"), b.static("..%2fbase%2fbase.css"), "/index.html", "/schema.sql", "/ADMIN/USERS/ONLINE",
		"//admin/users/online", "/admin//users/online", "/./healthz", "/admin/../healthz", "/healthz/", "//evil.example/", "/%2Fevil.example",
	} {
		for _, method := range []string{"GET", "POST"} {
			got := do(t, b, method, path, nil)
			if (strings.HasPrefix(path, "/static/") || strings.HasPrefix(path, "/clients/")) && method == "POST" && got.Code == 405 {
				continue
			}
			got.refuses(404, "not_found")
			if location := got.Header().Get("Location"); location != "" {
				t.Errorf("%s %s leads to %s", method, path, location)
			}
		}
	}
}

// A person who mistyped an address is shown the way home, from however deep; programs are answered as ever.
func TestABrowserIsShownAPageAtAnUnknownAddress(t *testing.T) {
	browser := header("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	for _, base := range []string{"", "/who"} {
		b := newBench(t, storetest.New(t), func(c *Config) { c.BasePath = base })
		for path, root := range map[string]string{"/nothing": "./", "/settings/": "./../", "/a/b/c?d=/e": "./../../", "//evil.example/": "./../../", "/a%2Fb": "./"} {
			for _, method := range []string{"GET", "HEAD"} {
				got := do(t, b, method, base+path, nil, browser)
				got.wants(404)
				page := got.Body.String()
				if got.Header().Get("Content-Type") != "text/html; charset=utf-8" || !slices.Contains(got.Header().Values("Vary"), "Accept") {
					t.Errorf("%s %s: %v", method, path, got.Header())
				}
				for _, want := range []string{`<a href="` + root + `">`, `href="` + root + strings.TrimPrefix(b.static("base/base.css"), "/") + `"`} {
					if !strings.Contains(page, want) {
						t.Errorf("%s %s lacks %s: %s", method, path, want, page)
					}
				}
			}
			do(t, b, "GET", base+path, nil).refuses(404, "not_found")
			do(t, b, "POST", base+path, nil, browser).refuses(404, "not_found")
		}
		for _, path := range []string{"/admin/nothing", "/auth/nothing", "/static/nothing", "/clients/nothing", strings.Repeat("/deep", 21)} {
			do(t, b, "GET", base+path, nil, browser).refuses(404, "not_found")
		}
	}
}

func TestHeadIsGetWithoutTheBody(t *testing.T) {
	g := newGate(t)
	web := httptest.NewServer(g.Handler())
	defer web.Close()
	ask := func(method, path string, caller func(*http.Request)) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, web.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "gzip") // without it the transport asks for gzip by GET only, and unpacks it
		caller(r)
		answer, err := http.DefaultTransport.RoundTrip(r) // follows no redirect
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		answer.Header.Del("Date")
		return answer, string(body)
	}
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for _, route := range g.routes() {
		if route.method != "GET" {
			continue
		}
		path, _ := g.request(t, "GET "+documented(route.path))
		admin := g.caller(t, "admin")
		get, full := ask("GET", path, admin)
		head, none := ask("HEAD", path, admin)
		if get.StatusCode != head.StatusCode || none != "" || full == "" && get.StatusCode == 200 {
			t.Errorf("%s: GET %d with %d bytes, HEAD %d with %d", path, get.StatusCode, len(full), head.StatusCode, len(none))
		}
		for name := range get.Header {
			if full == "" && name == "Content-Length" {
				continue // net/http counts an empty body for GET only
			}
			if get.Header.Get(name) != head.Header.Get(name) {
				t.Errorf("%s: %s is %q, by HEAD %q", path, name, get.Header.Get(name), head.Header.Get(name))
			}
		}
	}
}

func TestAFileIsSentAgainOnlyWhenItHasChanged(t *testing.T) {
	g := newGate(t)
	admin := cookied(g.bench, g.panelToken(t, "root"))
	for _, path := range []string{"/", "/integrate", "/sessions", "/history", "/deploy", "/settings", "/account", "/password", "/login", "/heartbeat.js", "/heartbeat-notices.js", "/heartbeat-live.js", "/heartbeat-renew.js", "/heartbeat-status.js", "/heartbeat-explain.js", "/heartbeat-source.js", "/rollcall.mjs", "/rollcall.d.mts", "/online-users-panel.js",
		"/online-users-badge.js", g.static("base/base.css"), g.static("pages/docs/proxy/Caddyfile"), g.static("built/heartbeat-live.js"), "/clients/express/rollcall.cjs", "/openapi.yaml", "/docs"} {
		admin := admin
		if path == "/login" { // for who is not signed in
			admin = func(*http.Request) {}
		}
		first := do(t, g.bench, "GET", path, nil, admin)
		tag := first.Header().Get("ETag")
		if first.Code != 200 || tag == "" || first.Body.Len() == 0 {
			t.Errorf("%s: %d, ETag %q, %d bytes", path, first.Code, tag, first.Body.Len())
		}
		if again := do(t, g.bench, "GET", path, nil, admin, header("If-None-Match", tag)); again.Code != 304 || again.Body.Len() > 0 {
			t.Errorf("%s again: %d with %d bytes", path, again.Code, again.Body.Len())
		}
		if other := do(t, g.bench, "GET", path, nil, admin, header("If-None-Match", `"old"`)); other.Code != 200 {
			t.Errorf("%s with an old tag: %d", path, other.Code)
		}
		if part := do(t, g.bench, "GET", path, nil, admin, header("Range", "bytes=999999-")); part.Code != 200 || part.Body.Len() != first.Body.Len() {
			t.Errorf("%s: a range is answered with %d and %d bytes", path, part.Code, part.Body.Len())
		}
	}
	fresh := newBench(t, storetest.New(t))
	tag := do(t, fresh, "GET", "/setup", nil).Header().Get("ETag")
	if again := do(t, fresh, "GET", "/setup", nil, header("If-None-Match", tag)); again.Code != 304 {
		t.Errorf("/setup again: %d", again.Code)
	}
}

func TestEverythingIsBelowTheBasePath(t *testing.T) {
	b := newBench(t, storetest.New(t), func(c *Config) { c.BasePath = "/rollcall" })
	b.admin(t)
	key := b.key(t, "shop", "admin")
	for path, status := range map[string]int{
		"/rollcall/healthz": 200, "/rollcall/heartbeat.js": 200, "/rollcall" + b.static("base/base.css"): 200, "/rollcall/admin/keys": 200, "/rollcall/login": 303,
		"/rollcall": 303, "/rollcall/": 200, "/rollcall/integrate": 200, "/rollcall/docs": 200, "/rollcall/setup": 303,
		"/": 404, "/healthz": 404, "/admin/keys": 404, "/rollcallx/healthz": 404, "/rollcallx": 404, "/rollcall//healthz": 404, "/rollcall/rollcall/healthz": 404,
	} {
		got := do(t, b, "GET", path, nil, bearing(key))
		if got.Code != status {
			t.Errorf("%s: %d, want %d", path, got.Code, status)
		}
	}
	do(t, b, "PUT", "/rollcall/admin/users/a%2Fb", `{}`, bearing(key)).wants(200)
	if got := do(t, b, "GET", "/rollcall", nil); got.Header().Get("Location") != "/rollcall/" {
		t.Errorf("/rollcall leads to %q", got.Header().Get("Location"))
	}
	if got := do(t, b, "GET", "/rollcall/", nil); got.Header().Get("Location") != "login" {
		t.Errorf("/rollcall/ leads a stranger to %q", got.Header().Get("Location"))
	}
	in := do(t, b, "POST", "/rollcall/auth/login", map[string]any{"name": "root", "password": password})
	do(t, b, "GET", "/rollcall/auth/me", nil, with(in.Result().Cookies())).wants(200)
}

func TestCrossOriginCallsAreAllowedBelowABasePathToo(t *testing.T) {
	b := newBench(t, storetest.New(t), allowing(shop), func(c *Config) { c.BasePath = "/rollcall" })
	if got := do(t, b, "OPTIONS", "/rollcall/admin/users/heartbeat", nil, preflight(shop, "POST")); !granted(got.Header()) {
		t.Errorf("the preflight: %d %v", got.Code, got.Header())
	}
}

func TestAMountHasThePathsBelowItAndNoOthers(t *testing.T) {
	demo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Method+" "+r.URL.Path) })
	for _, base := range []string{"", "/rollcall"} {
		b := newBench(t, storetest.New(t), func(c *Config) { c.BasePath, c.Mount = base, map[string]http.Handler{"/demo/": demo} })
		for _, method := range []string{"GET", "POST", "DELETE"} {
			if got := do(t, b, method, base+"/demo/a/b", nil); got.Body.String() != method+" /demo/a/b" {
				t.Errorf("%s %s/demo/a/b: %d %s", method, base, got.Code, got.Body)
			}
		}
		do(t, b, "GET", base+"/demo", nil).refuses(404, "not_found")
		do(t, b, "GET", base+"/healthz", nil).wants(200)
		do(t, b, "POST", base+"/healthz", nil).refuses(405, "method_not_allowed")
	}
}

func TestSecurityHeadersUnderTLS(t *testing.T) {
	b := newBench(t, storetest.New(t), func(c *Config) { c.TLS = true }) // which adds to what do expects of every answer
	do(t, b, "GET", "/healthz", nil).wants(200)
	do(t, b, "GET", "/nothing", nil).refuses(404, "not_found")
	do(t, b, "POST", "/healthz", nil).refuses(405, "method_not_allowed")
	do(t, b, "GET", "/openapi.yaml", nil, host("evil.example")).refuses(421, "unknown_host")
}
