package ui_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
)

// follows is the condition that the panel says how it follows the list.
func follows(words string) string {
	return panel + `.querySelector('[part=mode]').textContent === '` + words + `'`
}

// TestThePanelIsLive shows a panel that never reads the list by itself.
func TestThePanelIsLive(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.refreshEvery("3600")
	b.until(follows("Live"))
	backend := in.backend(t, "shop", "sessions")

	t.Run("a login appears within a second", func(t *testing.T) {
		var waits []time.Duration
		for _, name := range []string{"Ada", "Bob", "Eve"} {
			start := time.Now()
			login(t, backend, strings.ToLower(name), name)
			b.until(panel + `.querySelector('[data-user-id=` + strings.ToLower(name) + `]')`)
			waits = append(waits, time.Since(start))
		}
		if slices.Sort(waits); waits[1] > time.Second {
			t.Errorf("three logins appeared after %v", waits)
		}
		b.until(panel + `.querySelector('[part=count]').textContent === '3 online'`)
		b.until(`document.title === '● 3 online – Rollcall'`)
	})
	t.Run("a status appears with its words", func(t *testing.T) {
		in.claim(t, "shop", "ada", `{"status": "busy", "text": "Recording a meeting", "for_ms": 3600000}`)
		b.until(panel + `.querySelector('[data-user-id=ada]').innerText.includes('Recording a meeting')`)
		b.until(panel + `.querySelector('[data-user-id=ada]').dataset.status === 'busy'`)
		b.until(panel + `.querySelector('.split').textContent.startsWith('2 available · 1 busy')`)
	})
	t.Run("an event outside of the filter shows nobody", func(t *testing.T) {
		b.eval(`(() => { const s = ` + panel + `.querySelector('[data-filter=status]'); s.value = 'busy'; s.dispatchEvent(new Event('change')) })()`)
		b.until(listed("Ada"))
		in.claim(t, "shop", "bob", `{"status": "busy"}`)
		b.until(listed("Ada", "Bob"))
		login(t, backend, "joe", "Joe")
		in.claim(t, "shop", "ada", `{"status": "available"}`)
		b.until(listed("Bob"))
		b.clickIn(`[part=clear]`)
		b.until(listed("Ada", "Bob", "Eve", "Joe"))
	})
	t.Run("a departure appears", func(t *testing.T) {
		if _, err := backend.DeleteUser(t.Context(), "bob"); err != nil {
			t.Fatal(err)
		}
		b.until(listed("Ada", "Eve", "Joe"))
	})
	t.Run("who leaves under the pointer stays as offline until it moves away", func(t *testing.T) {
		b.eval(panel + `.querySelector('[data-user-id=joe] .name').focus()`)
		if _, err := backend.DeleteUser(t.Context(), "joe"); err != nil {
			t.Fatal(err)
		}
		b.until(panel + `.querySelector('[data-user-id=joe]').dataset.status === 'offline'`)
		colour := func(id string) string {
			return b.eval(`getComputedStyle(` + panel + `.querySelector('[data-user-id=` + id + `] .shape')).color`)
		}
		if colour("joe") == colour("ada") {
			t.Error("they are as green as who is available")
		}
		b.until(panel + `.querySelector('[part=count]').textContent === '2 online'`)
		b.eval(panel + `.querySelector('[part=search]').focus()`)
		b.until(listed("Ada", "Eve"))
	})
	t.Run("who leaves under a keyboard that rests goes, and the focus goes to who is there", func(t *testing.T) {
		login(t, backend, "joe", "Joe")
		b.until(listed("Ada", "Eve", "Joe"))
		b.eval(panel + `.querySelector('[data-user-id=joe] .name').focus()`)
		if _, err := backend.DeleteUser(t.Context(), "joe"); err != nil {
			t.Fatal(err)
		}
		b.until(panel + `.querySelector('[data-user-id=joe]').dataset.status === 'offline'`)
		b.eval(`void (Date.now = (now => () => now() + 10000)(Date.now))`)
		b.until(listed("Ada", "Eve"))
		b.until(panel + `.activeElement === ` + panel + `.querySelector('[part=name]')`)
	})
	t.Run("a row that moves keeps the focus", func(t *testing.T) {
		b.eval(panel + `.querySelector('[data-user-id=ada] .name').focus()`)
		first := func(user string) {
			b.until(panel + `.querySelector('[data-user-id]').dataset.userId === '` + user + `'`)
		}
		first("eve")
		b.eval(`(() => { const s = ` + panel + `.querySelector('select[aria-label=Sort]'); s.value = 'name'; s.dispatchEvent(new Event('change')) })()`)
		first("ada")
		b.until(panel + `.activeElement === ` + panel + `.querySelector('[data-user-id=ada] .name')`)
	})
	t.Run("the page where somebody is, as a group", func(t *testing.T) {
		b.eval(`(() => { const s = ` + panel + `.querySelector('select[aria-label=Group]'); s.value = 'page'; s.dispatchEvent(new Event('change')) })()`)
		b.until(panel + `.querySelector('[part=group]').innerText.includes('No page')`)
	})
}

// TestAPartOfTheListIsKeptWithoutReadingItAgain counts how often a panel reads the list while people come and go.
func TestAPartOfTheListIsKeptWithoutReadingItAgain(t *testing.T) {
	follower := browser(t)
	in := serve(t)
	backend := in.backend(t, "shop", "sessions")
	for i := range 103 {
		login(t, backend, fmt.Sprintf("u%03d", i), fmt.Sprintf("Person %03d", i))
	}
	follower.setUpAccount(in)
	follower.until(follows("Live")) // a feed that only begins has the list read again
	b := follower.another()
	b.open(in.url)
	b.refreshEvery("3600")
	b.until(follows("Live"))
	b.until(panel + `.querySelector('.foot').innerText.includes('100 of 103 shown')`)
	b.eval(`void (window.lists = 0, window.real = fetch, window.fetch = (...asked) => {
		if (asked[0].pathname?.endsWith('/online')) lists++;
		return real(...asked);
	})`)
	leave := func(user string) {
		t.Helper()
		if _, err := backend.DeleteUser(t.Context(), user); err != nil {
			t.Fatal(err)
		}
	}
	first := func(user string) string {
		return panel + `.querySelector('[role=row][data-user-id]')?.dataset.userId === '` + user + `'`
	}
	online := func(words string) string {
		return panel + `.querySelector('[part=count]').textContent === '` + words + ` online'`
	}

	login(t, backend, "new", "Newcomer")
	b.until(first("new"))
	b.until(online("104"))
	b.until(panel + `.querySelector('.foot').innerText.includes('100 of 104 shown')`)
	leave("new")
	leave("u000") // who is not shown
	b.until(online("102"))
	b.until(`!` + panel + `.querySelector('[data-user-id=new]')`)

	b.eval(`(() => { const s = ` + panel + `.querySelector('select[aria-label=Sort]'); s.value = 'name'; s.dispatchEvent(new Event('change')) })()`)
	b.until(first("u001"))
	login(t, backend, "aaron", "Ångström")
	b.until(first("aaron"))
	login(t, backend, "last", "Zoë")
	b.until(online("104"))
	b.until(`!` + panel + `.querySelector('[data-user-id=last]')`) // behind those who are shown

	b.eval(`(() => { const s = ` + panel + `.querySelector('[part=search]'); s.value = 'ANGSTROM'; s.dispatchEvent(new Event('input')) })()`)
	b.until(listed("Ångström"))
	login(t, backend, "angela", "Angela Angström")
	login(t, backend, "nobody", "Nobody else")
	b.until(listed("Angela Angström", "Ångström"))
	b.until(online("2"))
	in.claim(t, "shop", "angela", `{"status": "busy"}`)
	b.until(panel + `.querySelector('.split').textContent === 'matching · 1 available · 1 busy'`)
	leave("aaron")
	b.until(online("1"))
	b.until(`lists === 2`) // for the order and for the search
	leave("angela")
	b.until(online("0"))
	b.until(`lists === 3`) // because only the server may say that nobody is in the way
}

// TestAListOfAnotherServerTakesNoNewsBack has the list answered before somebody comes,
// as if by another server behind the same address, whose cursors are further on.
func TestAListOfAnotherServerTakesNoNewsBack(t *testing.T) {
	follower := browser(t)
	in := serve(t)
	follower.setUpAccount(in)
	follower.until(follows("Live")) // a feed that only begins has the list read again
	b := follower.another()
	b.run("listening to the feed", command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `window.told = '';
			window.WebSocket = class extends WebSocket { constructor(url) { super(url); this.addEventListener('message', ({ data }) => { told += data }) } }`,
	}))
	b.open(in.url)
	b.refreshEvery("3600")
	b.until(follows("Live"))
	b.eval(`void (window.lists = 0, window.real = fetch, window.late = new Promise((go) => { window.release = go }),
		window.fetch = async (...asked) => {
			const answer = await real(...asked);
			if (!asked[0].pathname?.endsWith('/online')) return answer;
			const list = await answer.json();
			lists++;
			await late;
			return Response.json({ ...list, cursor: 'another.1000000' });
		},
		document.querySelector('online-users-panel').refresh())`)
	b.until(`lists === 1`)
	login(t, in.backend(t, "shop", "sessions"), "ada", "Ada")
	b.until(`told.includes('"type":"online"')`)
	b.eval(`void release()`)
	b.until(listed("Ada"))
	b.until(`lists > 1`) // as only a list knows what both servers have told
}

// claim has an application say what a user's status is.
func (in instance) claim(t *testing.T, app, user, body string) {
	t.Helper()
	key := in.command(t, "key", "create", "--app", app, "--scope", "sessions")
	req, err := http.NewRequestWithContext(t.Context(), "PUT", in.url+"/admin/users/"+user+"/status", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 {
		t.Fatal("claiming a status:", answer.Status)
	}
}

func TestThePanelComesBackWithTheServer(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.refreshEvery("3600")
	b.until(follows("Live"))
	backend := in.backend(t, "shop", "sessions")
	login(t, backend, "ada", "Ada")
	b.until(listed("Ada"))
	in.stop()
	b.until(follows("Reconnecting"))
	b.until(panel + `.querySelector('[part=notice]').innerText.includes('ot updated since')`)
	b.until(panel + `.querySelector('[part=panel]').dataset.state === 'stale'`)
	b.until(listed("Ada"))
	b.clickIn(`[part=name]`)
	b.until(panel + `.querySelector('[part=notice]').innerText.includes('details could not be loaded')`)

	in = in.again(t)
	login(t, backend, "bob", "Bob")
	b.until(follows("Live"))
	b.until(listed("Ada", "Bob"))
	b.until(panel + `.querySelector('[part=notice]').hidden`)
	login(t, backend, "eve", "Eve")
	b.until(listed("Ada", "Bob", "Eve"))
	b.clickIn(`[data-user-id=ada] [part=name]`)
	b.until(panel + `.querySelector('[part=details]').open`)
}

// gatekeeper is a proxy that can refuse WebSocket.
func gatekeeper(t *testing.T, to string) (address string, open *atomic.Bool) {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	open = new(atomic.Bool)
	through := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" && !open.Load() {
			http.Error(w, "no upgrades here", http.StatusBadRequest)
			return
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		proxy.CloseClientConnections()
		proxy.Close()
	})
	return proxy.URL, open
}

func TestThePanelLooksAgainWhereAProxyRefusesTheFeed(t *testing.T) {
	b := browser(t)
	in := serve(t)
	address, open := gatekeeper(t, in.url)
	in.setup = strings.Replace(in.setup, in.url, address, 1)
	b.setUpAccount(in)
	b.until(follows("Every 30 s"))
	b.refreshEvery("1")
	b.until(follows("Every 1 s"))
	backend := in.backend(t, "shop", "sessions")
	login(t, backend, "ada", "Ada")
	b.until(listed("Ada"))
	open.Store(true)
	b.until(follows("Live"))
	b.refreshEvery("3600")
	login(t, backend, "bob", "Bob")
	b.until(listed("Ada", "Bob"))
}

// TestThePanelDoubtsItsConnectionWhenTheNetworkGoes has the browser notice that it has
// none, as a laptop does that fell asleep. No connection hears of that by itself.
func TestThePanelDoubtsItsConnectionWhenTheNetworkGoes(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.refreshEvery("3600")
	b.until(follows("Live"))
	b.eval(`void (window.opened = 0, window.WebSocket = class extends WebSocket { constructor(...of) { super(...of); opened++ } })`)
	online := func(yes bool) {
		b.run("the network", command(network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: !yes, DownloadThroughput: -1, UploadThroughput: -1}))
		b.until(`navigator.onLine === ` + fmt.Sprint(yes))
	}
	online(false)
	b.until(`opened > 0`)
	online(true)
	b.until(follows("Live"))
	login(t, in.backend(t, "shop", "sessions"), "ada", "Ada")
	b.until(listed("Ada"))
}

// TestAHiddenPanelRests hides the page for five minutes, which are over at once.
func TestAHiddenPanelRests(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.refreshEvery("3600")
	b.until(follows("Live"))
	b.eval(`void (window.later = window.setTimeout, window.setTimeout = (f, ms) => window.later(f, ms === 300000 ? 0 : ms))`)
	hide := func(hidden string) {
		b.eval(`void (Object.defineProperty(document, 'hidden', { value: ` + hidden + `, configurable: true }), document.dispatchEvent(new Event('visibilitychange')))`)
	}
	hide("true")
	b.until(follows("Every 3600 s"))
	login(t, in.backend(t, "shop", "sessions"), "ada", "Ada")
	hide("false")
	b.until(follows("Live"))
	b.until(listed("Ada"))
}

func TestADeadTokenIsNotAskedForAgainAndAgain(t *testing.T) {
	b := browser(t)
	var rollcall, token string
	host := strictHost(t, &rollcall, "", func() string {
		return `<script src="` + rollcall + `/online-users-panel.js" async></script><script src="` + rollcall + `/online-users-badge.js" async></script>
			<online-users-panel src="` + rollcall + `" token="` + token + `" refresh="1"></online-users-panel>
			<online-users-badge src="` + rollcall + `" token="` + token + `" refresh="1"></online-users-badge>`
	})
	in := serve(t, "--allow-origin", host.URL)
	rollcall = in.url
	backend := in.backend(t, "shop", "sessions,admin")
	token = watcher(t, backend, "ada", "Ada")
	b.open(host.URL)
	b.until(listed("Ada"))
	b.until(follows("Live"))
	b.until(`document.querySelector('online-users-badge').list.live`)
	if _, err := backend.EndSession(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	b.until(panel + `.querySelector('[part=blank]').innerText.includes('Not signed in')`)
	b.until(`document.querySelector('online-users-badge').shadowRoot.textContent.startsWith('–')`)
	asked := `performance.getEntriesByType('resource').filter(e => e.name.includes('/online')).length`
	b.eval(`void (window.asked = ` + asked + `, window.soon = false, setTimeout(() => { soon = true }, 3500))`)
	b.until(`soon`)
	if b.eval(asked+` - window.asked`) != "0" {
		t.Errorf("%s questions more", b.eval(asked+` - window.asked`))
	}
	b.eval(`document.querySelector('online-users-panel').setAttribute('token', '` + watcher(t, backend, "bob", "Bob") + `')`)
	b.until(listed("Bob"))
}
