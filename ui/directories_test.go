package ui_test

import "testing"

func TestTwoOfOneIDAreTwoRowsThatSayWhoseTheyAre(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.refreshEvery("3600")
	b.until(follows("Live"))
	shop, blog := in.backend(t, "shop", "sessions"), in.backend(t, "blog", "sessions")
	row := func(directory string) string {
		return `[...` + panel + `.querySelectorAll('[data-user-id="42"]')].find((row) => row.innerText.includes('· ` + directory + `'))`
	}
	login(t, shop, "42", "Ada")
	b.until(listed("Ada"))
	b.until(`!` + panel + `.querySelector('[data-user-id="42"]').innerText.includes('·')`)
	theirs := login(t, blog, "42", "Ada")
	b.until(listed("Ada", "Ada"))
	in.claim(t, "blog", "42", `{"status": "busy"}`)
	b.until(row("blog") + `?.dataset.status === 'busy' && ` + row("shop") + `?.dataset.status === 'available'`)

	b.eval(row("blog") + `.querySelector('[part=name]').click()`)
	b.until(panel + `.querySelector('[part=details]').open`)
	b.clickIn(`[part=why]`)
	b.until(panel + `.querySelector('[part=explanation]').innerText.includes('the application blog says so')`)
	b.clickIn(`[part=close]`)
	b.until(panel + `.activeElement === ` + row("blog") + `.querySelector('[part=name]')`)
	b.eval(panel + `.querySelector('[part=search]').focus()`) // or who leaves stays for a while

	if _, err := blog.EndSession(t.Context(), theirs.Token); err != nil {
		t.Fatal(err)
	}
	b.until(listed("Ada"))
	b.until(panel + `.querySelector('[data-user-id="42"]').dataset.status === 'available'`)

	b.open(in.url + "/sessions?user=42&directory=blog&state=all")
	b.until(`document.querySelectorAll('table.sessions tbody tr').length === 1 && document.querySelector('table.sessions tbody').innerText.includes('blog')`)
	b.open(in.url + "/sessions?state=all")
	b.until(`['blog', 'shop'].every((directory) => document.querySelector('table.sessions tbody').innerText.includes('· ' + directory))`)
	b.eval(`[...document.querySelectorAll('table.sessions tbody tr')].find((row) => row.innerText.includes('· shop')).querySelector('.name').click()`)
	b.until(`document.querySelectorAll('dialog.sheet .card').length === 1`)
}
