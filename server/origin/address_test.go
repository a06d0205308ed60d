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

// TestAddressesAsTheyAreMet holds what proxies write into X-Forwarded-For.
func TestAddressesAsTheyAreMet(t *testing.T) {
	o := Resolver{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for header, want := range map[string]string{
		"203.0.113.8:51234":               "203.0.113.8", // Azure's gateways
		"203.0.113.8:443":                 "203.0.113.8",
		"203.0.113.8:":                    "203.0.113.8",
		" 203.0.113.8\t":                  "203.0.113.8",
		`"203.0.113.8"`:                   "203.0.113.8",
		`"203.0.113.8:51234"`:             "203.0.113.8",
		"[2001:db8::7]":                   "2001:db8::7", // HAProxy, some CDN
		"[2001:db8::7]:443":               "2001:db8::7",
		`"[2001:db8::7]:443"`:             "2001:db8::7", // as in Forwarded
		`"[2001:db8::7]"`:                 "2001:db8::7",
		"2001:db8::7":                     "2001:db8::7",
		"2001:0DB8:0000:0:0:0:0:0007":     "2001:db8::7",
		"0:0:0:0:0:0:0:1":                 "::1", // Java
		"::ffff:203.0.113.8":              "203.0.113.8",
		"[::ffff:203.0.113.8]:51234":      "203.0.113.8",
		"::ffff:cb00:7108":                "203.0.113.8",
		"fe80::1%eth0":                    "fe80::1",
		"[fe80::1%25eth0]:8080":           "fe80::1",
		"fe80::1%12":                      "fe80::1", // Windows
		"6.6.6.6, 203.0.113.8:51234":      "203.0.113.8",
		"203.0.113.8:51234, 10.0.0.2:80":  "203.0.113.8",
		"203.0.113.8:1,[::ffff:10.0.0.9]": "203.0.113.8",
		// What can not be read is whoever sent it.
		"unknown":                  "10.0.0.1",
		"_hidden":                  "10.0.0.1",
		"203.0.113.8:http":         "10.0.0.1",
		"203.0.113.8:512345":       "10.0.0.1",
		"203.0.113.8:1:2":          "10.0.0.1",
		"203.0.113.8.":             "10.0.0.1",
		"203.0.113":                "10.0.0.1",
		"203.0.113.256":            "10.0.0.1",
		"203.000.113.008":          "10.0.0.1", // eight or ten?
		"[2001:db8::7":             "10.0.0.1",
		"2001:db8::7]:443":         "10.0.0.1",
		"[2001:db8::7]443":         "10.0.0.1",
		"[203.0.113.8":             "10.0.0.1",
		"203.0.113.0/24":           "10.0.0.1",
		"https://203.0.113.8":      "10.0.0.1",
		"gateway.example:443":      "10.0.0.1",
		"203.0.113.8, unknown":     "10.0.0.1",
		"for=203.0.113.8":          "10.0.0.1",
		"203.0.113.8 198.51.100.7": "10.0.0.1",
	} {
		r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{"X-Forwarded-For": {header}}}
		if got := o.clientIP(r); got != want {
			t.Errorf("%s is %s, want %s", header, got, want)
		}
		if _, _, disbelieved := (Resolver{}).ForwardedFor(r); disbelieved != (want != "10.0.0.1") {
			t.Errorf("%s of a proxy that is not trusted: noticed %t", header, disbelieved)
		}
	}
}

// TestAddressesAsTheyAreReported holds what back ends take for the address of a login.
func TestAddressesAsTheyAreReported(t *testing.T) {
	for text, want := range map[string]string{
		"203.0.113.8":                            "203.0.113.8",
		"203.0.113.8:51234":                      "203.0.113.8",
		`"[2001:db8::7]:443"`:                    "2001:db8::7",
		"203.0.113.8, 10.0.0.2":                  "203.0.113.8",
		"203.0.113.8:51234,10.0.0.2:80,10.0.0.3": "203.0.113.8",
		"2001:db8::7, ::1":                       "2001:db8::7",
		" [2001:db8::7]:443 , 10.0.0.2":          "2001:db8::7",
		"::ffff:203.0.113.8":                     "203.0.113.8", // Node
		"/203.0.113.8:51234":                     "203.0.113.8", // Java
		"/[2001:db8:0:0:0:0:0:7]:51234":          "2001:db8::7",
		"/203.0.113.8":                           "203.0.113.8",
		"203.0.113.8/32":                         "203.0.113.8", // PostgreSQL's inet
		"2001:db8::7/128":                        "2001:db8::7",
		`for=203.0.113.8`:                        "203.0.113.8", // Forwarded
		`For="[2001:db8::7]:4711"`:               "2001:db8::7",
		`for=203.0.113.8;proto=https;by=10.0.0.2, for=10.0.0.3`: "203.0.113.8",
		`proto=https; for="203.0.113.8:47"`:                     "203.0.113.8",
		"fe80::1%en0":                                           "fe80::1",
		"unknown":                                               "unknown", // somebody's words, kept as such
		"unknown, 203.0.113.8":                                  "unknown, 203.0.113.8",
		"203.0.113.0/24":                                        "203.0.113.0/24",
		"office":                                                "office",
		"":                                                      "",
	} {
		if got := (Resolver{}).Of(text, "").IPAddress; got != want {
			t.Errorf("%q is stored as %q, want %q", text, got, want)
		}
		known := want != "" && want[len(want)-1] != '4' && want != "office" && want[0] != 'u'
		if got := TruncatedAddresses.Keep(text); (got != "") != known || known && got == want {
			t.Errorf("of %q is kept %q", text, got)
		}
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
