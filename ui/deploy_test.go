package ui_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rollcall/server/api"
)

func TestThePageDeploy(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	backend := in.backend(t, "shop", "sessions,admin")
	ada := login(t, backend, "ada", "Ada Lovelace")
	b.open(in.url + "/deploy")
	b.until(`document.querySelector('#notices .empty').innerText === 'Nothing is announced.'`)
	b.until(`document.querySelector('[data-drain]').innerText.includes('1 person is in')`)
	const hostile = `<img src=x onerror=document.title='owned'>`

	t.Run("a notice is previewed and announced", func(t *testing.T) {
		b.fill(`#notice-message`, hostile)
		b.until(`document.querySelector('[data-preview]').innerText === "Notice: ` + hostile + `"`)
		b.click(`[data-compose] [type=submit]`)
		b.until(`document.querySelector('[data-notice-id] .seen').textContent === 'Seen by 0 of 1'`)
		b.until(`document.querySelector('[data-notice-id] .words').innerText.includes('to everybody · by root') && !document.querySelector('#notice-message').value`)
	})
	t.Run("who has seen it is counted", func(t *testing.T) {
		id := b.eval(`document.querySelector('[data-notice-id]').dataset.noticeId`)
		if _, err := backend.Heartbeat(t.Context(), ada.Token, api.Heartbeat{Seen: []string{id}}); err != nil {
			t.Fatal(err)
		}
		b.until(`document.querySelector('[data-notice-id] .seen').textContent === 'Seen by 1 of 1'`)
	})
	t.Run("what is refused is told, and kept in the form", func(t *testing.T) {
		b.fill(`#notice-message`, "To nobody")
		b.fill(`#notice-organization`, "Nowhere")
		b.click(`[data-compose] [type=submit]`)
		b.until(`document.querySelector('[data-compose-error]').innerText.includes('no organization') && document.querySelector('#notice-message').value === 'To nobody'`)
	})
	t.Run("a notice is withdrawn, and kept as such", func(t *testing.T) {
		b.click(`[data-withdraw]`)
		b.until(`document.querySelector('#notices .empty') && document.querySelector('details .hint').textContent.includes('withdrawn')`)
	})
	t.Run("whoever begins to drain is told first how many are in", func(t *testing.T) {
		b.fill(`#drain-message`, "Moving house")
		b.click(`.drain [type=submit]`)
		b.until(`document.querySelector('.modal').innerText.includes('1 person is in') && document.activeElement.textContent === 'Cancel'`)
		b.run("pressing Escape", chromedp.KeyEvent(kb.Escape))
		b.until(`!document.querySelector('.modal')`)
		if d, err := backend.Drain(t.Context()); err != nil || d.Draining {
			t.Errorf("it drains: %+v, %v", d, err)
		}
		b.click(`.drain [type=submit]`)
		b.click(`.modal .solid`)
		b.until(`document.querySelector('.mark').dataset.state === 'draining' && document.querySelector('.drain blockquote').textContent === 'Moving house'`)
	})
	t.Run("who leaves is counted at once", func(t *testing.T) {
		b.until(`document.querySelector('[data-online]').textContent.startsWith('1')`)
		if _, err := backend.EndSession(t.Context(), ada.Token); err != nil {
			t.Fatal(err)
		}
		b.until(`document.querySelector('[data-online]').textContent.startsWith('0')`)
	})
	t.Run("it is opened again", func(t *testing.T) {
		b.eval(`void scrollTo(0, 0)`) // out from under the bar, which stays at the top
		b.click(`#drain [data-open]`)
		b.until(`document.querySelector('.mark').dataset.state === 'open'`)
	})
	t.Run("a server that is gone is told, and what was there kept", func(t *testing.T) {
		b.eval(`void (window.fetch = () => Promise.reject(new TypeError('no network')), document.dispatchEvent(new Event('visibilitychange')))`)
		b.until(`document.querySelector('[data-stale]').innerText.includes('Not updated since')`)
		b.until(`document.querySelector('.mark').dataset.state === 'open'`)
	})
	if title := b.eval(`document.title`); strings.Contains(title, "owned") {
		t.Error("what a stranger typed has run")
	}
}

// TestTheListOfNoticesStaysInPlace has whoever could not withdraw a notice be at its
// button while others see it, and while there is another one.
func TestTheListOfNoticesStaysInPlace(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	backend := in.backend(t, "shop", "sessions,admin")
	ada := login(t, backend, "ada", "Ada Lovelace")
	first, err := backend.PostNotice(t.Context(), api.NoticeInput{Message: "First"})
	if err != nil {
		t.Fatal(err)
	}
	b.open(in.url + "/deploy")
	b.arrived(`[data-withdraw]`)
	b.eval(`void (window.real = fetch, window.fetch = (path, init) => (init.method === 'DELETE' ? Promise.reject(new TypeError('no network')) : real(path, init)))`)
	b.click(`[data-withdraw]`)
	stays := func(others string) {
		t.Helper()
		b.until(others + ` && document.activeElement.matches('[data-notice-id="` + first.ID + `"] [data-withdraw]')
			&& document.activeElement.closest('li').innerText.includes('It was not withdrawn')`)
	}
	stays(`true`)
	if _, err := backend.Heartbeat(t.Context(), ada.Token, api.Heartbeat{Seen: []string{first.ID}}); err != nil {
		t.Fatal(err)
	}
	b.eval(`void document.dispatchEvent(new Event('visibilitychange'))`) // has it look again
	stays(`document.activeElement.closest('li').innerText.includes('Seen by 1 of 1')`)
	if _, err := backend.PostNotice(t.Context(), api.NoticeInput{Message: "Second"}); err != nil {
		t.Fatal(err)
	}
	stays(`document.querySelectorAll('[data-notice-id]').length === 2`)
}
