package ui_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"

	"rollcall/server/api"
	"rollcall/server/client"
)

// soon is a heartbeat after two of which a gate may be clear that a start has made cautious.
const soon = "2s"

// beat has somebody be there who has just logged in.
func beat(t *testing.T, backend *client.Client, token string) {
	t.Helper()
	if _, err := backend.Heartbeat(t.Context(), token, api.Heartbeat{}); err != nil {
		t.Fatal(err)
	}
}

// light is the condition that the page's light, title and icon are at a level.
func light(level, word, title string) string {
	return `document.querySelector('[data-gate]').dataset.level === '` + level + `' && document.querySelector('[data-gate] strong').textContent === '` + word + `'
		&& document.title === '` + title + `' && document.querySelector('link[rel=icon]').href.endsWith('/base/icon-` + level + `.svg')`
}

func TestTheLightSaysWhetherItIsSafeToDeploy(t *testing.T) {
	b := browser(t)
	in := serve(t, "--heartbeat", soon)
	b.setUpAccount(in)
	b.until(light("caution", "Caution", "◐ 0 online – Rollcall"))
	b.until(`document.querySelector('[data-why]').textContent.startsWith('1 unidentified.')`)
	b.until(light("clear", "Clear", "○ 0 online – Rollcall"))
	b.until(follows("Live"))
	backend := in.backend(t, "shop", "sessions,admin")
	ada := login(t, backend, "ada", "Ada <b>Lovelace</b>")
	beat(t, backend, ada.Token)
	b.until(light("hold", "Hold", "● 1 online – Rollcall"))
	b.until(`document.querySelector('[data-why]').textContent.startsWith('1 available.')`)

	b.click(`a[data-gate]`)
	b.until(light("hold", "Hold", "● 1 online – Rollcall"))
	b.until(`document.querySelector('[data-in-the-way] li').innerText.includes('Ada <b>Lovelace</b>')`)
	idle := int64(600_000)
	if _, err := backend.Heartbeat(t.Context(), ada.Token, api.Heartbeat{IdleMS: idle}); err != nil {
		t.Fatal(err)
	}
	b.until(light("caution", "Caution", "◐ 1 online – Rollcall"))
	b.until(`document.querySelector('[data-in-the-way] li').innerText.includes('last input 10 min ago')`)
	in.claim(t, "shop", "ada", `{"status": "busy", "text": "Recording"}`)
	b.until(light("hold", "Hold", "● 1 online – Rollcall"))
	b.until(`document.querySelector('[data-in-the-way] li').innerText.includes('Busy: Recording')`)
	if _, err := backend.EndSession(t.Context(), ada.Token); err != nil {
		t.Fatal(err)
	}
	b.until(light("clear", "Clear", "○ 0 online – Rollcall"))
	b.until(`document.querySelector('[data-in-the-way]').hidden`)

	if _, err := backend.Heartbeat(t.Context(), "a-token-that-nobody-reported", api.Heartbeat{}); err == nil {
		t.Fatal("an unknown token was taken")
	}
	b.until(light("caution", "Caution", "◐ 0 online – Rollcall"))
	b.until(`document.querySelector('[data-why]').textContent.startsWith('1 unidentified.')`)
	b.until(`document.querySelector('[data-in-the-way] li').innerText.includes('a token that nobody reported')`)
	refused, err := http.Post(in.url+"/elsewhere/admin/users/heartbeat", "application/json", strings.NewReader(`{"sessionToken":"another-that-nobody-reported"}`))
	if err != nil {
		t.Fatal(err)
	}
	refused.Body.Close()
	b.until(`document.querySelector('[data-why]').textContent.startsWith('2 unidentified.')`)
	b.until(`document.querySelector('[data-in-the-way]').innerText.includes('heartbeat was refused · not_found')`)
	b.until(`document.querySelector('[data-in-the-way] a').getAttribute('href') === 'settings#health'`)

	b.eval(`void (window.fetch = () => Promise.reject(new TypeError('no network')))`)
	login(t, backend, "bob", "Bob")
	b.until(`document.querySelector('[data-gate]').dataset.level === 'unknown' && document.querySelector('[data-why]').textContent.includes('cannot be reached')`)
}

// TestTheLightIsNotPaintedByAnOlderAnswer has a question about the light answered
// before somebody comes, and hears that answer afterwards.
func TestTheLightIsNotPaintedByAnOlderAnswer(t *testing.T) {
	b := browser(t)
	in := serve(t, "--heartbeat", soon)
	b.setUpAccount(in)
	b.until(light("clear", "Clear", "○ 0 online – Rollcall"))
	b.until(follows("Live"))
	b.eval(`void (window.answers = 0, window.levels = [], window.real = fetch, window.late = new Promise((go) => { window.release = go }),
		window.fetch = (...asked) => real(...asked).then((answer) => (asked[0].includes?.('admin/gate') ? (answers++, late.then(() => answer)) : answer)),
		window.look = () => document.dispatchEvent(new CustomEvent('rollcall:updated', { detail: { all: false } })),
		look())`)
	b.until(`answers > 0`)
	backend := in.backend(t, "shop", "sessions")
	beat(t, backend, login(t, backend, "ada", "Ada").Token)
	b.until(light("hold", "Hold", "● 1 online – Rollcall"))
	b.eval(`void (new MutationObserver(() => levels.push(document.querySelector('[data-gate]').dataset.level)).observe(document.querySelector('[data-gate]'), { attributes: true }),
		window.before = answers, release(), look())`)
	b.until(`answers > before && levels.at(-1) === 'hold'`) // and so the late answer has been heard
	if levels := b.eval(`levels`); strings.Contains(levels, "clear") {
		t.Errorf("the light went through %s", levels)
	}
}

func TestTheLightInAZoneThatTheServerDoesNotKnow(t *testing.T) {
	b := browser(t)
	in := serve(t, "--heartbeat", soon)
	b.setUpAccount(in)
	b.run("moving to nowhere", command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `const { resolvedOptions } = Intl.DateTimeFormat.prototype;
			Intl.DateTimeFormat.prototype.resolvedOptions = function () { return { ...resolvedOptions.call(this), timeZone: 'Etc/Nowhere' } }`,
	}))
	b.open(in.url + "/deploy")
	b.until(light("clear", "Clear", "○ 0 online – Rollcall"))
}

func TestTheLightOfAPageThatNobodyLooksAtStaysTrue(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.run("hurrying", command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		const later = setTimeout;
		window.setTimeout = (f, ms, ...all) => later(f, ms === 45000 ? 500 : ms, ...all);`}))
	b.setUpAccount(in)
	login(t, in.backend(t, "shop", "sessions"), "ada", "Ada")
	b.until(light("hold", "Hold", "● 1 online – Rollcall"))
	b.eval(`void (Object.defineProperty(document, 'hidden', { value: true, configurable: true }), document.dispatchEvent(new Event('visibilitychange')))`)
	b.eval(`void (window.unknown = 0, new MutationObserver(() => { unknown += document.querySelector('[data-gate]').dataset.level === 'unknown' })
		.observe(document.querySelector('[data-gate]'), { attributes: true }),
		window.asked = () => performance.getEntriesByType('resource').filter(({ name }) => name.includes('/admin/gate')).length, window.before = asked())`)
	b.until(`asked() > before + 3`)
	if b.eval(`unknown`) != "0" {
		t.Error("it was said to be unknown while the server answers")
	}
	b.eval(`void (window.real = fetch, window.fetch = () => Promise.reject(new TypeError('no network')))`)
	b.until(`document.querySelector('[data-gate]').dataset.level === 'unknown'`)
	b.eval(`void (window.fetch = real)`)
	b.until(light("hold", "Hold", "● 1 online – Rollcall"))
}
