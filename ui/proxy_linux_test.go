package ui_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"io/fs"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/coder/websocket"

	"rollcall/server/client"
	"rollcall/ui"
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

// documented is a text that /docs shows.
func documented(t *testing.T, name string) string {
	t.Helper()
	text, err := fs.ReadFile(ui.Static, "proxy/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// installed finds a proxy's program. Where there is none the test is skipped,
// unless TEST_PROXY=required makes that a failure.
func installed(t *testing.T, program string) string {
	t.Helper()
	for _, name := range []string{program, "/usr/sbin/" + program} { // which is not in everybody's path
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, program, "TEST_PROXY")
	return ""
}

// newFront starts Rollcall with these arguments.
func newFront(t *testing.T, args []string) *front {
	f := &front{t: t, in: serve(t, args...), https: freePort(t), plain: freePort(t)}
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

// freePort is an address for a proxy, on which nothing else listens.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.3:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// placed puts the addresses of this machine into a snippet. Each must have been there.
func (f *front) placed(snippet string, pairs ...string) string {
	f.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(snippet, pairs[i]) {
			f.t.Fatalf("the snippet has no %s:\n%s", pairs[i], snippet)
		}
		snippet = strings.ReplaceAll(snippet, pairs[i], pairs[i+1])
	}
	return snippet
}

func (f *front) ownName() bool { return strings.HasPrefix(f.base, "https://rollcall.example") }

func (f *front) nginx(program, snippet string) {
	dir := f.t.TempDir()
	certificate, key := certificate(f.t, dir)
	snippet = f.placed(snippet, "127.0.0.1:8080", f.in.address)
	if f.ownName() {
		snippet = f.placed(snippet, "[::]:443", freePort(f.t), "[::]:80", freePort(f.t), "listen 443", "listen "+f.https, "listen 80", "listen "+f.plain,
			"/etc/ssl/rollcall.example/fullchain.pem", certificate, "/etc/ssl/rollcall.example/privkey.pem", key)
	} else {
		snippet = "server { listen " + f.https + " ssl; port_in_redirect off; server_name intranet.example; ssl_certificate " + certificate +
			"; ssl_certificate_key " + key + "; location / { return 200 'the site'; } location ~ \\.js$ { return 404; }\n" + snippet + "}"
	}
	me, err := user.Current()
	if err != nil {
		f.t.Fatal(err)
	}
	temporary := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += kind + "_temp_path " + filepath.Join(dir, kind) + ";"
	}
	config := "daemon off; user " + me.Username + "; pid " + filepath.Join(dir, "pid") + "; error_log stderr; events {}\nhttp { access_log off; " + temporary + "\n" + snippet + "}"
	f.run(exec.Command(program, "-p", dir, "-e", "stderr", "-c", f.file(dir, "nginx.conf", config)))
}

func (f *front) caddy(program, snippet string) {
	dir := f.t.TempDir()
	snippet = f.placed(snippet, "127.0.0.1:8080", f.in.address)
	if !f.ownName() {
		snippet = "intranet.example {\n" + snippet + "\nrespond \"the site\"\n}"
	}
	host, port, _ := net.SplitHostPort(f.https)
	_, plain, _ := net.SplitHostPort(f.plain)
	options := "{\nadmin off\nlocal_certs\nskip_install_trust\ndefault_bind " + host + "\nhttps_port " + port + "\nhttp_port " + plain + "\n}\n"
	cmd := exec.Command(program, "run", "--adapter", "caddyfile", "--config", f.file(dir, "Caddyfile", options+snippet))
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	f.run(cmd)
}

func (f *front) file(dir, name, text string) string {
	f.t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	return path
}

// certificate is one that httptest has made, as files.
func certificate(t *testing.T, dir string) (certificate, key string) {
	t.Helper()
	made := httptest.NewTLSServer(nil)
	made.Close()
	pair := made.TLS.Certificates[0]
	secret, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	certificate, key = filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	if err == nil {
		err = os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o600)
	}
	if err == nil {
		err = os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// run lets a proxy run until the test ends.
func (f *front) run(cmd *exec.Cmd) {
	f.t.Helper()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil || f.t.Failed() {
			f.t.Errorf("the proxy ended with %v and said:\n%s", err, &said)
		}
	})
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
	if c := answer.Cookies()[0]; c.Name != "__Host-rollcall" || c.Path != "/" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
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
	req, err := http.NewRequestWithContext(f.t.Context(), "GET", f.base+"/healthz", nil)
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
