package server

import (
	"net/http"
	"strings"
	"testing"

	"rollcall/store/storetest"
)

const shop = "https://shop.example"

func allowing(origins ...string) func(*Config) {
	return func(c *Config) { c.AllowedOrigins = origins }
}

func preflight(origin, method string) func(*http.Request) {
	return together(header("Origin", origin), header("Access-Control-Request-Method", method),
		header("Access-Control-Request-Headers", "authorization,content-type"))
}

func TestAPageOfAnAllowedOriginCallsWithABearerToken(t *testing.T) {
	b := newBench(t, storetest.New(t), allowing(shop))
	_, token := b.person(t, b.key(t, "shop", "sessions"), "ada")
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		h := do(t, b, "OPTIONS", "/admin/users/heartbeat", nil, preflight(shop, method))
		if h.Code != 204 || h.Header().Get("Access-Control-Allow-Origin") != shop || h.Header().Get("Access-Control-Allow-Methods") != method {
			t.Errorf("the preflight of a %s: %d %v", method, h.Code, h.Header())
		}
		if got := strings.ToLower(h.Header().Get("Access-Control-Allow-Headers")); got != "authorization,content-type" {
			t.Errorf("the preflight of a %s allows the headers %q", method, got)
		}
	}
	for name, call := range map[string]result{
		"an answer":  do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(token), header("Origin", shop), header("Sec-Fetch-Site", "cross-site")),
		"a refusal":  do(t, b, "GET", "/admin/users/online", nil, header("Origin", shop)),
		"who am I":   do(t, b, "GET", "/auth/me", nil, bearing(token), header("Origin", shop)),
		"a 404":      do(t, b, "GET", "/admin/nothing", nil, header("Origin", shop)),
		"a 405":      do(t, b, "POST", "/admin/users/online", nil, header("Origin", shop)),
		"a beacon's": do(t, b, "POST", "/admin/users/heartbeat", `{"sessionToken":"unknown"}`, header("Origin", shop), header("Content-Type", "text/plain")),
	} {
		h := call.Header()
		if h.Get("Access-Control-Allow-Origin") != shop || !strings.Contains(strings.Join(h.Values("Vary"), ","), "Origin") {
			t.Errorf("%s may not be read, or may be cached for others: %v", name, h)
		}
		if h.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
			t.Errorf("%s is withheld by its resource policy", name)
		}
	}
}

func TestAPageOfAnyOtherOriginGetsNoGrant(t *testing.T) {
	b := newBench(t, storetest.New(t), allowing(shop))
	for _, origin := range []string{"https://evil.example", "http://shop.example", "https://shop.example:8443", "https://shop.example.evil.example",
		"https://sub.shop.example", "https://evilshop.example", "null", "https://shop.example/", "*", ""} {
		for _, path := range []string{"/admin/users/heartbeat", "/admin/users/online", "/admin/keys"} {
			if got := do(t, b, "OPTIONS", path, nil, preflight(origin, "POST")); granted(got.Header()) {
				t.Errorf("the preflight of %s from %q: %v", path, origin, got.Header())
			}
			if got := do(t, b, "GET", path, nil, header("Origin", origin)); granted(got.Header()) {
				t.Errorf("GET %s from %q: %v", path, origin, got.Header())
			}
		}
	}
}

func granted(h http.Header) bool {
	return h.Get("Access-Control-Allow-Origin") != "" || h.Get("Access-Control-Allow-Methods") != ""
}

func TestAnAllowedOriginReachesNothingButTheAPI(t *testing.T) {
	b := newBench(t, storetest.New(t), allowing(shop))
	b.admin(t)
	for _, path := range []string{"/", "/auth/login", "/setup", "/healthz", "/openapi.yaml", b.static("base/base.css")} {
		if got := do(t, b, "GET", path, nil, header("Origin", shop)); granted(got.Header()) || got.Header().Get("Cross-Origin-Resource-Policy") != "same-origin" {
			t.Errorf("GET %s: %v", path, got.Header())
		}
	}
}

func TestAnAllowedOriginDoesNotActWithTheCookie(t *testing.T) {
	b := newBench(t, storetest.New(t), allowing(shop))
	admin := cookied(b, b.admin(t))
	do(t, b, "POST", "/admin/users/cleanup-sessions", nil, admin, header("Origin", shop)).refuses(403, "cross_origin")
	do(t, b, "POST", "/admin/users/heartbeat", nil, admin, header("Origin", shop)).refuses(403, "cross_origin")
}

func TestWithoutAllowedOriginsNobodyGetsAGrant(t *testing.T) {
	b := newBench(t, storetest.New(t))
	if got := do(t, b, "OPTIONS", "/admin/users/heartbeat", nil, preflight(shop, "POST")); got.Code != 405 || granted(got.Header()) {
		t.Errorf("the preflight: %d %v", got.Code, got.Header())
	}
	if got := do(t, b, "GET", "/admin/users/online", nil, header("Origin", shop)); granted(got.Header()) {
		t.Errorf("a call: %v", got.Header())
	}
}

func TestAnyPageMayLoadTheScriptsForHostPages(t *testing.T) {
	b := newBench(t, storetest.New(t))
	for _, path := range []string{"/heartbeat.js", "/heartbeat-notices.js", "/heartbeat-live.js", "/heartbeat-renew.js", "/heartbeat-status.js", "/heartbeat-explain.js", "/heartbeat-source.js", "/rollcall.mjs", "/online-users-panel.js", "/online-users-badge.js",
		b.static("built/heartbeat-notices.js"), b.static("built/heartbeat-live.js"), b.static("built/online-users-panel-details.js")} {
		got := do(t, b, "GET", path, nil, header("Origin", "https://anybody.example"))
		h := got.Header()
		if got.Code != 200 || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
			t.Errorf("%s: %d %v", path, got.Code, h)
		}
		if h.Get("Content-Type") != "text/javascript; charset=utf-8" || !strings.HasPrefix(h.Get("Cache-Control"), "public") {
			t.Errorf("%s: %v", path, h)
		}
	}
}
