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
		got := do(t, b, "GET", "/healthz", nil, host(name))
		if ours {
			got.wants(200)
			continue
		}
		got.refuses(421, "unknown_host")
	}
}

func TestARebindingNameReachesNothing(t *testing.T) {
	b := newBench(t, storetest.New(t), func(c *Config) {
		c.Mount = map[string]http.Handler{"/demo/": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) })}
	})
	admin := cookied(b, b.admin(t))
	for _, path := range []string{"/", "/admin/keys", "/static/base.css", "/demo/app", "/nothing", "/heartbeat.js"} {
		do(t, b, "GET", path, nil, admin, host("rebound.evil.example:8080")).refuses(421, "unknown_host")
	}
}

func TestWhoseAddressIsBelieved(t *testing.T) {
	prefixes := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, test := range map[string]struct {
		peer    string
		headers []string
		want    string
	}{
		"no header":                              {"203.0.113.7:1", nil, "203.0.113.7"},
		"a stranger's header":                    {"203.0.113.7:1", []string{"1.2.3.4"}, "203.0.113.7"},
		"a stranger who names a trusted address": {"203.0.113.7:1", []string{"10.0.0.1"}, "203.0.113.7"},
		"a trusted proxy":                        {"10.0.0.1:1", []string{"1.2.3.4"}, "1.2.3.4"},
		"a trusted proxy without a header":       {"10.0.0.1:1", nil, "10.0.0.1"},
		"a chain of trusted proxies":             {"10.0.0.1:1", []string{"1.2.3.4, 10.0.0.3, 10.0.0.2"}, "1.2.3.4"},
		"what the client wrote before it":        {"10.0.0.1:1", []string{"6.6.6.6, 1.2.3.4"}, "1.2.3.4"},
		"several headers are one list":           {"10.0.0.1:1", []string{"6.6.6.6", "1.2.3.4", "10.0.0.2"}, "1.2.3.4"},
		"only trusted proxies":                   {"10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"garbage from the client":                {"10.0.0.1:1", []string{"<script>"}, "10.0.0.1"},
		"garbage in the middle":                  {"10.0.0.1:1", []string{"1.2.3.4, unknown, 10.0.0.2"}, "10.0.0.2"},
		"an empty header":                        {"10.0.0.1:1", []string{""}, "10.0.0.1"},
		"empty parts":                            {"10.0.0.1:1", []string{"1.2.3.4,,"}, "10.0.0.1"},
		"IPv6":                                   {"[fd00::1]:1", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 in another spelling":               {"[fd00::1]:1", []string{"2001:DB8:0:0::7"}, "2001:db8::7"},
		"IPv4 inside IPv6":                       {"[::ffff:10.0.0.1]:1", []string{"::ffff:1.2.3.4"}, "1.2.3.4"},
		"a zone is of no interest":               {"[fe80::1%eth0]:1", nil, "fe80::1"},
		"a Unix socket":                          {"@", []string{"1.2.3.4"}, "1.2.3.4"},
		"a Unix socket and garbage":              {"", []string{"garbage"}, ""},
		"a Unix socket alone":                    {"", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Server{cfg: Config{TrustedProxies: prefixes}}
			r := &http.Request{RemoteAddr: test.peer, Header: http.Header{"X-Forwarded-For": test.headers}}
			if got := s.clientIP(r); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTheListShowsFromWhereSomebodySignedIn(t *testing.T) {
	b := newBench(t, storetest.New(t), func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
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
