package server

import (
	"net/http"
	"strings"
	"testing"
)

// hasSecurityHeaders fails the test where an answer lacks a protection.
func hasSecurityHeaders(t testing.TB, b *bench, call string, h http.Header) {
	t.Helper()
	want := map[string]string{
		"Content-Security-Policy":    contentPolicy,
		"X-Content-Type-Options":     "nosniff",
		"X-Frame-Options":            "DENY",
		"Referrer-Policy":            "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin",
	}
	others := []string{"Cross-Origin-Resource-Policy", "Permissions-Policy", "Cache-Control"}
	if _, path, _ := strings.Cut(call, " "); strings.HasPrefix(path, b.cfg.BasePath+"/admin/") { // no document is there
		want = map[string]string{"Content-Security-Policy": apiPolicy, "X-Content-Type-Options": "nosniff"}
		others = []string{"Cross-Origin-Resource-Policy", "Cache-Control"}
	}
	if b.cfg.TLS {
		want["Strict-Transport-Security"] = "max-age=31536000"
	}
	for name, value := range want {
		if got := h.Values(name); len(got) != 1 || got[0] != value {
			t.Errorf("%s: %s is %q, want %q", call, name, got, value)
		}
	}
	for _, name := range others {
		if h.Get(name) == "" {
			t.Errorf("%s: there is no %s", call, name)
		}
	}
	if got := h.Get("Access-Control-Allow-Credentials"); got != "" {
		t.Errorf("%s: cookies are allowed to other origins", call)
	}
}
