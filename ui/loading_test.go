package ui_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// TestHoweverAPageLoadsTheScript has pages whose script tag is not a plain one.
func TestHoweverAPageLoadsTheScript(t *testing.T) {
	t.Parallel()
	integrate, err := os.ReadFile("static/pages/integrate/snippets/script/module.js")
	if err != nil {
		t.Fatal(err)
	}
	snippet := strings.NewReplacer("./rollcall.mjs", "%[1]s/rollcall.mjs", "https://rollcall.example", "%[1]s").Replace(string(integrate))
	attributes := `src="%[1]s/heartbeat.js" data-token-from="localStorage:accessToken"`
	for fact, page := range map[string]string{
		"beside an element with the id rollcall": `<div id="rollcall"></div><script ` + attributes + ` async></script>`,
		"with the token in a meta element": `<script>document.head.append(Object.assign(document.createElement('meta'), { name: 'rollcall', content: localStorage.accessToken }))</script>
			<script src="%[1]s/heartbeat.js" data-token-from="meta:rollcall" async></script>`,
		"as a module":                         `<script type="module" ` + attributes + `></script>`,
		"by a loader that runs scripts later": `<script type="later" ` + attributes + `></script><script type="module">import '%[1]s/heartbeat.js'</script>`,
		"by an application of modules": `<script type="module">
			import { heartbeat } from '%[1]s/rollcall.mjs';
			const [one, two] = await Promise.all([heartbeat('%[1]s', { tokenFrom: 'localStorage:accessToken', live: true }), heartbeat('%[1]s')]);
			if (one !== rollcall || two !== rollcall) throw new Error('not the same');
		</script>`,
		"by the module of the Integrate page": `<script>const currentUser = async () => ({ token: localStorage.accessToken })</script><script type="module">` + snippet + `</script>`,
		"by a function of an application of modules": `<script type="module">
			import { heartbeat } from '%[1]s/rollcall.mjs';
			heartbeat('%[1]s/', { identify: async () => localStorage.getItem('accessToken') });
		</script>`,
	} {
		t.Run(fact, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, telling+page)
			b := browser(t)
			s.signIn(b, "ada")
			ada := s.watch("ada")
			b.open(s.host + "/page")
			ada.isOn("/page")
			b.until(`rollcall.state === 'ok'`)
			if got := b.eval(`warnings`); got != "" {
				t.Errorf("warned: %s", got)
			}
		})
	}
}

func TestABundleThatHoldsTheScriptSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newStage(t, telling+`<script type="module">const text = await (await fetch('%[1]s/heartbeat.js')).text(); (0, eval)(text); window.done = true</script>`)
	b := browser(t)
	b.open(s.host)
	b.until(`window.done && warnings.join() === 'Rollcall: no script tag'`)
}

func TestAModuleWhoseServerDoesNotAnswerSaysSo(t *testing.T) {
	t.Parallel()
	s := newStage(t, `<script type="module">
		import { panel, heartbeat } from '%[1]s/rollcall.mjs';
		await heartbeat('http://127.0.0.1:1').catch(({ message }) => (window.message = message));
		await heartbeat('%[1]s', { token: 'a-token' });
		await panel('%[1]s');
		window.ready = Boolean(customElements.get('online-users-panel')) && rollcall.state;
	</script>`)
	b := browser(t)
	b.open(s.host)
	b.until(`message === 'http://127.0.0.1:1/heartbeat.js could not be loaded' && ready`)
}

// firstParty is an application that has Rollcall below a path of its own, and asks all for a name and a password.
func firstParty(t *testing.T, in *instance, page string) *httptest.Server {
	t.Helper()
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, password, _ := r.BasicAuth(); name != "ada" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="all"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if rest, ours := strings.CutPrefix(r.URL.Path, "/presence/"); ours {
			target, _ := url.Parse(in.url)
			r.URL.Path = "/" + rest
			r.Header.Del("Authorization")
			httputil.NewSingleHostReverseProxy(target).ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, page)
	}))
	t.Cleanup(host.Close)
	return host
}

func TestAPathOfThePagesOwnOriginBehindAPassword(t *testing.T) {
	t.Parallel()
	in := serve(t, "--trusted-proxies", "127.0.0.1")
	backend := in.backend(t, "shop", "sessions,read")
	session := login(t, backend, "ada", "Ada")
	in.backdate(t, "ada", time.Hour, 10*time.Minute)
	host := firstParty(t, &in, `<!doctype html><link rel="icon" href="data:,">
		<script src="`+in.url+`/heartbeat.js" data-endpoint="/presence" data-cookies data-live data-token="`+session.Token+`" async></script>`)
	b := browser(t)
	b.open(strings.Replace(host.URL, "//", "//ada:secret@", 1) + "/page")
	b.until(`rollcall.state === 'ok'`)
	if got := b.eval(`performance.getEntriesByType('resource').filter((e) => e.name.includes('/admin/')).map((e) => new URL(e.name).pathname)`); got != "/presence/admin/users/heartbeat" {
		t.Errorf("heartbeats went to %s", got)
	}
	if lastActivity(t, backend, "ada").IsZero() {
		t.Error("offline after a heartbeat")
	}
	b.eval(`void rollcall.setStatus('busy', 'Recording').then((answer) => { window.said = answer.status + ': ' + answer.status_text }, (error) => { window.said = 'no: ' + error.message })`)
	b.until(`window.said`)
	if got := b.eval(`said`); got != "busy: Recording" {
		t.Errorf("a status by the token: %s", got)
	}
}

func TestWhatAPageIsNotToTell(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ mask, page, want string }{
		"what the attribute names":            {`[^/]+(?=/edit)|secret`, "/people/Grace-Hopper/edit/Secret", "/people/*/edit/*"},
		"what looks like a secret":            {``, "/reset/MQ/c8h2kd-1a2b3c4d", "/reset/MQ/*"},
		"everything, by a broken expression":  {`(`, "/people/Grace-Hopper", ""},
		"nothing of a page that matches none": {`[0-9]+`, "/people", "/people"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, strings.Replace(scriptTag, " async", ` data-page-mask="`+c.mask+`" async`, 1))
			b := browser(t)
			s.signIn(b, "ada")
			ada := s.watch("ada")
			b.open(s.host + c.page)
			b.until(`rollcall.state === 'ok'`)
			ada.isOn(c.want)
		})
	}
}
