package doctor

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/server/api"
	"rollcall/server/origin"
	"rollcall/store/sqldb"
	"rollcall/store/storetest"
)

func TestAFloodOfStrangersTakesLittleMemoryAndHidesNothing(t *testing.T) {
	var seen topK[string]
	now := storetest.Start
	for i := range 100_000 {
		now = now.Add(time.Millisecond)
		seen.note(now, fmt.Sprint("https://stranger", i, ".example"), 0)
		if i%1000 == 0 {
			seen.note(now, shop, 0)
			seen.note(now, shop, 0)
		}
	}
	what, how := seen.lately(now)
	if len(what) != maxTopK || what[0] != shop || how[0].count != 200 || len(seen.seen) != maxTopK {
		t.Errorf("%d are kept, the first is %s, %d times", len(what), what[0], how[0].count)
	}
}

func TestARequestThatIsInOrderTakesNoMemoryToWatch(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	d := New(Config{Origin: origin.Resolver{TrustedProxies: proxies}, Pages: origin.Pages{Allowed: []string{shop}}})
	h := d.Watch(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	d.proxies.mu.Lock() // whoever takes one waits
	d.origins.mu.Lock()
	d.unknownTokens.mu.Lock()
	late := time.AfterFunc(5*time.Second, func() {
		t.Error("a lock is taken")
		d.proxies.mu.Unlock()
		d.origins.mu.Unlock()
		d.unknownTokens.mu.Unlock()
	})
	defer late.Stop()
	for name, opt := range map[string]func(*http.Request){
		"a page of an allowed origin": header("Origin", shop),
		"a page of ours":              header("Origin", "http://localhost:8080"),
		"a program":                   func(*http.Request) {},
		"through proxies":             header("X-Forwarded-For", "2001:db8::1, fd00::1, 127.0.0.2"),
	} {
		r := httptest.NewRequest("POST", "/admin/users/heartbeat", nil)
		r.Host, r.RemoteAddr = "localhost:8080", "127.0.0.1:4711"
		opt(r)
		if got := testing.AllocsPerRun(100, func() { h.ServeHTTP(nil, r) }); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

func TestWhatIsSaidOfADisk(t *testing.T) {
	for name, c := range map[string]struct{ got, want api.Finding }{
		"on a network": {networkFinding("/mnt/my data", disk{Network: "NFS"}), api.Finding{Check: "folder", State: api.FindingProblem,
			Words: "The data folder is on NFS, where databases get damaged", Paste: []string{
				"rollcall backup --data '/mnt/my data' /var/tmp/rollcall-move.db",
				"rollcall restore --data /var/lib/rollcall /var/tmp/rollcall-move.db",
				"rollcall serve --data /var/lib/rollcall"}}},
		"nearly full":        {roomFinding(disk{Free: 99 << 20}, 0), api.Finding{Check: "room", State: api.FindingProblem, Words: "Only 99 MB are free on the disk of the data", Paste: []string{}}},
		"no room for a copy": {roomFinding(disk{Free: 200 << 20}, 300<<20), api.Finding{Check: "room", State: api.FindingWarning, Words: "200 MB are free on the disk of the data, which takes 300 MB", Paste: []string{}}},
		"enough room":        {roomFinding(disk{Free: 200 << 20}, 100<<20), api.Finding{Check: "room", State: api.FindingOK, Words: "200 MB are free on the disk of the data", Paste: []string{}}},
	} {
		if (c.got.Fix == "") != (c.got.State == api.FindingOK) {
			t.Errorf("%s: %s, with the fix %q", name, c.got.State, c.got.Fix)
		}
		c.got.Fix = ""
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTheDoctorNamesAWayToPostgreSQLInTheClear(t *testing.T) {
	if f := encryptionFinding(sqldb.ServerInfo{Plaintext: true}); f.State != api.FindingWarning || f.Paste[0] != "sslmode=verify-full" {
		t.Errorf("got %+v", f)
	}
}

const shop = "https://shop.example"

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func TestThatEverybodyIsTrustedAsAProxyIsToldOf(t *testing.T) {
	for _, all := range []string{"0.0.0.0/0", "::/0"} {
		d := New(Config{Origin: origin.Resolver{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix(all)}}})
		if f := d.proxyFinding(httptest.NewRequest("GET", "/", nil), time.Now()); f.State != "problem" || !strings.Contains(f.Words, all) {
			t.Errorf("got %v", f)
		}
	}
}
