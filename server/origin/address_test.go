package origin

import (
	"net/http"
	"net/netip"
	"testing"
)

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
			o := Resolver{TrustedProxies: prefixes}
			r := &http.Request{RemoteAddr: test.peer, Header: http.Header{"X-Forwarded-For": test.headers}}
			if got := o.clientIP(r); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func FuzzForwardedFor(f *testing.F) {
	for _, header := range []string{"", "1.2.3.4", "1.2.3.4, 10.0.0.2", "10.0.0.2,10.0.0.3", "unknown", "::1", "fd00::1", "fe80::1%eth0", "::ffff:10.0.0.1", "1.2.3.4:80", `"[::1]"`, ",,", "1.2.3.4,,10.0.0.1"} {
		f.Add(header, "6.6.6.6")
	}
	o := Resolver{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	client := func(peer string, headers ...string) string {
		return o.clientIP(&http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": headers}})
	}
	f.Fuzz(func(t *testing.T, header, forged string) {
		if got := client("203.0.113.7:1", header); got != "203.0.113.7" {
			t.Errorf("a stranger is %s by his own word", got)
		}
		got := client("10.0.0.1:1", header)
		addr, err := netip.ParseAddr(got)
		if err != nil || addr.Zone() != "" || addr.Is4In6() {
			t.Fatalf("%q: the client is %q", header, got)
		}
		if o.trusts(addr) { // nobody else is named, or garbage stands before
			return
		}
		for _, more := range [][]string{{forged + "," + header}, {forged, header}, {header + ", 10.9.9.9"}, {header, "fd00::9"}} {
			if again := client("10.0.0.1:1", more...); again != got {
				t.Errorf("%q is %s, but with %q in front or behind it is %s", header, got, more, again)
			}
		}
	})
}
