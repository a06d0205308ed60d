package ui_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"rollcall/server/api"
	"rollcall/server/client"
)

var pictures = flag.String("screenshots", "", "folder for pictures of the pages; without it none are made")

// TestScreenshots makes the README's picture, and those to look at after a
// change: go test ./ui -run TestScreenshots -screenshots DIR.
func TestScreenshots(t *testing.T) {
	if *pictures == "" {
		t.Skip("no -screenshots folder was given")
	}
	b := browser(t)
	in := serve(t, "--network", "Head office=192.0.2.0/25")
	b.open(in.setup)
	b.picture("setup", 1280, 800)
	b.setUpAccount(in)
	b.until(panel + `.querySelector('[part=blank]').innerText.includes('Nobody is online')`)
	b.picture("empty", 1280, 800)
	populate(t, in, in.backend(t, "shop", "sessions"), in.backend(t, "crm", "sessions"))
	b.clickIn(`[part=refresh]`)
	b.until(panel + `.querySelectorAll('[data-user-id]').length === 12`)
	in.claim(t, "shop", "u5", `{"status": "busy", "text": "Recording the all-hands", "for_ms": 3600000}`)
	in.claim(t, "crm", "u8", `{"status": "away", "for_ms": 1800000}`)
	b.until(panel + `.querySelectorAll('[data-status=busy]').length === 1`)
	b.until(follows("Live"))
	b.picture("now", 1280, 800)
	b.picture("phone", 390, 844)
	b.clickIn(`[data-user-id=u5] [part=name]`)
	b.clickIn(`[part=why]`)
	b.until(panel + `.querySelector('[part=explanation] li')`)
	b.picture("details", 1280, 800)
	b.picture("details-phone", 390, 844)
	b.clickIn(`[part=close]`)
	b.clickIn(`[part=status]`)
	b.clickIn(`[part=status-menu] [value=busy]`)
	b.picture("status", 1280, 800)
	b.picture("status-phone", 390, 844)
	b.eval(panel + `.querySelector('[part=status-menu]').hidePopover()`)
	b.eval(`(() => { const s = ` + panel + `.querySelector('select[aria-label=Group]'); s.value = 'page'; s.dispatchEvent(new Event('change')) })()`)
	b.picture("grouped", 1280, 800)
	b.open(in.url + "/integrate")
	b.until(`document.querySelector('[data-blocks]').textContent.includes('` + in.url + `')`)
	b.picture("integrate", 1280, 1600)
	b.open(in.url + "/docs")
	b.until(`document.querySelector('[data-tabs] [aria-selected]')`)
	b.picture("docs", 1280, 1800)
	b.picture("docs-phone", 390, 2200)
	b.open(in.url + "/sessions")
	b.until(`document.querySelectorAll('tbody tr').length === 12`)
	b.picture("sessions", 1280, 800)
	b.picture("sessions-phone", 390, 844)
	b.click(`tbody tr:nth-child(3) .name`)
	b.until(`document.querySelector('.sheet .card')`)
	b.picture("person", 1280, 800)
	b.picture("person-phone", 390, 844)
	b.click(`[data-close]`)
	b.click(`[data-end]`)
	b.until(`document.querySelector('.modal .sample li')`)
	b.picture("end-sessions", 1280, 800)
	b.picture("end-sessions-phone", 390, 844)
	b.open(in.url + "/deploy")
	b.until(`document.querySelector('#notices .empty') && document.querySelector('.drain form')`)
	b.picture("deploy-empty", 1280, 1000)
	ops := in.backend(t, "ops", "admin")
	for _, n := range []api.NoticeInput{{Message: "The export is back. Thank you for waiting."}, {Message: "Save your work: the invoices move to the new server at 18:00 and are back at 18:30.", Level: "warning", Organization: "Contoso", ForMS: new(int64(3600000))}} {
		if _, err := ops.PostNotice(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ops.BeginDrain(t.Context(), api.DrainInput{Message: "Moving to the new server, back at 18:30", EndSessionsInMS: new(int64(600000))}); err != nil {
		t.Fatal(err)
	}
	b.until(`document.querySelectorAll('[data-notice-id]').length === 2 && document.querySelector('[data-open]')`)
	b.eval(`void scrollTo(0, 0)`)
	b.picture("deploy", 1280, 1000)
	b.picture("deploy-phone", 390, 1400)
	if _, err := ops.EndDrain(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.open(in.url + "/settings")
	b.until(`document.querySelectorAll('.rules tr').length > 10 && document.querySelector('[data-key-id]') && document.querySelector('.audit tbody tr')`)
	b.picture("settings", 1280, 1600)
	b.picture("settings-phone", 390, 1600)
	b.open(in.url)
	b.until(follows("Live"))
	in.stop()
	b.until(follows("Reconnecting"))
	b.picture("stale", 1280, 800)
	b.picture("stale-phone", 390, 844)
}

// TestScreenshotsOfAHostPage shows both elements where they are guests.
func TestScreenshotsOfAHostPage(t *testing.T) {
	if *pictures == "" {
		t.Skip("no -screenshots folder was given")
	}
	b := browser(t)
	var rollcall, token string
	host := strictHost(t, &rollcall, `body { margin: 32px auto; max-width: 880px; padding: 0 16px; font: 16px/24px Georgia, serif; background: #fdf9f2; color: #2b2118 }
		online-users-panel, online-users-badge { --rollcall-accent: #0b7285; --rollcall-bg: #fffdf9; --rollcall-radius: 2px; --rollcall-font: Georgia, serif }
		online-users-panel { padding: 16px; border: 1px solid #e5dccb }`, func() string {
		return `<meta name="viewport" content="width=device-width"><script src="` + rollcall + `/online-users-panel.js" async></script><script src="` + rollcall + `/online-users-badge.js" async></script>
			<h1>Northwind intranet</h1><p>Before you restart anything: <online-users-badge theme="light" src="` + rollcall + `" token="` + token + `"></online-users-badge></p>
			<online-users-panel theme="light" src="` + rollcall + `" token="` + token + `"></online-users-panel>`
	})
	in := serve(t, "--allow-origin", host.URL)
	rollcall = in.url
	backend := in.backend(t, "shop", "sessions,admin")
	token = watcher(t, backend, "wanda", "Wanda Maximova")
	populate(t, in, backend, in.backend(t, "crm", "sessions"))
	b.open(host.URL)
	b.until(panel + `.querySelectorAll('[data-user-id]').length === 13`)
	b.until(follows("Live"))
	b.picture("embedded", 1000, 900)
	b.picture("embedded-phone", 390, 844)
	if _, err := backend.EndSession(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	b.until(panel + `.querySelector('[part=panel]').dataset.state === 'unauthenticated'`)
	b.picture("embedded-ended", 1000, 700)
}

// TestScreenshotsOfBanners shows what people are told in an application's page.
func TestScreenshotsOfBanners(t *testing.T) {
	if *pictures == "" {
		t.Skip("no -screenshots folder was given")
	}
	g := newGuest(t, "")
	g.announces(api.NoticeInput{Message: "The export is back. Thank you for waiting."})
	g.announces(api.NoticeInput{Message: "Card payments are down. Do not take orders by card.", Level: "critical"})
	if _, err := g.backend.BeginDrain(t.Context(), api.DrainInput{Message: "Moving to the new server, back at 18:30.", EndSessionsInMS: new(int64(600000))}); err != nil {
		t.Fatal(err)
	}
	g.beats(banners + `.querySelectorAll('p').length === 3`)
	g.picture("banners", 1280, 800)
	g.picture("banners-phone", 390, 844)
}

// agents are browsers, and what is none.
var agents = []string{
	"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (compatible; Linkcheck/3.1; +https://links.example/bot)",
	"python-requests/2.32",
}

// populate logs in people who have been there for various times.
func populate(t *testing.T, in instance, shop, crm *client.Client) {
	t.Helper()
	for i, p := range []struct {
		name, organization, team, role, page string
		started, active                      time.Duration
		idle                                 bool
	}{
		{"Amara Okafor", "Northwind", "Support", "agent", "/tickets/4711", 3*time.Hour + 12*time.Minute, 0, false},
		{"Jonas Lindqvist", "Northwind", "Support", "lead", "/tickets", 47 * time.Minute, 0, false},
		{"Mei-Ling Chen", "Contoso", "Finance", "approver", "/invoices/2026-118", 2*time.Hour + 5*time.Minute, 20 * time.Second, false},
		{"Diego Fernández", "Contoso", "Finance", "clerk", "/invoices", 6*time.Hour + 40*time.Minute, 50 * time.Second, true},
		{"Priya Raman", "Fabrikam", "Operations", "planner", "/plan/week/48", 19 * time.Minute, 5 * time.Second, false},
		{"Tomasz Zieliński", "Fabrikam", "Operations", "planner", "/plan/week/48", 1*time.Hour + 31*time.Minute, 35 * time.Second, false},
		{"Sara Haddad", "Northwind", "Sales", "manager", "/orders/90210", 4*time.Hour + 2*time.Minute, 90 * time.Second, true},
		{"Noah van Dijk", "Contoso", "Legal", "counsel", "/contracts", 26 * time.Minute, 65 * time.Second, false},
		{"Yuki Tanaka", "Fabrikam", "Quality", "auditor", "/reports/q3", 9 * time.Minute, 10 * time.Second, false},
		{"Elif Yıldız", "Northwind", "Support", "agent", "/tickets/4698", 5*time.Hour + 18*time.Minute, 110 * time.Second, true},
		{"Lucas Moreau", "Contoso", "Finance", "clerk", "/invoices/2026-121", 58 * time.Minute, 15 * time.Second, false},
		{"Hannah Weiss", "Fabrikam", "Logistics", "dispatcher", "/routes/today", 2*time.Hour + 44*time.Minute, 40 * time.Second, false},
	} {
		backend := shop
		if p.organization == "Contoso" {
			backend = crm
		}
		id := fmt.Sprint("u", i+1)
		first, _, _ := strings.Cut(strings.ToLower(p.name), " ")
		session, err := backend.Login(t.Context(), api.LoginReport{
			User: api.UserInput{ID: id, Name: &p.name, Organization: &p.organization, Team: &p.team, Role: &p.role,
				Email: text(first + "@" + strings.ToLower(p.organization) + ".example")},
			IPAddress: fmt.Sprintf("192.0.2.%d", 17*(i+1)), UserAgent: agents[i%len(agents)],
		})
		if err != nil {
			t.Fatal(err)
		}
		idle := int64(0)
		if p.idle {
			idle = (12 * time.Minute).Milliseconds()
		}
		if _, err := backend.Heartbeat(t.Context(), session.Session.Token, api.Heartbeat{IdleMS: idle, Page: &p.page}); err != nil {
			t.Fatal(err)
		}
		in.backdate(t, id, p.started, p.active)
	}
}

// picture keeps what the page looks like, light and dark.
func (b *tab) picture(name string, width, height int64) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.run("choosing the looks", chromedp.EmulateViewport(width, height, chromedp.EmulateScale(2)), prefer(scheme))
		png := value(b, "taking a picture", chromedp.CaptureScreenshot())
		if err := os.WriteFile(filepath.Join(*pictures, name+"-"+scheme+".png"), png, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
}

// prefer makes the browser ask for light or dark pages.
func prefer(scheme string) chromedp.Action[chromedp.Void] {
	return command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}
