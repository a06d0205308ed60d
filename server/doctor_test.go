package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"rollcall/server/doctor"
	"rollcall/store"
	"rollcall/store/storetest"
)

// finding asks the doctor and returns one check in a line: its state, its words, and
// what to paste.
func (b *bench) finding(t testing.TB, check string, opts ...func(*http.Request)) string {
	t.Helper()
	key, secret, err := b.store.CreateKey(t.Context(), b.now(), "user:root", "doctor", "", store.Scopes{store.ScopeAdmin})
	if err != nil {
		t.Fatal(err)
	}
	defer b.store.DeleteKey(t.Context(), b.now(), "user:root", key.ID, false)
	opts = append([]func(*http.Request){bearing(secret)}, opts...)
	for _, f := range do(t, b, "GET", "/admin/doctor", nil, opts...).wants(200)["findings"].([]any) {
		f := f.(map[string]any)
		if f["check"] != check {
			continue
		}
		if (f["state"] == "ok") != (f["fix"] == "") {
			t.Errorf("%s is %s, with the fix %q", check, f["state"], f["fix"])
		}
		return strings.TrimSpace(fmt.Sprint(f["state"], ": ", f["words"], " ", strings.Trim(fmt.Sprint(f["paste"]), "[]")))
	}
	t.Fatalf("there is no finding on %s", check)
	return ""
}

func (b *bench) finds(t testing.TB, check, want string, opts ...func(*http.Request)) {
	t.Helper()
	if got := b.finding(t, check, opts...); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

const noProxy = "ok: No proxy that is not trusted has forwarded a request"

func TestTheDoctorNamesAProxyThatIsNotTrusted(t *testing.T) {
	trusting := func(c *Config) {
		c.Origin.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}
	}
	for name, c := range map[string]struct {
		change    func(*Config)
		peer      string
		forwarded []string
		want      string
	}{
		"nothing is forwarded":          {nil, "127.0.0.1", nil, noProxy},
		"by a loopback address":         {nil, "127.0.0.1", []string{"203.0.113.9"}, "problem: 127.0.0.1 forwards requests, but is not trusted --trusted-proxies 127.0.0.1"},
		"by a container's gateway":      {nil, "172.17.0.1", []string{"203.0.113.9"}, "problem: 172.17.0.1 forwards requests, but is not trusted --trusted-proxies 172.17.0.1"},
		"by a trusted one":              {trusting, "127.0.0.1", []string{"203.0.113.9"}, noProxy},
		"by two trusted ones":           {trusting, "127.0.0.1", []string{"203.0.113.9, 10.1.2.3"}, noProxy},
		"by one behind a trusted one":   {trusting, "127.0.0.1", []string{"203.0.113.9, 192.168.0.2"}, "problem: 192.168.0.2 forwards requests, but is not trusted --trusted-proxies 127.0.0.1,10.0.0.0/8,192.168.0.2"},
		"in two headers":                {trusting, "127.0.0.1", []string{"203.0.113.9", "192.168.0.2"}, "problem: 192.168.0.2 forwards requests, but is not trusted --trusted-proxies 127.0.0.1,10.0.0.0/8,192.168.0.2"},
		"by a stranger who says so":     {nil, "203.0.113.5", []string{"127.0.0.1"}, noProxy},
		"by a stranger, behind a proxy": {trusting, "127.0.0.1", []string{"127.0.0.1, 203.0.113.5"}, noProxy},
		"something that is no address":  {nil, "127.0.0.1", []string{"nonsense"}, noProxy},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, storetest.New(t))
			if c.change != nil {
				b = newBench(t, b.store, c.change)
			}
			do(t, b, "POST", "/admin/users/heartbeat", nil, from(c.peer), func(r *http.Request) { r.Header["X-Forwarded-For"] = c.forwarded })
			b.finds(t, "proxy", c.want)
		})
	}
}

func TestTheDoctorBelievesItsOwnRequestOfAProxyOutside(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.finds(t, "proxy", "problem: 203.0.113.5 forwards requests, but is not trusted --trusted-proxies 203.0.113.5",
		from("203.0.113.5"), header("X-Forwarded-For", "198.51.100.7"))
	b.finds(t, "proxy", noProxy)
}

func TestTheDoctorNamesAProxyThatAddsTLSUnknown(t *testing.T) {
	b := newBench(t, storetest.New(t), func(c *Config) { c.Hosts = []string{"who.example"} })
	https := header("X-Forwarded-Proto", "https")
	b.finds(t, "https", "ok: This request came by http, as the server expects")
	b.finds(t, "https", "problem: A proxy adds TLS, and the server does not know of it --public-url https://rollcall.example", https)
	b.finds(t, "https", "problem: A proxy adds TLS, and the server does not know of it --public-url https://who.example", https,
		func(r *http.Request) { r.Host = "who.example:8080" })
	newBench(t, b.store, func(c *Config) { c.TLS = true }).finds(t, "https", "ok: Cookies are for https only", https)
}

const noOrigin = "ok: No page of another origin was refused"

func TestTheDoctorNamesOriginsThatAreNotAllowed(t *testing.T) {
	publicly := func(c *Config) {
		allowing(shop)(c)
		c.PublicURL = &url.URL{Scheme: "https", Host: "who.example"}
	}
	for name, c := range map[string]struct {
		method, path, origin, want string
	}{
		"a heartbeat":               {"POST", "/admin/users/heartbeat", "https://app.example", `problem: A page of "https://app.example" asks, but is not allowed --allow-origin https://YOUR-APPLICATION`},
		"a preflight":               {"OPTIONS", "/admin/users/heartbeat", "http://localhost:3000", `problem: A page of "http://localhost:3000" asks, but is not allowed --allow-origin https://YOUR-APPLICATION`},
		"the live feed":             {"GET", "/admin/users/online/live", "https://[2001:db8::1]:8443", `problem: A page of "https://[2001:db8::1]:8443" asks, but is not allowed --allow-origin https://YOUR-APPLICATION`},
		"the live connection":       {"GET", "/live", "https://app.example", `problem: A page of "https://app.example" asks, but is not allowed --allow-origin https://YOUR-APPLICATION`},
		"an allowed origin":         {"POST", "/admin/users/heartbeat", shop, noOrigin},
		"our own page":              {"POST", "/admin/users/heartbeat", "http://localhost:8080", noOrigin},
		"our page by its name":      {"POST", "/admin/users/heartbeat", "https://who.example", noOrigin},
		"no page":                   {"POST", "/admin/users/heartbeat", "", noOrigin},
		"what can not be allowed":   {"POST", "/admin/users/heartbeat", "null", noOrigin},
		"what goes on in a shell":   {"POST", "/admin/users/heartbeat", "https://a;id", noOrigin},
		"what goes on in a line":    {"POST", "/admin/users/heartbeat", "https://a\nid", noOrigin},
		"an escape sequence":        {"POST", "/admin/users/heartbeat", "https://\x1b[2Ja", noOrigin},
		"what never ends":           {"POST", "/admin/users/heartbeat", "https://" + strings.Repeat("a", 300), noOrigin},
		"what no script of ours is": {"POST", "/admin/keys", "https://evil.example", noOrigin},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, storetest.New(t), publicly)
			do(t, b, c.method, c.path, nil, func(r *http.Request) {
				if c.origin != "" {
					r.Header.Set("Origin", c.origin)
				}
			})
			b.finds(t, "origins", c.want)
		})
	}
}

func TestWhatTheDoctorSawIsForgottenAfterAnHour(t *testing.T) {
	b := newBench(t, storetest.New(t))
	do(t, b, "POST", "/admin/users/heartbeat", nil, header("Origin", "https://app.example"))
	b.clock.advance(time.Hour - time.Second)
	do(t, b, "POST", "/admin/users/heartbeat", nil, header("Origin", "https://other.example"))
	b.finds(t, "origins", `problem: A page of "https://other.example" (and 1 more) asks, but is not allowed --allow-origin https://YOUR-APPLICATION`)
	b.clock.advance(time.Second)
	b.finds(t, "origins", `problem: A page of "https://other.example" asks, but is not allowed --allow-origin https://YOUR-APPLICATION`)
}

func TestTheDoctorNamesHeartbeatsWithoutSessions(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "sessions")
	stray := func(n int) {
		for range n {
			do(t, b, "POST", "/admin/users/heartbeat", nil, bearing("of nobody"), header("Origin", shop)).refuses(404, "session_ended")
		}
	}
	const none = "ok: Heartbeats come with tokens of sessions"
	b.finds(t, "tokens", none)
	stray(2)
	b.finds(t, "tokens", none+"; 2 did not, which is too few to say that something is wrong")
	stray(1)
	b.finds(t, "tokens", "problem: 3 heartbeats came with a token of no session")
	_, token := b.person(t, key, "ada")
	well := func(n int) {
		for range n {
			do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(token)).wants(200)
		}
	}
	well(6)
	b.finds(t, "tokens", "problem: 3 heartbeats came with a token of no session")
	well(54)
	b.finds(t, "tokens", "warning: 3 heartbeats came with a token of no session")
	well(1)
	b.finds(t, "tokens", none+"; 3 did not, which is too few to say that something is wrong") // of so many, somebody came back after a month
	b.clock.advance(time.Hour)
	stray(3)
	b.finds(t, "tokens", "problem: 3 heartbeats came with a token of no session") // heartbeats from before do not count
}

func TestAHeartbeatOfASessionThatEndedIsNothingUnusual(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "sessions")
	_, token := b.person(t, key, "ada")
	do(t, b, "POST", "/admin/sessions/end", map[string]string{"session_token": token}, bearing(key)).wants(200)
	for range 10 {
		do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(token)).refuses(404, "session_ended")
	}
	b.finds(t, "tokens", "ok: Heartbeats come with tokens of sessions")
}

func TestTheDoctorTellsHowFarTheIntegrationIs(t *testing.T) {
	b := newBench(t, storetest.New(t), func(c *Config) {
		c.Data, c.PublicURL = "/srv/it's here", &url.URL{Scheme: "https", Host: "who.example"}
	})
	b.finds(t, "logins", `warning: No application has a key to report them by rollcall key create --app NAME --scope sessions --data '/srv/it'\''s here'`)
	remote := newBench(t, b.store, func(c *Config) { c.Database = "postgres://db.example/rollcall" })
	remote.finds(t, "logins", `warning: No application has a key to report them by rollcall key create --app NAME --scope sessions --database postgres://db.example/rollcall`)
	key := b.key(t, "shop", "sessions")
	b.finds(t, "logins", "warning: No application has reported one yet")
	b.person(t, key, "ada")
	b.finds(t, "logins", "ok: Applications report them")
}

func TestTheDoctorNoticesThatNothingIsCleanedUp(t *testing.T) {
	var uptime time.Duration
	b := newBench(t, storetest.New(t), func(c *Config) { c.Uptime = func() time.Duration { return uptime } })
	pass := func(d time.Duration) {
		uptime += d
		b.clock.advance(d)
	}
	b.finds(t, "cleanup", "ok: Has not run yet")
	if _, err := b.store.Cleanup(t.Context(), b.now()); err != nil {
		t.Fatal(err)
	}
	last := b.now().UTC().Format("2006-01-02 15:04 UTC")
	forgiven := 2 * b.store.Rules().OnlineWindow
	b.clock.advance(3*time.Hour - forgiven) // which is a step
	b.finds(t, "cleanup", "ok: Waits: the clock was set a moment ago")
	pass(forgiven)
	b.finds(t, "cleanup", "ok: Expired sessions were last ended at "+last)
	pass(time.Second)
	b.finds(t, "cleanup", "problem: Expired sessions were last ended at "+last+" rollcall cleanup")
}

func TestTheDoctorLooksAtTheDiskOfTheServer(t *testing.T) {
	folder := t.TempDir()
	if len(doctor.DataChecks(folder)) == 0 {
		t.Skip("nothing can be told of disks here")
	}
	b := newBench(t, storetest.New(t), func(c *Config) { c.Data = folder })
	b.finds(t, "folder", "ok: The data folder is not on a network file system")
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	b.finds(t, "folder", "problem: The data folder can not be looked at rollcall doctor --data FOLDER")
}

func TestEveryLineOfTheDoctorFitsATerminal(t *testing.T) {
	const room = 80 - len("problem  heartbeats  ")
	b := newBench(t, storetest.New(t), func(c *Config) { c.Data = t.TempDir() })
	for _, f := range do(t, b, "GET", "/admin/doctor", nil, bearing(b.key(t, "doctor", "admin"))).wants(200)["findings"].([]any) {
		if words := f.(map[string]any)["words"].(string); len(words) > room {
			t.Errorf("%q is longer than %d", words, room)
		}
	}
}

func TestTheDoctorTellsWhetherTheProxySaysWhoIsLoggedIn(t *testing.T) {
	b := newBench(t, storetest.New(t), behindProxy("127.0.0.1/32"))
	beat := func(peer string) {
		do(t, b, "POST", "/admin/users/heartbeat", nil, from(peer), header("Remote-User", "eve"))
	}
	b.finds(t, "auth-header", "warning: No trusted proxy has sent Remote-User since the start")
	b.finds(t, "logins", "ok: The proxy says who is logged in")
	beat("127.0.0.1")
	b.finds(t, "auth-header", "ok: The proxy says by Remote-User who is logged in")
	for range 3 {
		beat("203.0.113.5")
		beat("10.0.0.9")
		beat("203.0.113.5")
	}
	b.finds(t, "auth-header", "warning: 203.0.113.5 (and 1 more) sends Remote-User, and is no trusted proxy")
	if lines := b.lines("says who is logged in"); len(lines) != 1 {
		t.Errorf("the log has %d lines: %v", len(lines), lines)
	}
	b.clock.advance(2 * time.Hour)
	b.finds(t, "auth-header", "ok: The proxy says by Remote-User who is logged in")

	plain := newBench(t, storetest.New(t))
	do(t, plain, "POST", "/admin/users/heartbeat", nil, from("203.0.113.5"), header("Remote-User", "eve")).refuses(400, "session_token_required")
	if lines := plain.lines("says who is logged in"); len(lines) != 0 {
		t.Errorf("without the setting the log says %v", lines)
	}
}
