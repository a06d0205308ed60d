package ui_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rollcall/server/api"
	"rollcall/server/client"
	"rollcall/store"
)

// strictHost is an application of another origin whose pages may run scripts of
// one Rollcall only, and whose style sheet holds style for what is embedded.
func strictHost(t *testing.T, rollcall *string, style string, page func() string) *httptest.Server {
	t.Helper()
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.ico" {
			return
		}
		if r.URL.Path == "/style.css" {
			w.Header().Set("Content-Type", "text/css")
			_, _ = w.Write([]byte(style))
			return
		}
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'self'; script-src "+*rollcall+
			"; connect-src "+*rollcall+" "+strings.Replace(*rollcall, "http", "ws", 1)+"; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>host</title><link rel="stylesheet" href="style.css">` + page()))
	}))
	t.Cleanup(host.Close)
	return host
}

// watcher is the token of a user of an application who may see the list.
func watcher(t *testing.T, backend *client.Client, id, name string) string {
	t.Helper()
	access := store.AccessViewer
	session, err := backend.Login(t.Context(), api.LoginReport{User: api.UserInput{ID: id, Name: &name, Access: &access}})
	if err != nil {
		t.Fatal(err)
	}
	return session.Session.Token
}

// TestThePanelInAStrictPageOfAnotherOrigin ends with the browser's complaints,
// of which there may be none.
func TestThePanelInAStrictPageOfAnotherOrigin(t *testing.T) {
	b := browser(t)
	var rollcall, token string
	host := strictHost(t, &rollcall, `online-users-panel { --rollcall-bg: rgb(1, 2, 3); --rollcall-text: rgb(250, 251, 252); --rollcall-radius: 0 }`, func() string {
		return `<script src="` + rollcall + `/online-users-panel.js" async></script><online-users-panel src="` + rollcall + `" token="` + token + `" refresh="3600"></online-users-panel>`
	})
	in := serve(t, "--allow-origin", host.URL, "--network", "Office=192.0.2.0/24")
	rollcall = in.url
	backend := in.backend(t, "shop", "sessions,admin")
	token = watcher(t, backend, "wanda", "Wanda")
	b.open(host.URL)
	b.until(listed("Wanda"))
	b.until(follows("Live"))

	t.Run("the host's properties are its looks", func(t *testing.T) {
		if got := b.eval(`getComputedStyle(document.querySelector('online-users-panel')).backgroundColor`); got != "rgb(1, 2, 3)" {
			t.Errorf("the background is %s", got)
		}
		if got := b.eval(`getComputedStyle(` + panel + `.querySelector('[part=name]')).color`); got != "rgb(250, 251, 252)" {
			t.Errorf("names are %s", got)
		}
		if got := b.eval(`getComputedStyle(` + panel + `.querySelector('[part=refresh]')).borderRadius`); got != "0px" {
			t.Errorf("corners are %s", got)
		}
	})
	t.Run("a login appears by the live feed", func(t *testing.T) {
		login(t, backend, "ada", "Ada")
		b.until(listed("Ada", "Wanda"))
	})
	t.Run("details come with the script of their own", func(t *testing.T) {
		b.clickIn(`[data-user-id=ada] [part=name]`)
		b.until(panel + `.querySelector('[part=details]').open`)
		b.until(panel + `.querySelector('[part=details]').innerText.includes('ada@example.org')`)
		b.clickIn(`[part=why]`)
		b.until(panel + `.querySelector('[part=explanation]').innerText.includes('because')`)
		b.until(panel + `.querySelector('[part=explanation] li').innerText.includes('shop')`)
		b.clickIn(`[part=close]`)
	})
	t.Run("with what each session is used on, and where", func(t *testing.T) {
		const hostile = `<img src=x onerror=document.title='owned'>`
		for _, agent := range []string{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", hostile} {
			if _, err := backend.Login(t.Context(), api.LoginReport{User: api.UserInput{ID: "eve"}, IPAddress: "192.0.2.7", UserAgent: agent}); err != nil {
				t.Fatal(err)
			}
		}
		b.until(listed("Ada", "Wanda", "eve"))
		b.clickIn(`[data-user-id=eve] [part=name]`)
		b.until(panel + `.querySelectorAll('[part=session]').length === 2`)
		text := b.eval(`[...` + panel + `.querySelectorAll('[part=session]')].map(e => e.innerText).join('|')`)
		for _, want := range []string{"Firefox 140 on Windows", hostile, "Office", "192.0.2.7"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s is not in %s", want, text)
			}
		}
		if got := b.eval(`(svg => svg.getBoundingClientRect().width + svg.ariaHidden)(` + panel + `.querySelector('[part=session] dd.device svg'))`); got != "16true" {
			t.Errorf("the drawing is %s", got)
		}
		b.clickIn(`[part=close]`)
	})
	t.Run("the own status is set with the keyboard alone", func(t *testing.T) {
		b.until(panel + `.querySelector('[part=status]').textContent === 'Set status'`)
		b.eval(panel + `.querySelector('[part=status]').focus()`)
		b.run("opening the menu", chromedp.KeyEvent(kb.Enter))
		b.until(panel + `.activeElement.value === 'available'`)
		b.run("choosing", chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("Recording"), chromedp.KeyEvent(kb.Enter))
		b.until(panel + `.querySelector('[part=status]').textContent === 'Busy'`)
		b.until(panel + `.querySelector('[data-user-id=wanda]').innerText.includes('Recording')`)
		b.until(panel + `.activeElement.matches('[part=status]')`)
	})
}

func TestTheBadgeInAStrictPageOfAnotherOrigin(t *testing.T) {
	b := browser(t)
	var rollcall, token string
	host := strictHost(t, &rollcall, `online-users-badge { --rollcall-text: rgb(1, 2, 3) }`, func() string {
		return `<script src="` + rollcall + `/online-users-badge.js" async></script><p>Team: <online-users-badge src="` + rollcall + `" token="` + token + `" refresh="3600"></online-users-badge></p>`
	})
	in := serve(t, "--allow-origin", host.URL)
	rollcall = in.url
	backend := in.backend(t, "shop", "sessions,admin")
	token = watcher(t, backend, "wanda", "Wanda")
	const badge = `document.querySelector('online-users-badge').shadowRoot`
	says := func(words, state string) {
		t.Helper()
		b.until(badge + `.querySelector('[part=count]').textContent === '` + words + `' && ` + badge + `.querySelector('[part=pulse]').dataset.state === '` + state + `'`)
	}
	b.open(host.URL)
	says("1 online", "yes")
	if got := b.eval(`getComputedStyle(` + badge + `.querySelector('[part=count]')).color`); got != "rgb(1, 2, 3)" {
		t.Errorf("the words are %s", got)
	}
	login(t, backend, "ada", "Ada")
	says("2 online", "yes")
	in.stop()
	says("2 online", "no")
	in.again(t, "--allow-origin", host.URL)
	says("2 online", "yes")
	if _, err := backend.EndSession(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	says("– online", "no")
}

func TestAPolicyWithoutTheFeedIsReportedOnceAndTheListReadAgain(t *testing.T) {
	b := browser(t)
	var rollcall, token string
	host := strictHost(t, &rollcall, "", func() string {
		return `<meta http-equiv="Content-Security-Policy" content="connect-src ` + rollcall + `">
			<script src="` + rollcall + `/online-users-panel.js" async></script><online-users-panel src="` + rollcall + `" token="` + token + `" refresh="1"></online-users-panel>`
	})
	in := serve(t, "--allow-origin", host.URL)
	rollcall = in.url
	backend := in.backend(t, "shop", "sessions,admin")
	token = watcher(t, backend, "wanda", "Wanda")
	b.open(host.URL)
	b.until(follows("Every 1 s"))
	for _, name := range []string{"Ada", "Bob", "Eve"} {
		login(t, backend, strings.ToLower(name), name)
		b.until(panel + `.querySelector('[data-user-id=` + strings.ToLower(name) + `]')`)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.problems) != 1 || !strings.Contains(b.problems[0], "connect-src") {
		t.Errorf("the browser says %q", b.problems)
	}
	b.problems = nil
}

// TestAPageSaysWhatThePersonIsDoing calls rollcall.setStatus from another origin.
func TestAPageSaysWhatThePersonIsDoing(t *testing.T) {
	b := browser(t)
	var rollcall, token string
	host := strictHost(t, &rollcall, "", func() string {
		return `<script src="` + rollcall + `/heartbeat.js" data-token="` + token + `" async></script>`
	})
	in := serve(t, "--allow-origin", host.URL)
	rollcall = in.url
	backend := in.backend(t, "shop", "sessions,read")
	token = login(t, backend, "ada", "Ada").Token
	b.open(host.URL)
	set := func(call, want string) {
		t.Helper()
		b.eval(`void (document.title = '', ` + call + `.then((answer) => { document.title = answer.status + ': ' + answer.status_text + (answer.status_until ? ' for a while' : '') }, (error) => { document.title = 'no: ' + error.message }))`)
		b.until(`document.title !== ''`)
		if got := b.eval(`document.title`); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", call, got, want)
		}
	}
	set(`rollcall.setStatus('busy', 'Recording', { minutes: 30 })`, "busy: Recording for a while")
	set(`rollcall.setStatus('away')`, "away:")
	set(`rollcall.setStatus('busy', 'Lunch', { until: new Date(Date.now() + 3600000) })`, "busy: Lunch for a while")
	set(`rollcall.setStatus('gone')`, "no: ")
	set(`rollcall.setStatus('busy', 'x'.repeat(81))`, "no: ")
	set(`rollcall.setStatus('busy', '', { minutes: 'many' })`, "no: minutes must be a number")
	set(`rollcall.setStatus('busy', '', { until: 'tomorrow' })`, "no: ")
	set(`rollcall.setStatus('available')`, "available:")
}
