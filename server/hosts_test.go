package server

import (
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"rollcall/store/storetest"
)

func public(address string) func(*Config) {
	return func(c *Config) { c.PublicURL, _ = url.Parse(address) }
}

func TestWhichHostNamesAreOurs(t *testing.T) {
	b := newBench(t, storetest.New(t), public("https://Rollcall.Example:8443"), func(c *Config) { c.Hosts = []string{"Intranet", "xn--bcher-kva.example"} })
	for name, ours := range map[string]bool{
		"localhost": true, "localhost:8080": true, "LOCALHOST": true, "localhost.": true, "localhost.:80": true,
		"127.0.0.1": true, "127.0.0.1:8080": true, "10.1.2.3:80": true, "[::1]": true, "[::1]:8080": true, "[fe80::1%25eth0]:80": true,
		"rollcall.example": true, "ROLLCALL.example.:8443": true, "rollcall.example:1": true, "intranet": true, "xn--bcher-kva.example": true,

		"":                              false,
		"evil.example":                  false,
		"evil.example:8080":             false,
		"localhost.evil.example":        false,
		"rollcall.example.evil.example": false,
		"127.0.0.1.nip.io":              false,
		"0x7f.1":                        false,
		"2130706433":                    false,
		"localhost..":                   false,
		"localhost@evil.example":        false,
		"evil.example#localhost":        false,
		"[localhost.evil.example]":      false,
		"localhost:80:80":               false,
		" localhost":                    false,
		"app.localhost":                 false,
	} {
		got := do(t, b, "GET", "/heartbeat.js", nil, host(name))
		if ours {
			if got.Code != 200 {
				t.Errorf("%q: %d", name, got.Code)
			}
			continue
		}
		got.refuses(421, "unknown_host")
	}
}

// TestWhoAsksOnlyForHealthMayGiveAnyName has balancers ask as they do: HAProxy by HTTP/1.0
// without a name, Caddy by the address that it calls, Kubernetes by that of the pod.
func TestWhoAsksOnlyForHealthMayGiveAnyName(t *testing.T) {
	for _, base := range []string{"", "/rollcall"} {
		b := newBench(t, storetest.New(t), public("https://rollcall.example"), func(c *Config) { c.BasePath = base })
		for _, name := range []string{"", "rollcall:8080", "rollcall", "rollcall-0.rollcall.svc.cluster.local:8080", "10.1.2.3:8080", "_", "evil.example"} {
			for _, path := range []string{"/healthz", "/readyz"} {
				do(t, b, "GET", base+path, nil, host(name), func(r *http.Request) { r.Proto, r.ProtoMinor = "HTTP/1.0", 0 }).wants(200)
			}
			if _, err := netip.ParseAddrPort(name); err != nil {
				do(t, b, "GET", base+"/heartbeat.js", nil, host(name)).refuses(421, "unknown_host")
				do(t, b, "GET", base+"/healthz/", nil, host(name)).refuses(421, "unknown_host")
			}
		}
	}
}

func TestARebindingNameReachesNothing(t *testing.T) {
	b := newBench(t, storetest.New(t), func(c *Config) {
		c.Mount = map[string]http.Handler{"/demo/": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) })}
	})
	admin := cookied(b, b.admin(t))
	for _, path := range []string{"/", "/admin/keys", b.static("base/base.css"), "/demo/app", "/nothing", "/heartbeat.js"} {
		do(t, b, "GET", path, nil, admin, host("rebound.evil.example:8080")).refuses(421, "unknown_host")
	}
}

func TestTheListShowsFromWhereSomebodySignedIn(t *testing.T) {
	b := newBench(t, storetest.New(t), func(c *Config) { c.Origin.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	b.admin(t)
	b.clock.advance(time.Second)
	b.signIn(t, "root", password, from("10.0.0.1"), header("X-Forwarded-For", "1.2.3.4"), header("User-Agent", "Firefox")).wants(200)
	root := b.people(t, b.key(t, "ops", "read"), "?app=rollcall")["rollcall:root"]
	if root["ip_address"] != "1.2.3.4" || root["user_agent"] != "Firefox" {
		t.Errorf("got %v from %v", root["user_agent"], root["ip_address"])
	}
}

func TestAStrangerDoesNotEscapeTheLimitByAHeader(t *testing.T) {
	b := newBench(t, storetest.New(t))
	for range accountTries {
		b.signIn(t, "root", "wrong", header("X-Forwarded-For", "1.2.3.4"))
	}
	b.signIn(t, "root", "wrong", header("X-Forwarded-For", "5.6.7.8")).refuses(429, "too_many_attempts")
}
