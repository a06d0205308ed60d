package ui_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
)

// signInAs types a name and a password on the page to sign in.
func (b *tab) signInAs(in instance, name, password string) {
	b.t.Helper()
	b.open(in.url + "/login")
	b.fill(`#name`, name)
	b.fill(`#password`, password)
	b.click(`button[type=submit]`)
}

func (b *tab) signOut() {
	b.t.Helper()
	b.click(`[data-sign-out]`)
	b.until(`location.pathname === '/login' && document.querySelector('#password')`)
}

const inside = `location.pathname === '/' && document.querySelector('online-users-panel')`

// codeAt is what an authenticator app shows.
func codeAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// addApp sets up an authenticator app on the page Account, and returns its secret and the recovery codes.
func (b *tab) addApp(password string) (secret string, recovery []string) {
	b.t.Helper()
	b.fill(`#totp-password`, password)
	b.click(`[data-totp-begin] button[type=submit]`)
	b.until(`document.querySelector('.qr').naturalWidth === 240`)
	secret = strings.ReplaceAll(b.eval(`document.querySelector('[data-totp-secret]').textContent`), " ", "")
	b.fill(`#totp-code`, codeAt(b.t, secret, time.Now()))
	b.click(`[data-totp-confirm] button[type=submit]`)
	b.until(`document.querySelectorAll('[data-recovery-code]').length === 10`)
	recovery = strings.Split(b.eval(`[...document.querySelectorAll('[data-recovery-code]')].map((code) => code.textContent)`), ",")
	return secret, recovery
}

func TestSigningInWithAnAuthenticatorApp(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.click(`.me a`)
	b.fill(`#totp-password`, "a wrong password")
	b.click(`[data-totp-begin] button[type=submit]`)
	b.until(`[...document.querySelectorAll('[data-error]')].some((box) => box.checkVisibility() && box.innerText.includes('not your current password'))`)
	b.eval(`document.querySelector('#totp-password').value = ''`)
	secret, recovery := b.addApp(password)
	b.click(`[data-kept]`)
	b.until(`document.querySelector('[data-totp-on]').innerText.includes('10 of 10 recovery codes')`)
	b.signOut()

	t.Run("by a code", func(t *testing.T) {
		b.signInAs(in, "root", password)
		b.until(`document.querySelector('#totp').checkVisibility() && document.activeElement.id === 'totp' && !document.querySelector('#password').checkVisibility()`)
		b.fill(`#totp`, "12345")
		b.click(`button[type=submit]`)
		b.until(`document.querySelector('[data-error]').innerText.includes('That code is not right')`)
		b.eval(`document.querySelector('#totp').value = ''`)
		b.fill(`#totp`, codeAt(t, secret, time.Now().Add(30*time.Second))) // that of now has confirmed the app
		b.click(`button[type=submit]`)
		b.until(inside)
		b.signOut()
	})
	t.Run("by a recovery code", func(t *testing.T) {
		b.signInAs(in, "root", password)
		b.click(`[data-recovery]`)
		b.fill(`#totp`, recovery[2])
		b.click(`button[type=submit]`)
		b.until(inside)
		b.open(in.url + "/account")
		b.until(`document.querySelector('[data-totp-on]').innerText.includes('9 of 10 recovery codes')`)
	})
	t.Run("until it is removed", func(t *testing.T) {
		b.click(`summary`)
		b.fill(`#totp-password`, password)
		b.fill(`#totp-code`, recovery[5])
		b.click(`[data-totp-remove] button[type=submit]`)
		b.until(`document.querySelector('[data-totp-begin]')`)
		b.signOut()
		b.signInAs(in, "root", password)
		b.until(inside)
	})
}

func TestAnOwnerWhoIsLockedOutIsLetInFromTheCommandLine(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.open(in.url + "/account")
	b.addApp(password)
	in.command(t, "account", "totp-reset", "root")
	b.open(in.url + "/account")
	b.until(`location.pathname === '/login'`) // signed out by that
	b.signInAs(in, "root", password)
	b.until(inside)
}

func TestAnInvitationFromTheLinkToTheSignIn(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.open(in.url + "/settings")
	b.fill(`#account-name`, "grace")
	b.click(`[data-new-account-form] button[type=submit]`)
	b.until(`document.querySelector('[data-link] [data-secret]')?.textContent.includes('/password#rcl_')`)
	link := b.eval(`document.querySelector('[data-link] [data-secret]').textContent`)

	guest := browser(t)
	guest.open(link)
	guest.until(`document.querySelector('h1').innerText === 'Welcome to Rollcall' && document.querySelector('#name').value === 'grace'`)
	guest.until(`location.hash === '' && location.pathname === '/password'`) // neither the address nor the history has the secret
	guest.fill(`#password`, "four other words in a row")
	guest.click(`button[type=submit]`)
	guest.until(`document.querySelector('h1').innerText === 'Your password is set'`)
	guest.click(`[data-links] a[href="account"]`)
	guest.until(`document.querySelector('[data-totp-begin]') && document.querySelector('[data-me]').textContent === 'grace'`)

	t.Run("it works once", func(t *testing.T) {
		guest.open("about:blank")
		guest.open(link)
		guest.until(`document.querySelector('h1').innerText === 'This link does not work' && !document.querySelector('form').checkVisibility()`)
		guest.open(in.url + "/password")
		guest.until(`document.querySelector('h1').innerText === 'Open your link again'`)
	})
	t.Run("she changes her password, which signs her out elsewhere", func(t *testing.T) {
		other := browser(t)
		other.signInAs(in, "grace", "four other words in a row")
		other.until(inside)
		guest.open(in.url + "/account")
		guest.fill(`#current-password`, "four other words in a row")
		guest.fill(`#new-password`, "a password for the second year")
		guest.click(`[data-password-form] button[type=submit]`)
		guest.until(`document.querySelector('[data-done]').checkVisibility()`)
		other.until(`location.pathname === '/login'`)
		other.signInAs(in, "grace", "a password for the second year")
		other.until(inside)
	})
	t.Run("she signs out everywhere", func(t *testing.T) {
		guest.click(`[data-action=sign-out-everywhere]`)
		guest.until(`location.pathname === '/login'`)
	})
}

// TestScreenshotsOfAccounts shows what people see of their own account, and of a link.
func TestScreenshotsOfAccounts(t *testing.T) {
	if *pictures == "" {
		t.Skip("no -screenshots folder was given")
	}
	b := browser(t)
	in := serve(t)
	both := func(name string, height int64) {
		t.Helper()
		b.picture(name, 1280, height)
		b.picture(name+"-phone", 390, max(height, 844))
	}
	b.setUpAccount(in)
	b.open(in.url + "/settings")
	b.fill(`#account-name`, "grace")
	b.click(`[data-new-account-form] button[type=submit]`)
	b.until(`document.querySelector('[data-link] [data-secret]')?.textContent.includes('/password#rcl_')`)
	link := b.eval(`document.querySelector('[data-link] [data-secret]').textContent`)
	both("settings-invited", 800)
	b.open(in.url + "/account")
	b.until(`document.querySelector('[data-totp-begin]')`)
	both("account", 1000)
	b.fill(`#totp-password`, password)
	b.click(`[data-totp-begin] button[type=submit]`)
	b.until(`document.querySelector('.qr')`)
	both("account-scan", 1300)
	secret := strings.ReplaceAll(b.eval(`document.querySelector('[data-totp-secret]').textContent`), " ", "")
	b.fill(`#totp-code`, codeAt(t, secret, time.Now()))
	b.click(`[data-totp-confirm] button[type=submit]`)
	b.until(`document.querySelector('[data-recovery-code]')`)
	both("account-recovery", 1000)
	b.click(`[data-kept]`)
	b.click(`summary`)
	both("account-on", 1200)
	b.run("narrowing", chromedp.EmulateViewport(1280, 860))
	b.signOut()
	b.signInAs(in, "root", password)
	b.until(`document.querySelector('#totp').checkVisibility()`)
	both("code", 800)
	b.open("about:blank")
	b.open(link)
	b.until(`document.querySelector('#name').value === 'grace'`)
	both("invitation", 800)
	b.open(in.url + "/password#rcl_nobody-has-this")
	b.until(`document.querySelector('h1').innerText === 'This link does not work'`)
	both("link-gone", 800)
}
