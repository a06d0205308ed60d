package ui_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"rollcall/server/api"
)

func TestThePageSettings(t *testing.T) {
	b := browser(t)
	in := serve(t, "--session-ttl", "90m")
	b.setUpAccount(in)
	backend := in.backend(t, "shop", "sessions,admin")
	b.open(in.url + "/settings")
	b.until(`[...document.querySelectorAll('.rules tr')].some(tr => tr.innerText.includes('--session-ttl') && tr.innerText.includes('1h30m') && tr.innerText.includes('default 24h'))`)

	t.Run("somebody is invited, and the account deleted again, after a second click", func(t *testing.T) {
		b.fill(`#account-name`, "two words")
		b.click(`[data-new-account-form] button[type=submit]`)
		b.until(`document.querySelector('[data-accounts] [role=alert]').innerText.includes('No account was made')`)
		b.eval(`document.querySelector('#account-name').value = ''`)
		b.fill(`#account-name`, "wanda")
		b.click(`[data-new-account-form] button[type=submit]`)
		b.until(`document.querySelector('[data-account-id="rollcall:wanda"]').innerText.includes('invited')`)
		b.until(`document.querySelector('[data-link] [data-secret]').textContent.startsWith(location.origin + '/password#rcl_')`)
		b.until(`document.querySelector('[data-account-id="rollcall:root"]').innerText.includes('You')`)
		first := b.eval(`document.querySelector('[data-link] [data-secret]').textContent`)
		b.click(`[data-account-id="rollcall:wanda"] [data-action=new-link]`)
		b.click(`[data-account-id="rollcall:wanda"] [data-action=new-link]`)
		b.until(`document.querySelector('[data-link] [data-secret]').textContent !== ` + strconv.Quote(first))
		b.until(`document.querySelector('.audit tbody tr').dataset.action === 'account.link'`)
		b.click(`[data-account-id="rollcall:wanda"] [data-action=withdraw-link]`)
		b.click(`[data-account-id="rollcall:wanda"] [data-action=withdraw-link]`)
		b.until(`document.querySelector('[data-account-id="rollcall:wanda"]').innerText.includes('invitation is void') && !document.querySelector('[data-action=withdraw-link]')`)
		b.click(`[data-account-id="rollcall:wanda"] [data-action=delete-account]`)
		b.click(`[data-account-id="rollcall:wanda"] [data-action=confirm-delete]`)
		b.until(`!document.querySelector('[data-account-id="rollcall:wanda"]')`)
		b.until(`document.querySelector('.audit tbody tr').dataset.action === 'account.delete'`)
	})
	t.Run("a key is shown once, and deleted", func(t *testing.T) {
		b.fill(`#app`, "crm")
		b.click(`[data-new-key-form] button[type=submit]`)
		b.until(`/^rck_/.test(document.querySelector('[data-secret]').textContent)`)
		b.until(`document.querySelectorAll('[data-key-id]').length === 2`)
		b.until(`document.querySelector('.audit tbody tr').dataset.action === 'key.create'`)
		b.eval(`[...document.querySelectorAll('[data-key-id]')].find(tr => tr.innerText.includes('crm')).querySelector('button').click()`)
		b.click(`[data-keys] [data-action=confirm-delete]`)
		b.until(`document.querySelectorAll('[data-key-id]').length === 1`)
	})
	t.Run("a key is in a directory with another, and the list says so", func(t *testing.T) {
		b.fill(`#app`, "wiki")
		b.fill(`#directory`, " staff ")
		b.click(`[data-new-key-form] button[type=submit]`)
		b.until(`[...document.querySelectorAll('[data-key-id]')].some(tr => tr.cells[0].innerText === 'wiki' && tr.cells[1].innerText === 'staff')`)
		b.until(`[...document.querySelectorAll('[data-key-id]')].some(tr => tr.cells[0].innerText === 'shop' && tr.cells[1].innerText === 'shop')`)
		b.until(`document.querySelector('#directory').value === '' && [...document.querySelectorAll('#directories option')].map((option) => option.value).sort().join() === 'shop,staff'`)
		b.fill(`#app`, "wiki")
		b.fill(`#directory`, "others")
		b.click(`[data-new-key-form] button[type=submit]`)
		b.until(`document.querySelector('[data-keys] [role=alert]').innerText.includes('No key was made: ')`)
		b.eval(`document.querySelector('#directory').value = ''`)
		b.click(`[data-new-key-form] button[type=submit]`) // in the one that the application has
		b.until(`[...document.querySelectorAll('[data-key-id]')].filter(tr => tr.cells[1].innerText === 'staff').length === 2`)
		for left := 2; left > 0; left-- {
			b.eval(`[...document.querySelectorAll('[data-key-id]')].find(tr => tr.innerText.includes('wiki')).querySelector('button').click()`)
			b.click(`[data-keys] [data-action=confirm-delete]`)
			b.until(fmt.Sprintf(`document.querySelectorAll('[data-key-id]').length === %d`, left))
		}
	})
	t.Run("what is wrong is named, with what to do, and looked at again", func(t *testing.T) {
		b.until(`document.querySelector('[data-health] [data-check=logins][data-state=warning]').innerText.includes('Warning')`)
		r, err := http.NewRequest("POST", in.url+"/admin/users/heartbeat", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		r.Header.Set("Origin", "https://app.example")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		b.click(`[data-health] [data-again]`)
		b.until(`document.querySelector('[data-check=proxy][data-state=problem] code').textContent === '--trusted-proxies 127.0.0.1'`)
		b.until(`document.querySelector('[data-health] li').dataset.state === 'problem' && document.querySelector('[data-check=origins] code').textContent === '--allow-origin https://YOUR-APPLICATION'`)
		b.until(`document.activeElement.matches('[data-again]')`)
	})
	t.Run("the audit log has all of it, and can be searched", func(t *testing.T) {
		login(t, backend, "ada", "Ada <i>Lovelace</i>")
		if _, err := backend.RevokeAll(t.Context(), api.Revocation{User: "ada", Note: "Laptop was stolen"}); err != nil {
			t.Fatal(err)
		}
		b.open("about:blank") // to load the page anew
		b.open(in.url + "/settings#audit")
		for _, action := range []string{"account.create", "account.delete", "key.create", "key.delete", "session.revoke"} {
			b.until(`document.querySelector('[data-action="` + action + `"]')`)
		}
		b.until(`document.querySelector('[data-action="session.revoke"]').innerText.includes('Ada <i>Lovelace</i>') && document.querySelector('[data-action="session.revoke"]').innerText.includes('Laptop was stolen')`)
		b.eval(`(() => { const s = document.querySelector('[name=action]'); s.value = 'session'; s.dispatchEvent(new Event('input', { bubbles: true })) })()`)
		b.until(`document.querySelectorAll('.audit tbody tr').length === 1 && document.querySelector('[data-audit] .button').href.includes('action=session')`)
	})
	t.Run("a key is deleted with the sessions that it reported", func(t *testing.T) {
		b.fill(`#app`, "leaky")
		b.click(`[data-new-key-form] button[type=submit]`)
		b.until(`document.querySelectorAll('[data-key-id]').length === 2`)
		b.eval(`fetch('admin/sessions', {method: 'POST', headers: {Authorization: 'Bearer ' + document.querySelector('[data-secret]').textContent, 'Content-Type': 'application/json'},
			credentials: 'omit', body: JSON.stringify({user: {id: 'ada'}})}).then((answer) => { window.reported = answer.status })`)
		b.until(`window.reported === 201`)
		b.eval(`[...document.querySelectorAll('[data-key-id]')].find(tr => tr.innerText.includes('leaky')).querySelector('button').click()`)
		b.until(`document.querySelector('[data-keys] label:has([name=sessions])')?.innerText.includes('End the one session that it reported')`)
		b.click(`[data-keys] [name=sessions]`)
		b.click(`[data-keys] [data-action=confirm-delete]`)
		b.until(`document.querySelectorAll('[data-key-id]').length === 1`)
		b.until(`document.querySelectorAll('.audit [data-action="session.revoke"]').length === 2`)
	})
	t.Run("whoever is signed in sees where, and goes on to their account", func(t *testing.T) {
		b.until(`document.querySelector('[data-account-id="rollcall:root"] a').getAttribute('href') === 'sessions?app=rollcall&user=rollcall%3Aroot'`)
		b.click(`[data-account-id="rollcall:root"] .actions a`)
		b.until(`location.pathname === '/account'`)
	})
}
