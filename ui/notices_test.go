package ui_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rollcall/server/api"
	"rollcall/server/client"
)

// banners is the shadow root of what announces, in scripts.
const banners = `document.querySelector('rollcall-notices').shadowRoot`

// says is the condition that exactly these banners are shown.
func says(messages ...string) string {
	return `[...(document.querySelector('rollcall-notices')?.shadowRoot.querySelectorAll('p') ?? [])].map(e => e.childNodes[1].data).sort().join() === [` + quoted(messages) + `].sort().join()`
}

// guest is a page of another origin with a strict policy, and somebody in it.
type guest struct {
	*tab
	in      instance
	backend *client.Client
	session api.Session
	host    string
}

func newGuest(t *testing.T, attributes string, settings ...string) *guest {
	t.Helper()
	g := &guest{tab: browser(t)}
	var rollcall string
	host := strictHost(t, &rollcall, "", func() string {
		return `<script src="` + rollcall + `/heartbeat.js" data-token="` + g.session.Token + `" ` + attributes + ` async></script><h1>The page</h1>`
	})
	g.in = serve(t, append(settings, "--allow-origin", host.URL)...)
	rollcall, g.host = g.in.url, host.URL
	g.backend = g.in.backend(t, "shop", "sessions,read,admin")
	g.session = login(t, g.backend, "ada", "Ada")
	g.open(host.URL)
	g.until(`performance.getEntriesByType('resource').some(e => e.name.endsWith('/heartbeat') && e.responseEnd)`)
	return g
}

func (g *guest) announces(in api.NoticeInput) string {
	g.t.Helper()
	n, err := g.backend.PostNotice(g.t.Context(), in)
	if err != nil {
		g.t.Fatal(err)
	}
	return n.ID
}

// beats until a condition holds.
func (g *guest) beats(condition string) {
	g.t.Helper()
	g.until(`(window.rollcall.beat(), ` + condition + `)`)
}

// seenBy waits until the list says that so many have seen a notice, all who are online.
func (g *guest) seenBy(id string, want int) {
	g.t.Helper()
	for deadline := time.Now().Add(patience); ; g.eval(`void rollcall.beat()`) {
		all, err := g.backend.Notices(g.t.Context())
		if err != nil {
			g.t.Fatal(err)
		}
		for _, n := range all {
			if n.ID == id && n.Seen == want && *n.Of == want {
				return
			}
		}
		if time.Now().After(deadline) {
			g.t.Fatalf("the list says %+v", all)
		}
	}
}

// TestNoticesInAStrictPageOfAnotherOrigin ends with the browser's complaints, of
// which there may be none.
func TestNoticesInAStrictPageOfAnotherOrigin(t *testing.T) {
	g := newGuest(t, "")
	if g.eval(`document.querySelector('rollcall-notices')`) != "null" || g.eval(`performance.getEntriesByType('resource').some(e => e.name.includes('notices.js'))`) != "false" {
		t.Error("without a notice something is loaded or shown")
	}
	const hostile = `<img src=x onerror=document.title='owned'><script>document.title='owned'</script>`
	first := g.announces(api.NoticeInput{Message: hostile, Level: "critical"})
	second := g.announces(api.NoticeInput{Message: "Restart at 18:00"})
	g.beats(says(hostile, "Restart at 18:00"))

	t.Run("each is read out as loudly as it matters", func(t *testing.T) {
		g.until(banners + `.querySelector('[role=alert] [data-level=critical] b').textContent === 'Urgent: '`)
		g.until(banners + `.querySelector('[role=status] [data-level=info] b').textContent === 'Notice: '`)
	})
	t.Run("the page's header stays in view", func(t *testing.T) {
		if g.eval(`document.elementFromPoint(innerWidth / 2, 40).tagName`) == "ROLLCALL-NOTICES" {
			t.Error("it is covered")
		}
	})
	t.Run("what is shown is seen, once", func(t *testing.T) {
		g.seenBy(first, 1)
		g.seenBy(second, 1)
	})
	t.Run("one that is withdrawn vanishes", func(t *testing.T) {
		if err := g.backend.WithdrawNotice(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		g.beats(says("Restart at 18:00"))
	})
	t.Run("one is dismissed with the keyboard, and stays so over a reload", func(t *testing.T) {
		g.run("dismissing", chromedp.KeyEvent(kb.Tab))
		g.until(banners + `.activeElement.textContent === 'Dismiss' && ` + banners + `.activeElement.matches(':focus-visible')`)
		g.run("dismissing", chromedp.KeyEvent(kb.Enter))
		g.until(says())
		g.run("reloading", chromedp.Reload())
		g.announces(api.NoticeInput{Message: "Another one"})
		g.beats(says("Another one"))
	})
	t.Run("a drain counts down", func(t *testing.T) {
		if _, err := g.backend.BeginDrain(t.Context(), api.DrainInput{Message: "Moving house", EndSessionsInMS: new(int64(90000))}); err != nil {
			t.Fatal(err)
		}
		g.beats(says("Another one", "Moving house"))
		g.until(`/signed out in 1 min \d+ s/.test(` + banners + `.querySelector('[role=timer]').textContent)`)
		before := g.eval(banners + `.querySelector('[role=timer]').textContent`)
		g.until(banners + `.querySelector('[role=timer]').textContent !== '` + before + `'`)
		if _, err := g.backend.EndDrain(t.Context()); err != nil {
			t.Fatal(err)
		}
		g.beats(says("Another one"))
	})
	t.Run("after the sign-out nothing is shown", func(t *testing.T) {
		if err := g.backend.Revoke(t.Context(), g.session.ID); err != nil {
			t.Fatal(err)
		}
		g.beats(says())
	})
	if title := g.eval(`document.title`); strings.Contains(title, "owned") {
		t.Error("what a stranger typed has run")
	}
}

// inView is the condition that a click in the middle of the banner reaches it.
const inView = `(({ left, top, width, height }) => document.elementFromPoint(left + width / 2, top + height / 2)?.tagName === 'ROLLCALL-NOTICES')(` +
	banners + `.querySelector('article').getBoundingClientRect())`

func TestBannersAreNotUnderADialogOrAFullScreen(t *testing.T) {
	g := newGuest(t, "")
	g.eval(`void document.body.append(
		Object.assign(document.createElement('dialog'), { textContent: 'Really?' }),
		Object.assign(document.createElement('button'), { textContent: 'Larger', id: 'larger', onclick: () => document.querySelector('h1').requestFullscreen() }))`)
	g.eval(`document.querySelector('dialog').showModal()`)
	first := g.announces(api.NoticeInput{Message: "Restart"})
	g.beats(says("Restart"))
	g.until(inView)
	g.seenBy(first, 1)
	g.eval(`void (window.clicked = 0, document.querySelector('dialog').onclick = () => clicked++)`)
	var x, y float64
	const middle = `(({ left, top, width, height }) => [left + width / 2, top + height / 2].join(' '))(` + banners + `.querySelector('button').getBoundingClientRect())`
	if _, err := fmt.Sscan(g.eval(middle), &x, &y); err != nil {
		t.Fatal(err)
	}
	g.run("dismissing", chromedp.MouseClickXY(x, y))
	g.until(says())
	if g.eval(`clicked`) != "0" {
		t.Error("a click on the banner is one on the dialog")
	}
	g.announces(api.NoticeInput{Message: "Two"})
	g.beats(says("Two"))
	g.until(inView)
	g.eval(`document.querySelector('dialog').close()`)
	g.until(inView)
	g.eval(`document.querySelector('dialog').showModal()`)
	g.until(inView)
	g.eval(`document.querySelector('dialog').remove()`)
	g.until(inView)
	g.click(`#larger`)
	g.until(`document.fullscreenElement`)
	g.until(inView)
	g.eval(`void document.exitFullscreen()`)
}

func TestABannerThatNobodyCanSeeIsNotSeen(t *testing.T) {
	g := newGuest(t, "")
	g.eval(`void (document.body.inert = true)`) // as pages do below a dialog of their own making
	id := g.announces(api.NoticeInput{Message: "Restart"})
	g.beats(says("Restart"))
	for range 3 {
		g.eval(`void (window.before = ` + beats + `, rollcall.beat())`)
		g.until(beats + ` > before`)
	}
	if all, err := g.backend.Notices(t.Context()); err != nil || all[0].Seen != 0 {
		t.Errorf("%s counts as seen: %+v, %v", id, all, err)
	}
	g.eval(`void (document.body.inert = false)`)
	g.seenBy(id, 1)
}

func TestAPageMayShowNoticesItself(t *testing.T) {
	g := newGuest(t, `data-notices="off"`)
	g.eval(`void (window.heard = [], document.addEventListener('rollcall:notices', (event) => heard.push(event.detail.notices.map(n => n.level + ' ' + n.message).join())))`)
	id := g.announces(api.NoticeInput{Message: "Restart", Level: "warning"})
	g.beats(`heard.join('|') === 'warning Restart'`)
	if err := g.backend.WithdrawNotice(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	g.beats(`heard.join('|') === 'warning Restart|'`)
	if g.eval(`document.querySelector('rollcall-notices')`) != "null" {
		t.Error("a banner is shown all the same")
	}
}

// TestLiveForEndUsers has pages that never send a second heartbeat by themselves.
func TestLiveForEndUsers(t *testing.T) {
	g := newGuest(t, "data-live", "--heartbeat", "1h", "--online-window", "3h")
	other := g.another()
	other.open(g.host)
	socket := func(b *tab) bool {
		return b.eval(`performance.getEntriesByType('resource').some(e => e.name.endsWith('/built/heartbeat-live.js'))`) == "true"
	}
	g.until(`performance.getEntriesByType('resource').some(e => e.name.endsWith('/built/heartbeat-live.js'))`)
	other.until(`window.rollcall`)

	g.announces(api.NoticeInput{Message: "First"})
	g.until(says("First")) // and so the connection stands
	other.until(says("First"))

	heard := g.hearing(other)
	start := time.Now()
	g.announces(api.NoticeInput{Message: "At once"})
	if took := heard("At once").Sub(start); took > 2*time.Second {
		t.Errorf("it took %v to reach both tabs", took)
	}
	g.until(says("First", "At once"))
	other.until(says("First", "At once"))
	if !socket(g.tab) || socket(other) {
		t.Errorf("connections: %v in the first tab, %v in the second", socket(g.tab), socket(other))
	}
	start = time.Now()
	if err := g.backend.Revoke(t.Context(), g.session.ID); err != nil {
		t.Fatal(err)
	}
	if took := heard("revoked").Sub(start); took > time.Second {
		t.Errorf("it took %v to sign out", took)
	}
}

// TestATokenThatComesTooLateIsSentAgain has a connection whose first message is lost.
func TestATokenThatComesTooLateIsSentAgain(t *testing.T) {
	g := newGuest(t, "data-live", "--heartbeat", "1h", "--online-window", "3h")
	g.open("about:blank") // and so the next tab leads
	b := g.another()
	b.run("losing a message", command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `const { send } = WebSocket.prototype; WebSocket.prototype.send = () => { WebSocket.prototype.send = send }`,
	}))
	b.open(g.host)
	b.until(beats + ` > 0`)
	g.announces(api.NoticeInput{Message: "At once"})
	b.until(says("At once"))
}

// TestAPolicyThatOnlyReportsLeavesTheConnection has heartbeats that are too far apart
// to bring the notice.
func TestAPolicyThatOnlyReportsLeavesTheConnection(t *testing.T) {
	b := browser(t)
	var script string
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy-Report-Only", "connect-src 'none'")
		_, _ = w.Write([]byte(`<!doctype html><link rel="icon" href="data:,">` + script))
	}))
	t.Cleanup(host.Close)
	in := serve(t, "--allow-origin", host.URL, "--heartbeat", "1h", "--online-window", "3h")
	backend := in.backend(t, "shop", "sessions,admin")
	script = `<script src="` + in.url + `/heartbeat.js" data-token="` + login(t, backend, "ada", "Ada").Token + `" data-live async></script>`
	b.open(host.URL)
	b.until(beats + ` > 0`)
	if _, err := backend.PostNotice(t.Context(), api.NoticeInput{Message: "At once"}); err != nil {
		t.Fatal(err)
	}
	b.until(says("At once"))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = nil // what the policy reports
}

// TestTheNextPersonInATabSeesWhatThePreviousOneDismissed has the page put another
// person's token in the place of the first one's.
func TestTheNextPersonInATabSeesWhatThePreviousOneDismissed(t *testing.T) {
	g := newGuest(t, "")
	id := g.announces(api.NoticeInput{Message: "Restart"})
	g.beats(says("Restart"))
	g.seenBy(id, 1)
	g.eval(banners + `.querySelector('button').click()`)
	g.until(says())
	g.eval(`void (document.querySelector('script').dataset.token = '` + login(t, g.backend, "bob", "Bob").Token + `')`)
	g.beats(says("Restart"))
	g.seenBy(id, 2)
}

// TestAnAnswerThatComesLateTakesNothingBack has a tab whose heartbeat was answered
// before there was anything to announce, and hears that answer afterwards.
func TestAnAnswerThatComesLateTakesNothingBack(t *testing.T) {
	g := newGuest(t, "data-live", "--heartbeat", "1h", "--online-window", "3h")
	other := g.another()
	other.open(g.host)
	g.announces(api.NoticeInput{Message: "Before"})
	g.until(says("Before")) // and so the connection stands
	other.until(says("Before"))

	other.eval(`void (window.heartbeats = 0, window.taken = 0, window.real = fetch, window.late = new Promise((go) => { window.release = go }),
		document.addEventListener('rollcall:notices', ({ detail }) => { taken += !detail.notices.some((n) => n.message === 'After') }),
		window.fetch = (...asked) => real(...asked).then((answer) => { heartbeats++; return late.then(() => answer) }))`)
	other.until(`(rollcall.beat(), heartbeats === 1)`)
	g.announces(api.NoticeInput{Message: "After"})
	g.until(says("Before", "After"))
	other.until(says("Before", "After"))
	other.eval(`void (release(), rollcall.beat())`)
	other.until(`heartbeats === 2`) // one at a time: the late answer has been heard
	if taken := other.eval(`taken`); taken != "0" {
		t.Errorf("the notice was taken back %s times", taken)
	}
	other.until(says("Before", "After"))
	g.until(says("Before", "After"))
}

// TestAClockThatIsSetBack has a tab whose heartbeat is answered after its clock was
// set back by an hour.
func TestAClockThatIsSetBack(t *testing.T) {
	g := newGuest(t, "", "--heartbeat", "1h", "--online-window", "3h")
	g.eval(`void (window.back = 0, window.now = Date.now, Date.now = () => now() - back,
		window.heartbeats = 0, window.real = fetch, window.late = new Promise((go) => { window.release = go }),
		window.fetch = (...asked) => real(...asked).then((answer) => { heartbeats++; return late.then(() => answer) }))`)
	g.until(`(rollcall.beat(), heartbeats === 1)`)
	g.eval(`void (back = 3600000, rollcall.beat(), release())`)
	g.until(`heartbeats === 2`)
	g.announces(api.NoticeInput{Message: "Restart"})
	g.beats(says("Restart"))
}

// TestBannersComeBackToAPageThatReplacesItsBody has heartbeats bring the same
// notices again, and a keyboard user who is at a banner meanwhile.
func TestBannersComeBackToAPageThatReplacesItsBody(t *testing.T) {
	g := newGuest(t, "")
	g.announces(api.NoticeInput{Message: "Restart"})
	g.beats(says("Restart"))
	answered := `performance.getEntriesByType('resource').filter(e => e.name.endsWith('/heartbeat') && e.responseEnd).length`
	g.eval(`void (window.changes = 0, window.before = ` + answered + `, ` + banners + `.querySelector('button').focus(),
		new MutationObserver((all) => { changes += all.length }).observe(` + banners + `, { subtree: true, childList: true, characterData: true }))`)
	g.beats(answered + ` > before + 2`)
	if g.eval(`changes + `+banners+`.activeElement.textContent`) != "0Dismiss" {
		t.Errorf("%s changes were made to what stays as it is, or the focus was taken", g.eval(`changes`))
	}
	g.eval(`void (document.body = document.createElement('body'))`)
	g.beats(says("Restart"))
}

func TestBannersThatCouldNotBeLoadedAreAskedForAgain(t *testing.T) {
	g := newGuest(t, "")
	blocked := func(patterns ...*network.BlockPattern) {
		g.run("blocking", command(network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: patterns}))
	}
	g.run("watching the network", command(network.Enable, network.EnableParams{}))
	const part = "/heartbeat-notices.js"
	ofThisVersion, ofTheServer := g.in.url+"/static/*"+part, g.in.url+part+"*"
	asked := func(prefix string) string {
		return `performance.getEntriesByType('resource').some((e) => e.name.startsWith('` + g.in.url + prefix + `') && e.name.includes('` + part + `'))`
	}
	blocked(&network.BlockPattern{URLPattern: ofThisVersion, Block: true}, &network.BlockPattern{URLPattern: ofTheServer, Block: true})
	g.announces(api.NoticeInput{Message: "Restart"})
	g.beats(asked("/static/") + ` && ` + asked(part))
	blocked(&network.BlockPattern{URLPattern: ofThisVersion, Block: true}) // as if the server had been upgraded
	g.beats(says("Restart"))
}

// hearing makes this tab and another note when they hear of notices and of the end
// of the session, and returns what waits until both have, and tells when that was.
// The pages' own times leave out how long a busy machine takes to tell the test.
func (g *guest) hearing(other *tab) (heard func(what string) time.Time) {
	tabs := []*tab{g.tab, other}
	for _, b := range tabs {
		b.eval(`void (window.heard = {},
			document.addEventListener('rollcall:notices', (event) => event.detail.notices.forEach((n) => { heard[n.message] ??= Date.now() })),
			document.addEventListener('rollcall:ended', (event) => { heard[event.detail.reason] = Date.now() }))`)
	}
	return func(what string) (last time.Time) {
		g.t.Helper()
		for _, b := range tabs {
			b.until(`heard['` + what + `']`)
			ms, err := strconv.ParseInt(b.eval(`heard['`+what+`']`), 10, 64)
			if err != nil {
				g.t.Fatal(err)
			}
			if at := time.UnixMilli(ms); at.After(last) {
				last = at
			}
		}
		return last
	}
}
