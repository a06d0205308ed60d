package ui_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/coder/websocket"

	"rollcall/server/client"
)

var silence = flag.Duration("silence", 0, "how long nothing is to happen on the live feed behind a proxy")

// A front is the address that people know, with a real proxy there that is told
// what /docs says. Linux has all of 127.0.0.0/8, so that each side has an address of its own.
type front struct {
	t            *testing.T
	in           instance
	base         string // of what people ask for
	https, plain string // where the proxy listens, for ports 443 and 80
	forged       string // an X-Forwarded-For that the visitor sends; "" for none
	end          os.Signal
	http         *http.Client
}

// visitor is the address from which a front is asked.
const visitor = "127.0.0.2"

func TestTheProxiesOfTheDocumentation(t *testing.T) {
	for _, c := range []struct {
		program, command, snippet string
		start                     func(f *front, program, snippet string)
	}{
		{"nginx", "serve.txt", "nginx.conf", (*front).nginx},
		{"nginx", "serve-path.txt", "nginx-path.conf", (*front).nginx},
		{"caddy", "serve.txt", "Caddyfile", (*front).caddy},
		{"caddy", "serve-path.txt", "Caddyfile-path", (*front).caddy},
		{"apache2", "serve.txt", "apache.conf", (*front).apache},
		{"apache2", "serve-path.txt", "apache-path.conf", (*front).apache},
		{"haproxy", "serve.txt", "haproxy.cfg", (*front).haproxy},
		{"haproxy", "serve-path.txt", "haproxy-path.cfg", (*front).haproxy},
	} {
		t.Run(c.snippet, func(t *testing.T) {
			program := installed(t, c.program)
			f := newFront(t, strings.Fields(strings.ReplaceAll(documented(t, c.command), "\\\n", ""))[2:])
			c.start(f, program, documented(t, c.snippet))
			f.await()
			f.check()
			t.Run("in a browser", f.browse)
		})
	}
}

// newFront starts Rollcall with these arguments.
func newFront(t *testing.T, args []string) *front {
	f := &front{t: t, in: serve(t, args...), https: freePort(t), plain: freePort(t), end: os.Interrupt}
	f.base = f.in.url
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(visitor)}}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // what certificates are worth is not our business here
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if strings.HasSuffix(address, ":80") {
				return from.DialContext(ctx, network, f.plain)
			}
			return from.DialContext(ctx, network, f.https)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	f.http = &http.Client{Transport: transport, Jar: jar, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return f
}

// await asks until the proxy answers.
func (f *front) await() {
	f.t.Helper()
	for end := time.Now().Add(patience); ; {
		answer, err := f.http.Get(f.base + "/readyz")
		if err == nil {
			answer.Body.Close()
			return
		}
		if time.Now().After(end) {
			f.t.Fatal("the proxy does not answer: ", err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// send sends a request from a page of an origin and returns the answer with what it says.
func (f *front) send(origin, method, address, body string) (*http.Response, map[string]any) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	if f.forged != "" {
		req.Header.Set("X-Forwarded-For", f.forged)
	}
	answer, err := f.http.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer answer.Body.Close()
	said := map[string]any{}
	_ = json.NewDecoder(answer.Body).Decode(&said) // pages are none
	return answer, said
}

func (f *front) wants(status int, origin, method, path, body string) (*http.Response, map[string]any) {
	f.t.Helper()
	answer, said := f.send(origin, method, f.base+path, body)
	if answer.StatusCode != status {
		f.t.Fatalf("%s %s: %s, want %d: %v", method, path, answer.Status, status, said)
	}
	return answer, said
}

func (f *front) check() {
	f.t.Helper()
	own := strings.TrimSuffix(f.base, "/rollcall") // the origin
	_, code, _ := strings.Cut(f.in.setup, "#")
	f.forged = "203.0.113.9"
	f.wants(403, "https://evil.example", "POST", "/setup", `{"code": "`+code+`", "name": "root", "password": "`+password+`"}`)
	answer, _ := f.wants(201, own, "POST", "/setup", `{"code": "`+code+`", "name": "root", "password": "`+password+`"}`)
	cookie, path := "__Host-rollcall", "/"
	if !f.ownName() {
		cookie, path = "__Secure-rollcall-rollcall", "/rollcall"
	}
	if c := answer.Cookies()[0]; c.Name != cookie || c.Path != path || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
		f.t.Errorf("the cookie is %+v", c)
	}
	f.wants(200, "", "GET", "/", "")
	f.wants(200, "", "GET", "/docs", "")
	f.wants(403, "https://evil.example", "POST", "/admin/keys", `{"app": "shop", "scopes": ["sessions"]}`)
	f.wants(201, own, "POST", "/admin/keys", `{"app": "shop", "scopes": ["sessions"]}`)
	f.checkAddress()
	f.checkFeed(own)
	f.checkPaths()
}

// checkAddress wants the visitor's address, which is neither the proxy's nor what the visitor says.
func (f *front) checkAddress() {
	f.t.Helper()
	_, said := f.wants(200, "", "GET", "/admin/sessions?app=rollcall", "")
	for _, session := range said["sessions"].([]any) {
		if got := session.(map[string]any)["ip_address"]; got != visitor {
			f.t.Errorf("who signs in has the address %v, want %s", got, visitor)
		}
	}
}

// checkFeed follows the live feed while somebody with a difficult id comes.
func (f *front) checkFeed(own string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience+*silence)
	defer cancel()
	patient := *f.http
	patient.Timeout = 0
	conn, _, err := websocket.Dial(ctx, f.base+"/admin/users/online/live", &websocket.DialOptions{HTTPClient: &patient, HTTPHeader: http.Header{"Origin": {own}}})
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.CloseNow()
	events := make(chan string, 10)
	go func() { // all the time: only who reads answers the server's pings
		for {
			_, event, err := conn.Read(ctx)
			if err != nil {
				events <- err.Error()
				return
			}
			events <- string(event)
		}
	}()
	if first := <-events; !strings.Contains(first, `"hello"`) {
		f.t.Fatalf("the feed begins with %s", first)
	}
	key := f.in.command(f.t, "key", "create", "--app", "shop", "--scope", "sessions")
	direct := client.New("http://"+f.in.address+strings.TrimPrefix(f.base, own), key)
	defer direct.Close()
	<-time.After(*silence)
	login(f.t, direct, "a/b", "Ada")
	if event := <-events; !strings.Contains(event, `"online"`) || !strings.Contains(event, `"a/b"`) {
		f.t.Errorf("after a login the feed says %s", event)
	}
	f.wants(200, "", "GET", "/admin/users/a%2Fb/explain", "")
}

// checkPaths wants that the proxy hands over what is ours, and only that.
func (f *front) checkPaths() {
	f.t.Helper()
	if f.ownName() {
		answer, _ := f.send("", "GET", strings.Replace(f.base, "https", "http", 1)+"/deploy", "")
		if to := answer.Header.Get("Location"); to != f.base+"/deploy" {
			f.t.Errorf("without TLS: %s to %s", answer.Status, to)
		}
		f.refusesOtherNames()
		return
	}
	answer, _ := f.send("", "GET", f.base, "")
	if to := answer.Header.Get("Location"); !strings.HasSuffix(to, "/rollcall/") {
		f.t.Errorf("%s: %s to %q", f.base, answer.Status, to)
	}
	for _, path := range []string{"/", "/login", "/admin/keys"} {
		answer, _ := f.send("", "GET", strings.TrimSuffix(f.base, "/rollcall")+path, "")
		if answer.StatusCode != 200 || answer.ContentLength != int64(len("the site")) {
			f.t.Errorf("%s is not the site's: %s", path, answer.Status)
		}
	}
}

// refusesOtherNames wants no answer of ours to a name that is not ours: the proxy
// has none for it, or hands the name over.
func (f *front) refusesOtherNames() {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), "GET", f.base+"/docs", nil)
	if err != nil {
		f.t.Fatal(err)
	}
	req.Host = "evil.example"
	answer, err := f.http.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusMisdirectedRequest && answer.ContentLength != 0 {
		f.t.Errorf("asked as evil.example: %s", answer.Status)
	}
}

// browse signs in and follows the panel, at the address that people know.
func (f *front) browse(t *testing.T) {
	b := browser(t, chromedp.Flag("host-resolver-rules", "MAP *:443 "+f.https), chromedp.Flag("ignore-certificate-errors", true))
	b.open(f.base)
	b.fill(`#name`, "root")
	b.fill(`#password`, password)
	b.click(`button[type=submit]`)
	b.until(listed("Ada"))
	b.until(follows("Live"))
	b.open(f.base + "/docs")
	b.until(`document.querySelector('[data-tabs] [aria-selected]')`)
	if shown := b.eval(`document.querySelector('pre').textContent`); !strings.Contains(shown, strings.TrimSuffix(f.base, "/rollcall")+" ") {
		t.Errorf("/docs has another address: %s", shown)
	}
}
