package server

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rollcall/server/origin"
	"rollcall/server/web"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

func TestAFilterByAddressGoesByWhatIsKept(t *testing.T) {
	b := newBench(t, storetest.New(t), func(c *Config) { c.Origin.Addresses = origin.TruncatedAddresses })
	key, viewer, admin := b.key(t, "shop", "sessions"), b.key(t, "watch", "read"), b.key(t, "ops", "admin")
	report(t, b, key, "ada", "203.0.113.77", "")
	b.clock.advance(time.Second)
	report(t, b, key, "bob", "2001:db8:1:2::6", "")
	for query, want := range map[string]string{"203.0.113.77": "ada", "203.0.113.0": "ada", "203.0.113.78": "ada", "203.0.114.77": "", "2001:db8:1::": "bob", "2001:db8:1:9::": "bob", "": "bob ada"} {
		if got := strings.Join(listed(do(t, b, "GET", "/admin/sessions?ip="+query, nil, bearing(viewer)).wants(200)), " "); got != want {
			t.Errorf("%s finds %q, want %q", query, got, want)
		}
	}
	// An address that comes to nothing must not mean everybody.
	do(t, b, "GET", "/admin/sessions?ip=office", nil, bearing(viewer)).refuses(400, "invalid_request")
	do(t, b, "POST", "/admin/sessions/revoke", `{"ip": "office"}`, bearing(admin)).refuses(400, "invalid_request")
	off := newBench(t, b.store, func(c *Config) { c.Origin.Addresses = origin.NoAddresses })
	do(t, off, "GET", "/admin/sessions?ip=203.0.113.77", nil, bearing(viewer)).refuses(400, "invalid_request")
	do(t, off, "POST", "/admin/sessions/revoke", `{"ip": "203.0.113.77"}`, bearing(admin)).refuses(400, "invalid_request")
	if got := do(t, b, "POST", "/admin/sessions/revoke", `{"ip": "203.0.113.78"}`, bearing(admin)).wants(200); got["count"] != 1.0 {
		t.Errorf("%v sessions of the network ended", got["count"])
	}
}

// TestAnAddressThatIsNotToBeKeptIsNowhere looks for it in the database and the
// log after a sign-in, a reported login and trouble with connections.
func TestAnAddressThatIsNotToBeKeptIsNowhere(t *testing.T) {
	places, err := origin.NewPlaces(networks("Office=203.0.113.0/24", "Branch=2001:db8:1:2::/64"), "", zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	for rule, kept := range map[origin.AddressRule][]string{
		origin.NoAddresses:        {"Office", "Branch"},
		origin.TruncatedAddresses: {"Office", "Branch", "203.0.113.0", "2001:db8:1::"},
		origin.FullAddresses:      {"Office", "Branch", "203.0.113.77", "2001:db8:1:2::6"},
	} {
		t.Run(string(rule), func(t *testing.T) {
			folder := t.TempDir()
			b := newBench(t, storetest.Open(t, folder, presence.DefaultRules()), func(c *Config) {
				c.Origin.Addresses, c.Origin.Places, c.Origin.TrustedProxies = rule, places, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
			})
			b.admin(t)
			proxied := []func(*http.Request){from("10.0.0.1"), header("X-Forwarded-For", "203.0.113.77"), header("User-Agent", firefox)}
			b.signIn(t, "root", password, proxied...).wants(200)
			b.signIn(t, "root", "wrong", proxied...).refuses(401, "invalid_credentials")
			report(t, b, b.key(t, "shop", "sessions"), "ada", "2001:db8:1:2::6", "")
			b.clash(t)

			found := stored(t, folder) + b.logs.String()
			for _, want := range kept {
				if !strings.Contains(found, want) {
					t.Errorf("%s is not in the database or the log, so this test looks in the wrong place", want)
				}
			}
			for _, address := range []string{"203.0.113.77", "2001:db8:1:2::6", "127.0.0.1"} {
				if rule != origin.FullAddresses && strings.Contains(found, address) {
					t.Errorf("%s is in the database or the log:\n%s", address, b.logs)
				}
			}
		})
	}
}

// clash has two readers' connections break: at the handshake, and in a file.
func (b *bench) clash(t *testing.T) {
	t.Helper()
	served := httptest.NewUnstartedServer(b.Handler())
	served.Config.ErrorLog = quiet(b.log, b.cfg.Origin.Addresses)
	served.StartTLS()
	defer served.Close()
	conn, err := net.Dial("tcp", served.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(bytes.Repeat([]byte{22, 3, 1, 0, 5}, 9)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, conn) // until the server hangs up
	if !strings.Contains(b.logs.String(), "TLS handshake error") {
		t.Errorf("no handshake failed, which this test needs: %s", b.logs)
	}
	broken := &net.OpError{Op: "write", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(203, 0, 113, 77), Port: 4711}, Err: errors.New("broken pipe")}
	defer func() {
		if recover() == nil || !strings.Contains(b.logs.String(), "broken pipe") {
			t.Error("no file broke off, which this test needs")
		}
	}()
	b.respond.Succeed(httptest.NewRecorder(), httptest.NewRequest("GET", "/admin/sessions", nil), web.Download{Write: func(http.ResponseWriter) error { return broken }})
}
