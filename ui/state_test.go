package ui_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// telling is a page that keeps what it was told of its heartbeats, and what was said in the console.
const telling = `<!doctype html><link rel="icon" href="data:,"><script>
	window.states = [];
	window.warnings = [];
	document.addEventListener('rollcall:state', (event) => states.push(event.detail.state));
	console.warn = (text) => warnings.push(text);
</script>`

func TestAPageIsToldWhatBecomesOfItsHeartbeats(t *testing.T) {
	t.Parallel()
	s := newStage(t, telling+scriptTag, "--heartbeat", "1s", "--online-window", "20s")
	b := browser(t)
	b.open(s.host)
	b.until(`states.join() === 'starting,signed-out' && rollcall.state === 'signed-out'`)
	b.eval(`localStorage.setItem('accessToken', 'nobody-knows-it')`)
	b.until(`states.join() === 'starting,signed-out,unknown-token'`)
	session := login(t, s.backend, "ada", "Ada")
	b.eval(`localStorage.setItem('accessToken', '` + session.Token + `')`)
	b.until(`states.join() === 'starting,signed-out,unknown-token,ok'`)
	s.in.stop()
	b.until(`states.at(-1) === 'offline'`)
	s.in = s.in.again(t, "--heartbeat", "1s", "--online-window", "20s", "--allow-origin", s.host)
	b.until(`states.at(-1) === 'ok'`)
	if err := s.backend.Revoke(t.Context(), session.ID); err != nil {
		t.Fatal(err)
	}
	b.until(`states.at(-1) === 'ended' && rollcall.state === 'ended'`)
	if got := b.eval(`warnings`); got != "" {
		t.Errorf("warned of what is nobody's mistake: %s", got)
	}
	b.leave()
}

// leave forgets what the browser complained about, which is what a test was about.
func (b *tab) leave() {
	b.t.Helper()
	b.open("about:blank")
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = nil
}

// warnsOnce waits until the page is warned by these words, and then for another heartbeat.
func (b *tab) warnsOnce(state, words string) {
	b.t.Helper()
	b.until(`rollcall.state === '` + state + `' && warnings.length > 0`)
	b.eval(`void (document.hidden || rollcall.beat())`)
	b.until(`document.readyState === 'complete'`)
	if got := b.eval(`warnings.join('\n')`); !strings.Contains(got, words) || strings.Contains(got, "\n") {
		b.t.Errorf("warned of %q, want once, of %q", got, words)
	}
	b.leave()
}

func TestAPageOfAnOriginThatIsNotAllowedIsWarned(t *testing.T) {
	t.Parallel()
	s := newStage(t, telling+scriptTag)
	b := browser(t)
	s.signIn(b, "ada")
	s.in.stop()
	s.in = s.in.again(t, "--allow-origin", "https://another.example")
	b.open(s.host)
	b.warnsOnce("blocked", "start Rollcall with --allow-origin "+s.host)
}

func TestAPageWhosePolicyForbidsHeartbeatsIsWarned(t *testing.T) {
	t.Parallel()
	s := newStage(t, `<meta http-equiv="Content-Security-Policy" content="connect-src 'self'">`+telling+scriptTag)
	b := browser(t)
	s.signIn(b, "ada")
	b.open(s.host)
	b.warnsOnce("blocked", "Name it in connect-src")
}

func TestAMisspeltSourceOfTheTokenIsWarnedOf(t *testing.T) {
	t.Parallel()
	s := newStage(t, telling+strings.Replace(scriptTag, "localStorage:", "localstorage:", 1))
	b := browser(t)
	b.open(s.host)
	b.warnsOnce("signed-out", `data-token-from="localstorage:accessToken" is none of`)
}

// sameOrigin is the address of a page with this script tag behind a proxy that has Rollcall at the same
// origin, and may answer heartbeats itself.
func sameOrigin(t *testing.T, tag string, answers func(http.ResponseWriter) bool) string {
	t.Helper()
	target, err := url.Parse(serve(t).url)
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/host" {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(telling + tag))
		} else if !strings.HasSuffix(r.URL.Path, "/heartbeat") || !answers(w) {
			through.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL + "/host"
}

// TestAProxyThatAnswersInPlaceOfRollcall stands before its heartbeats, not before its scripts.
func TestAProxyThatAnswersInPlaceOfRollcall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status      int
		body, words string
	}{
		"a sign-in page":       {200, `<form>Sign in</form>`, "such as a proxy's sign-in"},
		"another host's name":  {421, `{"success": false, "code": "unknown_host"}`, "Start Rollcall with --host"},
		"a missing permission": {403, `{"success": false, "code": "cross_origin"}`, "may not send heartbeats to"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := sameOrigin(t, `<script src="/heartbeat.js" data-token="a-token" data-debug async></script>`, func(w http.ResponseWriter) bool {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
				return true
			})
			b := browser(t)
			b.open(host)
			b.warnsOnce("refused", c.words)
		})
	}
}

func TestAProxyThatSendsHeartbeatsToItsSignInIsWarnedOf(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("Sign in")) }))
	defer elsewhere.Close()
	var away atomic.Bool
	host := sameOrigin(t, `<script src="/heartbeat.js" async></script><script>
		window.ended = [];
		document.addEventListener('rollcall:ended', (event) => ended.push(event.detail.reason));
	</script>`, func(w http.ResponseWriter) bool {
		if away.Load() {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(http.StatusFound)
			return true
		}
		_, _ = w.Write([]byte(`{"success": true, "next_heartbeat_ms": 1000, "timestamp": "2026-03-02T09:30:00Z"}`))
		return true
	})
	b := browser(t)
	b.open(host)
	b.until(`states.join() === 'starting,ok'`)
	away.Store(true)
	b.until(`states.join() === 'starting,ok,blocked'`)
	if ended := b.eval(`ended`); ended != "" {
		t.Errorf("its person is told that the session has ended: %s", ended)
	}
	away.Store(false)
	b.until(`states.join() === 'starting,ok,blocked,ok'`)
	b.warnsOnce("ok", "such as a proxy's sign-in")
}

func TestARouteThatAnswersAPageIsWarnedOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ path, words string }{
		"a page of the application": {"/page", "brought something that is no token"},
		"a redirect":                {"/logout", "the route of data-renew redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newApplication(t, telling+strings.Replace(renewing, "/rollcall/token", c.path, 1))
			b := browser(t)
			b.open(a.host)
			b.until(`warnings.length === 1`)
			if got := b.eval(`warnings`); !strings.Contains(got, c.words) {
				t.Errorf("warned of %q", got)
			}
		})
	}
}

func TestAPageOfRollcallsOwnOriginWithoutACookieIsNotWarned(t *testing.T) {
	t.Parallel()
	host := sameOrigin(t, `<script src="/heartbeat.js" async></script>`, func(http.ResponseWriter) bool { return false })
	b := browser(t)
	b.open(host)
	b.until(`states.join() === 'starting,signed-out'`)
	if got := b.eval(`warnings`); got != "" {
		t.Errorf("warned: %s", got)
	}
}
