package ui_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rollcall/server/client"
)

// rows is the condition that the page's table shows exactly these names, in any order.
func rows(names ...string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('tbody .name')].map(e => e.textContent).sort().join() === [%s].sort().join()`, quoted(names))
}

func TestThePageSessions(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.open(in.url + "/sessions")
	b.until(`document.querySelector('.empty').innerText.includes('Nobody is logged in')`)

	backend := in.backend(t, "shop", "sessions,admin")
	const hostile = `<img src=x onerror=document.title='owned'>`
	login(t, backend, "ada", "Ada Lovelace")
	login(t, backend, "ada", "Ada Lovelace")
	login(t, backend, "grace", "Grace Hopper")
	login(t, backend, "eve", hostile)
	b.click(`[data-refresh]`)
	b.until(rows("Ada Lovelace", "Ada Lovelace", "Grace Hopper", hostile))
	b.eval(`window.once = 'the same page'`)

	t.Run("a filter is a part of the address, and the way back leads out of it", func(t *testing.T) {
		b.fill(`[name=q]`, "hopper")
		b.until(rows("Grace Hopper"))
		b.until(`location.search === '?q=hopper'`)
		b.eval(`history.back()`)
		b.until(rows("Ada Lovelace", "Ada Lovelace", "Grace Hopper", hostile))
		b.until(`document.querySelector('[name=q]').value === ''`)
	})
	t.Run("a filter that nothing matches can be cleared", func(t *testing.T) {
		b.open(in.url + "/sessions?ip=192.0.2.99")
		b.until(`document.querySelector('.empty').innerText.includes('No session matches') && document.querySelector('[name=ip]').value === '192.0.2.99'`)
		b.click(`.empty button`)
		b.until(rows("Ada Lovelace", "Ada Lovelace", "Grace Hopper", hostile))
	})
	t.Run("those that are selected end with a note, and nobody else", func(t *testing.T) {
		b.eval(`[...document.querySelectorAll('tbody tr')].find(tr => tr.innerText.includes('Grace')).querySelector('input').click()`)
		b.until(`document.querySelector('[data-selected]').textContent === '1 session selected'`)
		b.click(`[data-end-selected]`)
		b.fill(`#end-note`, "Laptop was stolen")
		b.click(`.modal .solid`)
		b.until(`document.querySelector('.modal h2').textContent === '1 session ended'`)
		b.click(`.modal button`)
		b.until(rows("Ada Lovelace", "Ada Lovelace", hostile))
		b.until(`document.querySelector('[data-selection]').hidden`)
	})
	t.Run("what ended keeps who did it and why, in the person's timeline", func(t *testing.T) {
		b.open(in.url + "/sessions?state=ended")
		b.until(rows("Grace Hopper"))
		b.click(`tbody .name`)
		b.until(`document.querySelector('.sheet .timeline .end') && document.querySelector('.sheet .card').innerText.includes('Ended by root: “Laptop was stolen”')`)
		b.run("pressing Escape", chromedp.KeyEvent(kb.Escape))
		b.until(`!document.querySelector('dialog[open]') && document.activeElement.className === 'name'`)
	})
	t.Run("all others of a person end, and the one that is kept stays", func(t *testing.T) {
		b.open(in.url + "/sessions")
		b.until(rows("Ada Lovelace", "Ada Lovelace", hostile))
		b.eval(`[...document.querySelectorAll('tbody .name')].find(e => e.textContent.includes('Ada')).click()`)
		b.click(`.card [data-end-others]`)
		kept := b.eval(`document.querySelector('.card').dataset.sessionId`)
		b.until(`document.querySelector('.modal h2').textContent === 'End 1 session?'`)
		b.click(`.modal .solid`)
		b.until(`document.querySelector('.modal h2').textContent === '1 session ended'`)
		sessions, err := backend.Sessions(t.Context(), client.SessionFilter{User: "ada"})
		if err != nil || len(sessions.Sessions) != 1 || sessions.Sessions[0].ID != kept {
			t.Errorf("left are %+v, %v; %s was to be kept", sessions.Sessions, err, kept)
		}
	})
	t.Run("whoever asks to end what matches is told how many and whom first", func(t *testing.T) {
		b.open(in.url + "/sessions?q=onerror")
		b.until(rows(hostile))
		b.click(`[data-end]`)
		b.until(`document.querySelector('.modal h2').textContent === 'End 1 session?' && document.querySelector('.sample').innerText.includes('onerror')`)
		if !strings.Contains(b.eval(`document.activeElement.textContent`), "Cancel") {
			t.Error("a stray Enter would end them")
		}
		b.run("pressing Escape", chromedp.KeyEvent(kb.Escape))
		b.until(rows(hostile))
	})
	t.Run("whoever presses Escape while they end is told how many did", func(t *testing.T) {
		b.click(`[data-end]`)
		b.until(`document.querySelector('.modal h2').textContent === 'End 1 session?'`)
		b.eval(`void (window.real = fetch, window.fetch = (...all) => new Promise((go) => { window.release = go }).then(() => real(...all)))`)
		b.click(`.modal .solid`)
		b.run("pressing Escape", chromedp.KeyEvent(kb.Escape))
		b.until(`!document.querySelector('dialog[open]')`)
		b.eval(`void (window.fetch = real, release())`)
		b.until(`document.querySelector('.modal h2').textContent === '1 session ended'`)
		b.click(`.modal button`)
		login(t, backend, "eve", hostile)
		b.click(`[data-refresh]`)
		b.until(rows(hostile))
	})
	t.Run("nothing that a stranger typed has run", func(t *testing.T) {
		if title := b.eval(`document.title`); strings.Contains(title, "owned") {
			t.Error("it has")
		}
	})
	t.Run("a server that is gone is told, and the list kept", func(t *testing.T) {
		b.eval(`void (window.fetch = () => Promise.reject(new TypeError('no network')))`)
		b.click(`[data-refresh]`)
		b.until(`document.querySelector('[data-stale]').innerText.includes('Not updated since')`)
		b.until(rows(hostile))
	})
}

func TestWhoMayOnlySeeIsOfferedNoEndOfASession(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	backend := in.backend(t, "shop", "sessions")
	login(t, backend, "ada", "Ada Lovelace")
	b.eval(`fetch('admin/accounts', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name: 'wanda', password: '` + password + `', access: 'viewer' }) }).then(() => { window.made = true })`)
	b.until(`window.made`)
	b.click(`[data-sign-out]`)
	b.fill(`#name`, "wanda")
	b.fill(`#password`, password)
	b.click(`button[type=submit]`)
	b.until(`document.querySelector('online-users-panel')`)
	b.open(in.url + "/sessions")
	b.until(rows("Ada Lovelace"))
	b.until(`document.querySelector('[data-me]').textContent === 'wanda'`)
	if b.eval(`[...document.querySelectorAll('.pick, [data-end]')].some(e => e.checkVisibility())`) != "false" {
		t.Error("there are controls that end sessions")
	}
	b.click(`tbody .name`)
	b.until(`document.querySelector('.sheet .card')`)
	if b.eval(`document.querySelectorAll('.sheet .danger').length`) != "0" {
		t.Error("the sheet has some")
	}
}

func TestAnAdministratorWhomTheServerCouldNotNameAtFirstMayActLater(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	login(t, in.backend(t, "shop", "sessions"), "ada", "Ada")
	b.run("failing once", command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		const real = fetch;
		window.fetch = (url, ...all) => String(url).endsWith('auth/me') && !sessionStorage.failed && (sessionStorage.failed = 1) ? Promise.reject(new TypeError('no network')) : real(url, ...all);`}))
	b.open(in.url + "/sessions")
	b.until(rows("Ada"))
	b.until(`document.querySelector('[data-end]').checkVisibility()`)
	b.until(`sessionStorage.failed`)
}

func TestARefreshTakesNothingBackThatMoreWasAskedFor(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	backend := in.backend(t, "shop", "sessions")
	for range 130 {
		login(t, backend, "ada", "Ada")
	}
	b.open(in.url + "/sessions")
	b.until(`document.querySelectorAll('tbody tr').length === 100`)
	b.eval(`(document.querySelector('[data-more]').click(), document.querySelector('[data-refresh]').click())`)
	b.until(`document.querySelectorAll('tbody tr').length === 130`)
}
