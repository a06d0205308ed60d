package ui_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"rollcall/server/api"
	"rollcall/server/client"
)

func text(s string) *string { return &s }

// login reports a login to the server as a back end does.
func login(t *testing.T, backend *client.Client, id, name string) api.Session {
	t.Helper()
	session, err := backend.Login(context.Background(), api.LoginReport{User: api.UserInput{
		ID: id, Name: text(name), Email: text(id + "@example.org"), Organization: text("Acme"), Team: text("Core"), Role: text("editor"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return session.Session
}

// listed is the condition that the panel's rows show exactly these names, in any order.
func listed(names ...string) string {
	return fmt.Sprintf(`[...%s.querySelectorAll('[data-user-id] [part=name]')].map(e => e.textContent).sort().join() === [%s].sort().join()`,
		panel, quoted(names))
}

func quoted(names []string) string {
	var list []string
	for _, name := range names {
		list = append(list, fmt.Sprintf("%q", name))
	}
	return strings.Join(list, ",")
}

// refreshEvery sets the panel's interval, which is 30 s by itself.
func (b *tab) refreshEvery(seconds string) {
	b.t.Helper()
	b.eval(`document.querySelector('online-users-panel').setAttribute('refresh', '` + seconds + `')`)
}

// TestThePanel is the original system's checklist, in a browser.
func TestThePanel(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.until(panel + `.querySelector('[part=blank]').innerText.includes('Nobody is online')`)
	backend := in.backend(t, "shop", "sessions")

	t.Run("auto-refresh: a login appears by itself", func(t *testing.T) {
		b.refreshEvery("1")
		login(t, backend, "ada", "Ada Lovelace")
		b.until(listed("Ada Lovelace"))
		b.until(`document.title === '● 1 online – Rollcall'`)
	})
	b.refreshEvery("3600")
	var bob api.Session
	t.Run("manual refresh: several people", func(t *testing.T) {
		login(t, backend, "grace", "Grace Hopper")
		bob = login(t, backend, "bob", "Bob <b>Bold</b>")
		b.clickIn(`[part=refresh]`)
		b.until(listed("Ada Lovelace", "Grace Hopper", "Bob <b>Bold</b>"))
		b.until(panel + `.querySelector('[part=count]').textContent === '3 online'`)
	})
	t.Run("a row shows who, where, since when and the last activity", func(t *testing.T) {
		row := b.eval(panel + `.querySelector('[data-user-id=ada]').innerText`)
		for _, want := range []string{"Ada Lovelace", "ada@example.org", "Acme", "Core", "editor", "< 1 min"} {
			if !strings.Contains(row, want) {
				t.Errorf("%q is not in %q", want, row)
			}
		}
	})
	t.Run("duration and last activity grow, a heartbeat renews the activity", func(t *testing.T) {
		in.backdate(t, "ada", 3*time.Hour+4*time.Minute, 2*time.Minute)
		b.clickIn(`[part=refresh]`)
		b.until(panel + `.querySelector('[data-user-id=ada]').innerText.includes('3 h 4 min')`)
		b.until(panel + `.querySelector('[data-user-id=ada]').innerText.includes('2 min ago')`)
		in.backdate(t, "bob", time.Hour, 4*time.Minute)
		if _, err := backend.Heartbeat(t.Context(), bob.Token, api.Heartbeat{Page: text("/orders")}); err != nil {
			t.Fatal(err)
		}
		b.clickIn(`[part=refresh]`)
		b.until(panel + `.querySelector('[data-user-id=bob]').innerText.includes('just now')`)
	})
	t.Run("search finds on the server and can be cleared", func(t *testing.T) {
		b.eval(`(() => { const s = ` + panel + `.querySelector('[part=search]'); s.value = 'hopp'; s.dispatchEvent(new Event('input')) })()`)
		b.until(listed("Grace Hopper"))
		b.clickIn(`[part=clear]`)
		b.until(listed("Ada Lovelace", "Grace Hopper", "Bob <b>Bold</b>"))
	})
	t.Run("an admin ends a session from the details", func(t *testing.T) {
		b.clickIn(`[data-user-id=bob] [part=name]`)
		b.until(panel + `.querySelector('[part=details]').open`)
		b.clickIn(`[data-action=end-session]`)
		b.clickIn(`[data-action=confirm-end]`)
		b.until(listed("Ada Lovelace", "Grace Hopper"))
		_, err := backend.Heartbeat(t.Context(), bob.Token, api.Heartbeat{})
		if e, ok := err.(*client.Error); !ok || e.Status != 404 || e.EndReason != "revoked" {
			t.Errorf("a heartbeat of the ended session: %v", err)
		}
	})
	t.Run("a session without activity for 24 h has ended", func(t *testing.T) {
		ada := in.backdate(t, "ada", 25*time.Hour, 24*time.Hour)
		b.clickIn(`[part=refresh]`)
		b.until(listed("Grace Hopper"))
		if ada != 24*time.Hour {
			t.Errorf("a session lives %v after its last activity", ada)
		}
	})
	t.Run("a server that is gone is told, and the list kept", func(t *testing.T) {
		b.eval(`void (window.fetch = () => Promise.reject(new TypeError('no network')))`)
		b.clickIn(`[part=refresh]`)
		b.until(panel + `.querySelector('[part=notice]').innerText.includes('ot updated since')`)
		b.until(listed("Grace Hopper"))
	})
}

// backdate moves a user's session into the past, as time would: its login by
// started, its last activity by active, and its end with that. It returns how long
// the session lives after its last activity.
func (in instance) backdate(t *testing.T, user string, started, active time.Duration) (lifetime time.Duration) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(in.data, "rollcall.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Now().UnixMilli()
	_, err = db.ExecContext(t.Context(), `
		UPDATE user_sessions SET created_at = $1, last_activity_at = $2, expires_at = expires_at - (last_activity_at - $2)
		WHERE substr(user_id, instr(user_id, '/') + 1) = $3 AND is_active = true`, now-started.Milliseconds(), now-active.Milliseconds(), user)
	if err != nil {
		t.Fatal(err)
	}
	var ms int64
	if err := db.QueryRowContext(t.Context(), `SELECT expires_at - last_activity_at FROM user_sessions WHERE substr(user_id, instr(user_id, '/') + 1) = $1`, user).Scan(&ms); err != nil {
		t.Fatal(err)
	}
	return time.Duration(ms) * time.Millisecond
}

func TestSigningInAndOut(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.click(`[data-sign-out]`)
	b.until(`location.pathname.endsWith('/login')`)
	b.open(in.url)
	b.until(`location.pathname.endsWith('/login')`)
	b.fill(`#name`, "root")
	b.fill(`#password`, "not the password at all")
	b.click(`button[type=submit]`)
	b.until(`document.querySelector('[data-error]').innerText.length > 0`)
	b.eval(`document.querySelector('#password').value = ''`)
	b.fill(`#password`, password)
	b.click(`button[type=submit]`)
	b.until(`document.querySelector('online-users-panel')`)
	b.open(in.setup)
	b.until(`document.querySelector('online-users-panel')`)

	const wanted = `location.pathname.endsWith('/settings') && location.search === '?a=b%20c' && location.hash === '#keys'`
	b.open(in.url + "/login?next=settings%3Fa%3Db%2520c#keys") // signed in already
	b.until(wanted)
	b.eval(`void fetch('auth/logout', {method: 'POST'})`) // elsewhere
	b.until(`!document.dispatchEvent(new Event('visibilitychange')) || location.search.startsWith('?next=') && document.querySelector('#password')`)
	b.fill(`#name`, "root")
	b.fill(`#password`, password)
	b.click(`button[type=submit]`)
	b.until(wanted)
}

func TestIntegrating(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.open(in.url + "/integrate")
	b.fill(`[data-new-key-form] input`, "crm")
	b.click(`[data-new-key-form] button[type=submit]`)
	b.until(`/^rck_/.test(document.querySelector('[data-secret]').textContent)`)
	key := b.eval(`document.querySelector('[data-secret]').textContent`)
	b.until(`document.querySelector('[data-key-id] td')`)
	if border := b.eval(`getComputedStyle(document.querySelector('[data-key-id] td')).borderInlineWidth`); border != "0px" {
		t.Error("the key's app has a border:", border)
	}
	b.until(`document.querySelector('[data-blocks]').textContent.includes('` + in.url + `')`)
	b.until(`document.querySelector('[data-blocks]').textContent.includes('` + key + `')`)
	for _, framework := range []string{"express", "django", "laravel", "php", "rails", "next", "go", "curl", "script"} {
		b.click(`[data-tab=` + framework + `]`)
		b.until(`document.querySelector('[data-tab=` + framework + `]').ariaSelected === 'true'`)
		b.until(`document.querySelectorAll('[data-blocks] [data-copy]').length >= 3`)
		b.until(`!/rollcall\.example|rck_YOUR_KEY/.test(document.querySelector('[data-blocks]').textContent)`)
	}
	b.until(`document.querySelector('[data-first-heartbeat]').dataset.state === 'waiting'`)

	backend := client.New(in.url, key)
	defer backend.Close()
	session := login(t, backend, "ada", "Ada Lovelace")
	b.until(`document.querySelector('[data-first-heartbeat]').innerText.includes('Ada Lovelace has logged in')`)
	b.until(`document.querySelector('[data-first-heartbeat]').dataset.state === 'waiting'`)
	if _, err := backend.Heartbeat(t.Context(), session.Token, api.Heartbeat{}); err != nil {
		t.Fatal(err)
	}
	b.until(`document.querySelector('[data-first-heartbeat]').innerText.includes('Ada Lovelace is online')`)
}

// hostPage serves an application's page at another origin than Rollcall's.
func hostPage(t *testing.T, page func() string) *httptest.Server {
	t.Helper()
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.ico" {
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(page()))
	}))
	t.Cleanup(host.Close)
	return host
}

// lastActivity is what the panel's API says of a user, zero where offline.
func lastActivity(t *testing.T, c *client.Client, id string) time.Time {
	t.Helper()
	people, err := c.OnlineAll(t.Context(), client.OnlineFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people.Users {
		if p.ID == id {
			return p.LastActivityAt.Time
		}
	}
	return time.Time{}
}

// TestTheOriginalBrowserCode runs what the original system's pages contain.
func TestTheOriginalBrowserCode(t *testing.T) {
	b := browser(t)
	var rollcall, token string
	host := hostPage(t, func() string {
		return `<!doctype html><title>host</title><script>
			window.answers = [];
			async function sendHeartbeat() {
				const token = '` + token + `';
				const response = await fetch('` + rollcall + `/admin/users/heartbeat', {
					method: 'POST',
					headers: { 'Content-Type': 'application/json', 'Authorization': 'Bearer ' + token },
					body: JSON.stringify({ sessionToken: token }),
				});
				window.answers.push(response.status + ' ' + (await response.json()).success);
			}
			sendHeartbeat();
			setInterval(sendHeartbeat, 60000);
		</script>`
	})
	in := serve(t, "--allow-origin", host.URL)
	backend := in.backend(t, "shop", "sessions,read")
	rollcall, token = in.url, login(t, backend, "ada", "Ada").Token
	in.backdate(t, "ada", time.Hour, 10*time.Minute)
	if seen := lastActivity(t, backend, "ada"); !seen.IsZero() {
		t.Fatal("online without a heartbeat")
	}
	b.open(host.URL)
	b.until(`window.answers.join() === '200 true'`)
	if lastActivity(t, backend, "ada").IsZero() {
		t.Error("offline after a heartbeat")
	}

	t.Run("another origin is not let in", func(t *testing.T) {
		stranger := hostPage(t, func() string {
			return `<!doctype html><title>stranger</title><script>
				fetch('` + rollcall + `/admin/users/heartbeat', { method: 'POST', headers: { 'Authorization': 'Bearer x' } })
					.then(() => { document.title = 'let in' }, () => { document.title = 'kept out' });
			</script>`
		})
		b2 := browser(t)
		b2.open(stranger.URL)
		b2.until(`document.title === 'kept out'`)
		b2.mu.Lock()
		b2.problems = nil // the browser says that the origin is not allowed, which is the point
		b2.mu.Unlock()
	})
}
