package ui_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"rollcall/server/client"
	"rollcall/store"
	"rollcall/store/presence"
)

// renewal is an application whose pages ask it for their token, and a page of it in which nobody is logged in.
func renewal(t *testing.T, page string) (a *application, ada *watch, tab *tab) {
	t.Helper()
	a = newApplication(t, page, "--heartbeat", "1s", "--online-window", "20s", "--leave-grace", "6s") // longer than a page takes to load
	b := browser(t)
	ada = a.watch("ada")
	tab = b.another()
	tab.open(a.host + "/page")
	tab.until(`window.rollcall`)
	return a, ada, tab
}

// asks waits until the application was asked for a token so often since.
func (a *application) asks(w *watch, since, more int) {
	a.t.Helper()
	w.until("has asked for a token", func(sample) bool { asked, _ := a.count(); return asked >= since+more })
}

func TestWhoIsLoggedInWithoutAReportIsOnlineByTheRoute(t *testing.T) {
	t.Parallel()
	a, ada, one := renewal(t, renewing)
	a.asks(ada, 0, 1)
	one.open(a.host + "/login?user=ada")
	in := ada.until("is online", sample.online)
	asked, _ := a.count()
	if asked > 2 {
		t.Errorf("asked %d times by two pages", asked)
	}
	two := one.another()
	two.open(a.host + "/two")
	a.asks(ada, asked, 1)
	until := ada.lasts(6 * time.Second)
	ada.always("online", in.asked, until.asked, sample.online)
	if asked, _ := a.count(); asked > 3 {
		t.Errorf("asked %d times by three pages", asked)
	}
	if got := two.sent(); got > 3 {
		t.Errorf("the second tab sent %d heartbeats beside the first one's", got)
	}
	a.mu.Lock()
	clear(a.sessions) // a logout that nobody reports
	a.mu.Unlock()
	two.open(a.host + "/three")
	ada.until("is offline", sample.offline)
	if got := one.eval(`ended`); got != "" {
		t.Errorf("told of %q, which is only for who was signed out elsewhere", got)
	}
}

func TestALoginAndALogoutInASinglePage(t *testing.T) {
	t.Parallel()
	a, ada, tab := renewal(t, renewing)
	a.asks(ada, 0, 1)
	tab.eval(`void fetch('/login?user=ada').then(() => history.pushState(null, '', '/orders'))`)
	ada.isOn("/orders")
	asked, _ := a.count()
	tab.eval(`void (window.moving = setInterval(() => history.replaceState(null, '', '/orders/' + Date.now()), 100))`)
	ada.lasts(12 * time.Second)
	if more, _ := a.count(); more-asked < 1 || more-asked > 3 {
		t.Errorf("asked %d times in 12 s of moving about", more-asked)
	}
	tab.eval(`void (clearInterval(moving), fetch('/logout').then(() => rollcall.renew()))`)
	ada.until("is offline", sample.offline)
	tab.eval(`void fetch('/login?user=ada').then(() => rollcall.renew())`)
	ada.until("is online", sample.online)
	if got := tab.eval(`ended`); got != "" && got != "logout" {
		t.Errorf("told of %q", got)
	}
}

// nobodyAgain has nobody found logged in so often that the next question is far away.
func (a *application) nobodyAgain(ada *watch, tab *tab) {
	a.t.Helper()
	for range 4 {
		asked, _ := a.count()
		tab.eval(`void rollcall.renew()`)
		a.asks(ada, asked, 1)
	}
}

func TestALoginDuringAnAnswerIsNotMissed(t *testing.T) {
	t.Parallel()
	for how, script := range map[string]string{
		"by a navigation":      `history.pushState(null, '', '/orders')`,
		"with a word about it": `rollcall.renew()`,
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			a, ada, tab := renewal(t, renewing)
			a.asks(ada, 0, 1)
			a.nobodyAgain(ada, tab)
			tab.eval(`void (window.real = fetch, window.fetch = async (...all) => {
				window.fetch = real;
				const answer = await real(...all);
				await new Promise((go) => { window.release = go });
				return answer;
			}, rollcall.renew())`)
			tab.until(`window.release`)
			tab.eval(`void real('/login?user=ada').then(() => { ` + script + `; setTimeout(release, 1500) })`)
			ada.until("is online", sample.online)
		})
	}
}

func TestALoginByAFormInAPageWhoseAddressStays(t *testing.T) {
	t.Parallel()
	a, ada, tab := renewal(t, renewing+`<form><button>Log in</button></form><script>
		document.querySelector('form').addEventListener('submit', (event) => (event.preventDefault(), fetch('/login?user=ada')));
	</script>`)
	a.asks(ada, 0, 1)
	a.nobodyAgain(ada, tab)
	tab.click(`button`)
	ada.until("is online", sample.online)
}

func TestALoginWhileRollcallIsDown(t *testing.T) {
	t.Parallel()
	a, ada, tab := renewal(t, renewing)
	a.asks(ada, 0, 1)
	tab.open(a.host + "/page")
	tab.until(`window.rollcall`)
	a.asks(ada, 1, 1)
	a.in.stop()
	tab.eval(`void fetch('/login?user=ada').then(() => rollcall.renew())`)
	for asked, _ := a.count(); asked < 4; asked, _ = a.count() {
		time.Sleep(20 * time.Millisecond)
	}
	a.in.again(t, "--heartbeat", "1s", "--online-window", "20s", "--allow-origin", a.host)
	again := a.watch("ada")
	again.until("is online", sample.online)
	tab.open("about:blank") // before Rollcall, and with it what lets in pages of this origin, is gone
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.problems = nil // of answers of the proxy
}

func TestAbsenceBeyondTheTimeOfTheSession(t *testing.T) {
	t.Parallel()
	a, ada, tab := loggedIn(t, renewing)
	a.in.backdate(t, "ada", 50*time.Hour, 49*time.Hour)
	asked, _ := a.count()
	a.asks(ada, asked, 1)
	back := ada.until("is online", sample.online)
	ada.always("online", back.asked, ada.lasts(3*time.Second).asked, sample.online)
	if more, _ := a.count(); more != asked+1 {
		t.Errorf("asked %d times", more-asked)
	}
	if got := tab.eval(`ended`); got != "" {
		t.Errorf("told to have been signed out: %q", got)
	}
}

func TestATokenThatRotatesWithEachAnswerSignsNobodyOut(t *testing.T) {
	t.Parallel()
	a, ada, one := renewal(t, renewing)
	a.mu.Lock()
	a.rotates = true
	a.mu.Unlock()
	one.open(a.host + "/login?user=ada")
	in := ada.until("is online", sample.online)
	two := one.another()
	for range 6 {
		two.open(a.host + "/two")
		two.until(`window.rollcall`)
		ada.lasts(time.Second)
		two.eval(`void rollcall.renew()`)
		ada.lasts(time.Second)
	}
	ada.always("online", in.asked, time.Now(), sample.online)
	for _, tab := range []*tab{one, two} {
		if got := tab.eval(`ended`); got != "" {
			t.Errorf("told to have been signed out: %q", got)
		}
	}
	if _, loads := a.count(); loads > 8 {
		t.Errorf("%d pages were loaded, 8 were opened", loads)
	}
}

// loggedIn is an application with ada logged in, in a page that has been heard.
func loggedIn(t *testing.T, page string) (a *application, ada *watch, tab *tab) {
	t.Helper()
	a, ada, tab = renewal(t, page)
	a.asks(ada, 0, 1) // by the first page, which else might ask for her, too
	tab.open(a.host + "/login?user=ada")
	tab.until(`rollcall.state === 'ok'`)
	return a, ada, tab
}

// revoke ends ada's session.
func (a *application) revoke() {
	a.t.Helper()
	all, err := a.backend.Sessions(a.t.Context(), client.SessionFilter{User: "ada", State: "active"})
	if err != nil || len(all.Sessions) != 1 {
		a.t.Fatal(all, err)
	}
	if err := a.backend.Revoke(a.t.Context(), all.Sessions[0].ID); err != nil {
		a.t.Fatal(err)
	}
}

func TestARevocationLoadsThePageAnewOnce(t *testing.T) {
	t.Parallel()
	a, ada, tab := loggedIn(t, renewing)
	asked, loads := a.count()
	a.revoke()
	ada.until("has a page that was loaded anew", func(sample) bool { _, now := a.count(); return now > loads })
	tab.until(`window.rollcall && window.ended.length === 0`)
	ada.lasts(5 * time.Second)
	if nowAsked, nowLoads := a.count(); nowLoads != loads+1 || nowAsked > asked+2 {
		t.Errorf("%d loads, and %d questions", nowLoads-loads, nowAsked-asked)
	}
	a.stillThere(ada)
}

func TestAPageThatSignsOutItselfIsNotLoadedAnew(t *testing.T) {
	t.Parallel()
	a, ada, tab := loggedIn(t, `<script>addEventListener('rollcall:ended', (event) => event.preventDefault())</script>`+renewing)
	asked, loads := a.count()
	a.revoke()
	a.asks(ada, asked, 1)
	tab.until(`window.ended.join() === 'revoked'`)
	ada.lasts(4 * time.Second)
	if _, now := a.count(); now != loads {
		t.Errorf("%d loads", now-loads)
	}
}

func TestAnApplicationThatKeepsWhoWasRevokedIsToldToTheGate(t *testing.T) {
	t.Parallel()
	a, ada, tab := loggedIn(t, renewing)
	a.mu.Lock()
	a.keeps = true
	a.mu.Unlock()
	asked, loads := a.count()
	a.revoke()
	a.stillThere(ada, "ada")
	a.asks(ada, asked, 1)
	a.hears(ada, 5)
	nowAsked, nowLoads := a.count()
	if nowAsked != asked+1 || nowLoads != loads {
		t.Errorf("%d questions and %d loads, want one and none", nowAsked-asked, nowLoads-loads)
	}
	if got := tab.eval(`ended`); got != "revoked" {
		t.Errorf("told %q, want revoked, once", got)
	}
	a.stillThere(ada, "ada")
}

func TestTabsThatOpenAtOnceAskForAll(t *testing.T) {
	t.Parallel()
	a, ada, tab := loggedIn(t, renewing)
	asked, _ := a.count()
	tab.eval(`void (() => { for (let i = 0; i < 6; i++) document.body.append(Object.assign(document.createElement('iframe'), { src: '/frame' + i })) })()`)
	tab.until(`Array.from(frames).filter((frame) => frame.rollcall).length === 6`)
	a.mu.Lock() // which holds the answers back
	ada.lasts(2 * time.Second)
	a.mu.Unlock()
	a.asks(ada, asked, 1)
	ada.lasts(3 * time.Second)
	if now, _ := a.count(); now-asked > 3 {
		t.Errorf("%d questions of 6 frames", now-asked)
	}
}

func TestAPageThatSaysWhoItIs(t *testing.T) {
	t.Parallel()
	a, ada, tab := renewal(t, counting+`<script>
		window.asked = 0;
		const identify = () => rollcall.identify(async () => { asked++; return localStorage.memory });
	</script><script src="%s/heartbeat.js" data-renew="" onload="identify()" async></script>`)
	tab.until(`asked === 1`)
	session := login(t, a.backend, "ada", "Ada")
	a.longAgo("ada")
	tab.eval(`void (localStorage.memory = '` + session.Token + `', history.pushState(null, '', '/orders'))`)
	ada.isOn("/orders")
	tab.eval(`void (localStorage.memory = '', identify())`)
	ada.until("is offline", sample.offline)
	if asked, _ := a.count(); asked != 0 {
		t.Errorf("a route was asked %d times", asked)
	}
}

func TestALogoutInAPageThatMovesByItselfDoesNotLoadItAnew(t *testing.T) {
	t.Parallel()
	const late = `window.real = fetch, window.fetch = (what, ...more) => (String(what).endsWith('/rollcall/token')
		? new Promise((go) => setTimeout(go, 2500)).then(() => real(what, ...more)) : real(what, ...more))`
	for how, test := range map[string]struct{ page, before, after string }{
		"and a heartbeat hears of it before the next question is answered": {renewing, late, `move()`},
		"and the live connection hears of it before the page has moved":    {strings.Replace(renewing, "async", "data-live async", 1), `null`, `setTimeout(move, 1000)`},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			a, ada, tab := loggedIn(t, test.page)
			_, loads := a.count()
			tab.eval(`void (` + test.before + `, window.move = () => {
				history.pushState(null, '', '/signed-out');
				document.dispatchEvent(new Event('turbo:load'));
			}, (window.real ?? fetch)('/logout', {redirect: 'manual'}).then(() => { ` + test.after + ` }))`)
			tab.until(`rollcall.state === 'signed-out'`)
			ada.lasts(5 * time.Second)
			if _, now := a.count(); now != loads {
				t.Errorf("%d loads", now-loads)
			}
			if got := tab.eval(`ended`); got != "logout" {
				t.Errorf("told of %q, so that it plays nothing of this", got)
			}
		})
	}
}

func TestALogoutOfWhichPagesKnowNothingLoadsEachAnewOnce(t *testing.T) {
	t.Parallel()
	a, ada, tab := loggedIn(t, renewing)
	other := tab.another()
	other.open(a.host + "/other")
	other.until(`rollcall.state === 'ok'`)
	_, loads := a.count()
	other.eval(`void fetch('/logout', {redirect: 'manual'})`)
	ada.until("has both pages loaded anew", func(sample) bool { _, now := a.count(); return now >= loads+2 })
	ada.lasts(5 * time.Second)
	if _, now := a.count(); now != loads+2 {
		t.Errorf("%d loads", now-loads)
	}
}

// unreported waits until the gate counts so many whose token nobody has reported.
func (a *application) unreported(w *watch, count int) {
	a.t.Helper()
	w.until("is as unidentified for the gate as it should be", func(sample) bool {
		gate, err := a.backend.Gate(a.t.Context(), client.GateQuestion{})
		found := 0
		for _, one := range gate.Unidentified {
			if one.Doubt == store.UnknownToken {
				found++
			}
		}
		return err == nil && found == count && (count == 0 || gate.Level == presence.GateCaution)
	})
}

func unavailable(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusServiceUnavailable)
}

func TestAPageThatIsToldNoTokenIsToldToTheGate(t *testing.T) {
	t.Parallel()
	recovers := make(chan struct{})
	for how, route := range map[string]http.HandlerFunc{
		"as its application can not reach Rollcall": unavailable,
		"as its application can not be reached":     func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"as its application takes too long": func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-recovers:
			case <-r.Context().Done():
			}
			unavailable(w, r)
		},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			a, ada, tab := renewal(t, telling+renewing)
			a.asks(ada, 0, 1)
			a.failing(route)
			tab.open(a.host + "/login?user=ada")
			a.unreported(ada, 1)
			tab.until(`states.at(-1) === 'unknown-token'`)
			two := tab.another()
			two.open(a.host + "/two")
			two.until(`states.at(-1) === 'unknown-token'`)
			a.unreported(ada, 1) // who works in one browser
			a.failing(nil)
			if strings.Contains(how, "long") {
				close(recovers)
			}
			ada.until("is online", sample.online)
			two.until(`rollcall.state === 'ok'`)
			tab.until(`rollcall.state === 'ok'`)
			if got := tab.eval(`states`) + two.eval(`states`); strings.Contains(got, "signed-out") {
				t.Errorf("told of %s", got)
			}
			a.unreported(ada, 0)
			two.leave()
			tab.leave()
		})
	}
}

func TestAPageThatHasAGoodTokenGoesOnWithItWhereTheRouteFails(t *testing.T) {
	t.Parallel()
	a, ada, tab := loggedIn(t, telling+renewing)
	a.unreported(ada, 0)
	a.failing(unavailable)
	asked, _ := a.count()
	tab.eval(`void rollcall.renew()`)
	a.asks(ada, asked, 2)
	a.unreported(ada, 0)
	if got := tab.eval(`states`); strings.Contains(got, "unknown-token") {
		t.Errorf("told of %s", got)
	}
	tab.leave()
}

func TestAPageThatCanNotSayWhoItIsIsToldToTheGate(t *testing.T) {
	t.Parallel()
	a, ada, tab := renewal(t, telling+counting+`<script>
		window.answer = () => { throw new Error('nobody knows') };
	</script><script src="%s/heartbeat.js" data-renew="" onload="rollcall.identify(async () => answer())" async></script>`)
	a.unreported(ada, 1)
	tab.eval(`void (window.answer = () => '', rollcall.renew())`)
	a.unreported(ada, 0)
	tab.until(`states.at(-1) === 'signed-out'`)
	tab.eval(`void (window.answer = () => { throw new Error('nobody knows') }, rollcall.renew())`)
	a.unreported(ada, 1)
	session := login(t, a.backend, "ada", "Ada")
	a.longAgo("ada")
	tab.eval(`void (window.answer = () => '` + session.Token + `', rollcall.renew())`)
	ada.until("is online", sample.online)
	a.unreported(ada, 0)
	tab.leave()
}
