package ui_test

import (
	"strings"
	"testing"
)

// asOf2021 takes from a page what browsers of that time did not have.
const asOf2021 = `<script>
	delete AbortSignal.timeout;
	delete AbortSignal.any;
	delete Map.groupBy;
	delete Object.groupBy;
	delete navigator.__proto__.sendBeacon;
</script>`

func TestHeartbeatsOfAnOlderBrowser(t *testing.T) {
	t.Parallel()
	s := newStage(t, asOf2021+scriptTag)
	b := browser(t)
	s.signIn(b, "ada")
	ada := s.watch("ada")
	tab := b.another()
	tab.open(s.host)
	ada.until("is online", sample.online)
	tab.eval(`void rollcall.setStatus('busy', 'Recording', { minutes: 0.1 * 3 })`)
	ada.until("is busy", func(s sample) bool { return s.online() && s.Status == "busy" })
	s.closing(ada, tab)
}

func TestThePanelInAnOlderBrowser(t *testing.T) {
	t.Parallel()
	var rollcall, token string
	host := hostPage(t, func() string {
		return asOf2021 + strings.ReplaceAll(`<script src="URL/online-users-panel.js" async></script>
			<online-users-panel src="URL" token="`, "URL", rollcall) + token + `"></online-users-panel>`
	})
	in := serve(t, "--allow-origin", host.URL)
	rollcall = in.url
	backend := in.backend(t, "shop", "sessions,admin")
	token = watcher(t, backend, "ada", "Ada")
	login(t, backend, "bob", "Bob")
	b := browser(t)
	b.open(host.URL)
	b.until(listed("Ada", "Bob"))
	b.eval(`(select => { select.value = 'team_name'; select.dispatchEvent(new Event('change')) })(` + panel + `.querySelector('.order select:last-child'))`)
	b.until(panel + `.querySelectorAll('[part=group]').length === 2`)
}

// TestPagesByTheirNames shows what people read, and keeps two long names apart.
func TestPagesByTheirNames(t *testing.T) {
	t.Parallel()
	s := newStage(t, strings.Replace(scriptTag, " async", ` async data-page="hash"`, 1), "--heartbeat", "1s", "--online-window", "20s")
	b := browser(t)
	s.signIn(b, "ada")
	ada := s.watch("ada")
	b.open(s.host + "/проекты/отчёт")
	ada.isOn("/проекты/отчёт")
	b.open(s.host + "/" + strings.Repeat("а", 150) + "/один")
	ada.isOn("/" + strings.Repeat("а", 150) + "/один")
	b.open(s.host + "/" + strings.Repeat("👩", 250))
	ada.isOn("/" + strings.Repeat("👩", 199))
	b.open(s.host + "/app?x#/orders/7?token=s3cret")
	ada.isOn("#/orders/7")
	b.eval(`void (location.hash = '#!/заказы')`)
	ada.isOn("#!/заказы")
	b.eval(`void (location.hash = '#access_token=s3cret')`)
	ada.isOn("/app")
	b.eval(`void rollcall.setPage('#/chosen?s3cret')`)
	ada.isOn("#/chosen")
	b.eval(`void rollcall.setPage(7)`)
	ada.isOn("7")
	b.eval(`void rollcall.setPage(new URL('/given?s3cret', location))`)
	ada.isOn("/given")
}
