package ui_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"rollcall/server/client"
)

// readmeBlock is the block of the README that begins with a line and has its kind.
func readmeBlock(t *testing.T, kind, first string) string {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(readme), "```"+kind+"\n"+first)
	block, _, ended := strings.Cut(rest, "```")
	if !ok || !ended {
		t.Fatalf("the README has no block %s that begins with %s", kind, first)
	}
	return first + block
}

// authServer is a server that is asked by proxies who somebody is, as Authelia is. It knows people by their password.
func authServer(t *testing.T) (address string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, given, _ := r.BasicAuth()
		if given != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="team"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Remote-User", user)
		if user == "ada" { // of others it says no more
			w.Header().Set("Remote-Name", "Ada Lovelace")
			w.Header().Set("Remote-Groups", "dev,ops")
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

const loggedInPage = `<!doctype html><link rel=icon href=data:,><script src=/rollcall/heartbeat.js async></script>`

// TestTheAuthenticatingProxiesOfTheREADME has real proxies say who is logged in, and people who would like to.
func TestTheAuthenticatingProxiesOfTheREADME(t *testing.T) {
	for name, start := range map[string]func(f *front, program, asked string){
		"nginx": func(f *front, program, asked string) {
			add := readmeBlock(f.t, "nginx", "auth_request ")
			snippet := documented(f.t, "nginx-path.conf")
			snippet = f.placed(snippet, "location ^~ /rollcall/ {", "location ^~ /rollcall/ {\n"+add)
			f.nginx(program, snippet+`
				location = /app { auth_request /internal/authelia/authz; default_type text/html; try_files /page =404; }
				location = /internal/authelia/authz { internal; proxy_pass http://`+asked+`; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
				root `+site(f)+`;`)
		},
		"caddy": func(f *front, program, asked string) {
			instead := f.placed(readmeBlock(f.t, "caddyfile", "route {"), "127.0.0.1:9091", asked)
			f.caddy(program, f.placed(documented(f.t, "Caddyfile-path"), "\treverse_proxy 127.0.0.1:8080", instead)+`
				handle /app {
					forward_auth `+asked+` {
						uri /api/authz/forward-auth
					}
					root * `+site(f)+`
					rewrite * /page
					header Content-Type text/html
					file_server
				}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			program := installed(t, name)
			args := strings.Fields(strings.ReplaceAll(documented(t, "serve-path.txt"), "\\\n", ""))[2:]
			f := newFront(t, append(args, "--heartbeat", "1s", "--online-window", "20s", "--auth-header", "Remote-User",
				"--auth-header-claims", "name=Remote-Name,email=Remote-Email,groups=Remote-Groups,session=Remote-Session", "--auth-admins", "@ops", "--auth-viewers", "bob"))
			start(f, program, authServer(t))
			f.await()
			f.believesOnlyTheProxy()
			f.liveByTheProxy()
		})
	}
}

// site is a folder with the page of the application.
func site(f *front) string {
	dir := f.t.TempDir()
	if err := os.Chmod(f.file(dir, "page", loggedInPage), 0o644); err != nil {
		f.t.Fatal(err)
	}
	return dir
}

// as asks through the proxy as somebody, with further headers by pairs, and returns the answer.
func (f *front) as(user, method, path string, headers ...string) (status int, said map[string]any) {
	f.t.Helper()
	return ask(f.t, f.http, user, method, f.base+path, headers...)
}

func ask(t *testing.T, c *http.Client, user, method, address string, headers ...string) (status int, said map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	answer, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	said = map[string]any{}
	_ = json.NewDecoder(answer.Body).Decode(&said) // pages are none
	return answer.StatusCode, said
}

// believesOnlyTheProxy has people say that they are somebody else.
func (f *front) believesOnlyTheProxy() {
	f.t.Helper()
	spoofed := []string{"Remote-User", "ada", "Remote-Groups", "ops", "Remote-Name", "Ada", "remote-user", "ada"}
	for user, want := range map[string]string{"ada": "ada Ada Lovelace admin", "bob": "bob  viewer", "eve": "eve  none"} {
		_, said := f.as(user, "GET", "/auth/me", spoofed...)
		me, _ := said["user"].(map[string]any)
		if got := strings.TrimSpace(strings.Join([]string{asText(me["id"]), asText(me["name"]), asText(me["access"])}, " ")); got != want {
			f.t.Errorf("%s is %q, want %q: %v", user, got, want, said)
		}
	}
	if status, _ := f.as("", "GET", "/auth/me", spoofed...); status != 401 {
		f.t.Errorf("nobody who says that they are somebody: %d", status)
	}
	stranger := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(visitor)}}).DialContext}}
	if status, said := ask(f.t, stranger, "", "GET", "http://"+f.in.address+"/rollcall/admin/keys", "Remote-User", "ada", "Remote-Groups", "ops"); status != 401 {
		f.t.Errorf("past the proxy: %d %v", status, said)
	}
	for site, want := range map[string]int{strings.TrimSuffix(f.base, "/rollcall"): 200, "https://evil.example": 403} {
		if status, said := f.as("ada", "POST", "/admin/users/cleanup-sessions", "Origin", site); status != want {
			f.t.Errorf("in a page of %s: %d %v", site, status, said)
		}
	}
}

func asText(v any) string {
	text, _ := v.(string)
	return text
}

// liveByTheProxy works in a page of the application, looks at the panel, and is asked to leave.
func (f *front) liveByTheProxy() {
	f.t.Helper()
	key := f.in.command(f.t, "key", "create", "--app", "ops", "--scope", "admin")
	direct := client.New("http://"+f.in.address+"/rollcall", key)
	defer direct.Close()
	own := strings.TrimSuffix(f.base, "/rollcall")
	b := browser(f.t, chromedp.Flag("host-resolver-rules", "MAP *:443 "+f.https), chromedp.Flag("ignore-certificate-errors", true))
	b.open(strings.Replace(own, "https://", "https://ada:"+strings.ReplaceAll(password, " ", "%20")+"@", 1) + "/app")
	b.until(`rollcall.state === 'ok'`)
	sessions, err := sessionsOf(f.t.Context(), direct, "ada")
	if err != nil || len(sessions) != 1 {
		f.t.Fatalf("she has the sessions %v, %v", sessions, err)
	}

	b.open(f.base + "/")
	b.until(`document.querySelector('[data-me]').textContent === 'Ada Lovelace' && document.querySelector('[data-sign-out]').hidden`)
	b.until(listed("Ada Lovelace")) // of the page before, whose goodbye has its grace
	b.until(follows("Live"))
	page := b.another()
	page.open(own + "/app")
	page.until(`rollcall.state === 'ok'`)
	if later, err := sessionsOf(f.t.Context(), direct, "ada"); err != nil || len(later) != 1 || later[0] != sessions[0] {
		f.t.Errorf("in another tab she has the sessions %v, %v", later, err)
	}

	if status, said := f.as("ada", "DELETE", "/admin/sessions/"+sessions[0], "Origin", own); status != 200 {
		f.t.Fatalf("ending a session: %d %v", status, said)
	}
	page.until(`rollcall.state === 'ended'`)
	page.open(own + "/app?again")
	page.until(`rollcall.state === 'ended'`)
	f.waitsFor(direct) // once the goodbye of the page before, which may come late, is made good
	_, audit := ask(f.t, http.DefaultClient, "", "GET", "http://"+f.in.address+"/rollcall/admin/audit?action=session.revoke", "Authorization", "Bearer "+key)
	entries, _ := audit["entries"].([]any)
	if len(entries) != 1 || entries[0].(map[string]any)["actor"] != "user:intranet.example/ada" {
		f.t.Errorf("the audit log says %v", audit)
	}
}

// waitsFor waits until the light knows of one person who was asked to leave and works on.
func (f *front) waitsFor(direct *client.Client) {
	f.t.Helper()
	for end := time.Now().Add(patience); ; <-time.After(50 * time.Millisecond) {
		gate, err := direct.Gate(f.t.Context(), client.GateQuestion{})
		if err != nil {
			f.t.Fatal(err)
		}
		if gate.Level == "caution" && gate.Counts.StillThere == 1 {
			return
		}
		if time.Now().After(end) {
			f.t.Fatalf("the light is %v", gate)
		}
	}
}

// sessionsOf are the ids of somebody's sessions that are online.
func sessionsOf(ctx context.Context, c *client.Client, id string) (ids []string, err error) {
	online, err := c.Online(ctx, client.OnlineFilter{})
	for _, person := range online.Users {
		if person.ID != id {
			continue
		}
		for _, session := range person.Sessions {
			ids = append(ids, session.ID)
		}
	}
	return ids, err
}
