package ui_test

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"rollcall/server/api"
	"rollcall/store/presence"
)

// lives are what is played in each application. Ada is its user 1, Bob, an admin, its user 2.
var lives = []struct {
	fact     string
	settings []string // of Rollcall
	play     func(*life)
	only     func(framework) bool // for which it is played; nil: all
}{
	{fact: "a login, a second tab, a logout and a login again", play: (*life).aDay},
	{fact: "the address behind a proxy is the visitor's, and nobody can forge one", play: (*life).addresses},
	{fact: "who was logged in before Rollcall was added is online with the next page", play: (*life).rolloutDay},
	{fact: "a login while Rollcall is broken takes a second more at most", play: (*life).brokenAtLogin},
	{fact: "whoever was away for longer than a session lasts is online again", play: (*life).absence},
	{fact: "who is remembered is online, and signed out for good by a revocation", play: (*life).remembered},
	{fact: "a revocation signs out with one load", play: (*life).revocation},
	{fact: "a drain keeps out who is not in, and says why", play: (*life).drain},
	{fact: "the limit keeps out who has as many sessions as may be", settings: []string{"--session-limit", "1", "--session-limit-policy", "deny"}, play: (*life).limit},
	{fact: "the session that makes room for another is signed out", settings: []string{"--session-limit", "1"}, play: (*life).eviction},
	{fact: "a late answer with a token undoes no login and no logout", play: (*life).lateAnswers},
	{fact: "a restart and the loss of the database leave everybody online", play: (*life).restart},
	{fact: "a new name, a deactivation and a deletion are told", play: (*life).changes},
	{fact: "a change of the password signs out all other browsers", play: (*life).password},
	{fact: "a person who changes without a load is noticed (htmx)", play: (*life).htmx, only: loadsPages},
	{fact: "a person who changes without a load is noticed (Turbo)", play: (*life).turbo, only: loadsPages},
	{fact: "a person who changes without a load is noticed (the framework's own router)", play: (*life).router, only: movesItself},
}

func loadsPages(f framework) bool  { return !f.movesItself }
func movesItself(f framework) bool { return f.movesItself }

// here tells that a page of the person has been heard of: a login alone counts for two heartbeats.
func here(s sample) bool { return s.online() && s.Page != "" }

func (l *life) aDay() {
	ada, one := l.watch("1"), l.device()
	l.login(one, "ada", false)
	in := ada.until("is online", here)
	if p := in.Person; p.Name != "Ada Lovelace" || p.Email != "ada@example.org" || p.OrganizationName != "Acme" || p.TeamName != "Engines" || p.Role != "editor" {
		l.t.Errorf("the list says %+v", p)
	}
	two := one.another()
	two.open(l.host + "/next")
	ada.isOn("/next")
	ada.always("online", in.asked, ada.lasts(2*time.Second).asked, sample.online)
	l.only("1")
	two.stop()
	l.fillIn(one, "logout", "")
	l.isOut(one)
	ada.until("is offline", sample.offline)
	if ended := l.only("1"); ended.EndReason == nil || *ended.EndReason != presence.EndLogout {
		l.t.Errorf("it ended by %v", ended.EndReason)
	}
	l.login(one, "ada", false)
	again := ada.until("is online again", here)
	ada.always("online", again.asked, ada.lasts(2*time.Second).asked, sample.online)
	if got := one.eval(`document.querySelector('#who').textContent`); got != "Ada Lovelace" {
		l.t.Errorf("%q is logged in", got)
	}
	res, err := http.Post(l.host+"/rollcall/token", "text/plain", nil)
	if err != nil {
		l.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		l.t.Error("a form of another site gets", res.Status)
	}
}

func (l *life) addresses() {
	ada := l.watch("1")
	l.login(l.device(), "ada", false)
	ada.until("is online", here)
	if got := l.only("1").IPAddress; got != clientAddress {
		l.t.Errorf("behind the proxy the address is %s, want %s", got, clientAddress)
	}
	if l.h.unawareOfPeers {
		return
	}
	l.host = l.h.stranger.url
	bob := l.watch("2")
	l.login(l.device(), "bob", false)
	bob.until("is online", here)
	if got := l.only("2").IPAddress; got != strangerAddress {
		l.t.Errorf("behind a proxy that is not trusted the address is %s, want %s", got, strangerAddress)
	}
}

func (l *life) rolloutDay() {
	l.h.rollcall.becomes(http.HandlerFunc(refuse))
	b := l.device()
	l.login(b, "ada", false)
	b.open(l.host + "/before") // which leaves nothing of ours in the session
	l.rollcallIsBack()
	ada := l.watch("1")
	b.open(l.host + "/next")
	ada.until("is online", here)
	b.open(l.host + "/")
	ada.lasts(time.Second)
	l.only("1")
	l.fillIn(b, "logout", "")
	ada.until("is offline", sample.offline)
	l.login(b, "ada", false)
	ada.until("is online again", here)
}

// A login, a page and a logout, however Rollcall answers.
func (l *life) brokenAtLogin() {
	b := l.device()
	usual := l.timeOfLogin(b)
	before := l.h.output.len()
	for _, how := range slices.Sorted(maps.Keys(broken)) {
		l.h.rollcall.becomes(toBackends(broken[how]))
		l.fillIn(b, "logout", "")
		l.isOut(b)
		if took := l.timeOfLogin(b); took > usual+2500*time.Millisecond {
			l.t.Errorf("a login took %v where Rollcall %s, else %v", took, how, usual)
		}
		if got := b.askForToken(); got != "503" {
			l.t.Errorf("where Rollcall %s, the route answers %s", how, got)
		}
	}
	if n := l.h.output.lines(before, "Rollcall"); n == 0 || n > 1 && !l.h.forgetful {
		l.t.Errorf("%d lines in the log say that Rollcall is broken", n)
	}
	l.rollcallIsBack()
	ada := l.watch("1")
	b.open(l.host + "/")
	ada.until("is online", here)
}

// timeOfLogin logs Ada in, and returns how long the application took to answer.
func (l *life) timeOfLogin(b *tab) time.Duration {
	l.t.Helper()
	l.h.front.forget()
	l.login(b, "ada", false)
	logins := l.h.front.made(func(v visit) bool { return v.method == http.MethodPost && v.path == "/login" })
	if len(logins) != 1 {
		l.t.Fatalf("%d logins: %+v", len(logins), logins)
	}
	return logins[0].took
}

// askForToken asks the application as its pages do, and returns the status of the answer.
func (b *tab) askForToken() string {
	b.t.Helper()
	b.eval(`void (window.answered = 0, fetch('/rollcall/token', { method: 'POST', headers: { 'X-Rollcall': 'renew' } }).then((r) => { answered = r.status }))`)
	b.until(`answered`)
	return b.eval(`answered`)
}

func (l *life) absence() {
	ada, b := l.watch("1"), l.device()
	l.login(b, "ada", false)
	ada.until("is online", here)
	l.h.front.forget()
	l.in.backdate(l.t, "1", 50*time.Hour, 49*time.Hour)
	l.eventually("a token is asked for", func() bool { return len(l.h.front.made(ofTokens)) > 0 })
	back := ada.until("is online", here)
	ada.always("online", back.asked, ada.lasts(2*time.Second).asked, sample.online)
	if n := len(l.h.front.made(ofPages)); n > 0 {
		l.t.Errorf("%d pages were loaded", n)
	}
}

func (l *life) remembered() {
	ada, b := l.watch("1"), l.device()
	l.login(b, "ada", true)
	ada.until("is online", here)
	b.open(l.host + "/forget") // the application's session, as when its time is over
	l.in.backdate(l.t, "1", 50*time.Hour, 49*time.Hour)
	ada.until("is offline", sample.offline)
	b.open(l.host + "/")
	b.until(`document.querySelector('#logout')`)
	ada.until("is online", here)
	l.revokeAll("1")
	l.isOut(b)
	b.open(l.host + "/next")
	b.until(`document.querySelector('#who').textContent === ''`)
	ada.until("is offline", sample.offline)
}

func (l *life) revocation() {
	ada, b := l.watch("1"), l.device()
	l.login(b, "ada", false)
	ada.until("is online", here)
	l.h.front.forget()
	l.h.rollcall.forget()
	l.revokeAll("1")
	l.isOut(b)
	ada.lasts(3 * time.Second)
	if l.h.rollcall.questions("POST /admin/sessions/end") == 0 {
		l.t.Error("nobody has confirmed that they have left")
	}
	nobody := l.h.front.made(func(v visit) bool { return ofTokens(v) && v.status == http.StatusNoContent })
	if pages := l.h.front.made(ofPages); len(pages) != 1 || len(nobody) > 2 {
		l.t.Errorf("%d loads and %d questions: %+v", len(pages), len(nobody), nobody)
	}
	l.stillThere(ada) // nobody
	l.login(b, "ada", false)
	again := ada.until("is online again", here)
	ada.always("online", again.asked, ada.lasts(2*time.Second).asked, sample.online)
}

func (l *life) drain() {
	const words = `Moving to the <b>new</b> server & "back" at 6`
	begin := func() {
		if _, err := l.backend.BeginDrain(l.t.Context(), api.DrainInput{Message: words}); err != nil {
			l.t.Fatal(err)
		}
	}
	begin()
	ada, bob, b, admins := l.watch("1"), l.watch("2"), l.device(), l.device()
	l.tryLogin(b, "ada", false)
	b.until(`document.body.innerText.includes('` + words + `')`)
	if refused := l.h.front.made(func(v visit) bool { return v.status == http.StatusServiceUnavailable }); len(refused) != 1 || refused[0].path != "/login" {
		l.t.Errorf("refused by %+v", refused)
	}
	b.open(l.host + "/")
	l.isOut(b)
	l.login(admins, "bob", false)
	bob.until("is online", here)
	if all := l.sessions("1"); len(all) > 0 {
		l.t.Errorf("sessions of who was kept out: %+v", all)
	}
	if _, err := l.backend.EndDrain(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	l.login(b, "ada", false)
	in := ada.until("is online", here)
	begin()
	b.open(l.host + "/next")
	ada.isOn("/next")
	ada.always("online", in.asked, ada.lasts(time.Second).asked, sample.online)
}

func (l *life) limit() {
	ada, one, two := l.watch("1"), l.device(), l.device()
	l.login(one, "ada", false)
	in := ada.until("is online", here)
	l.tryLogin(two, "ada", false)
	two.until(`document.body.innerText.includes('Log out elsewhere first')`)
	if refused := l.h.front.made(func(v visit) bool { return v.status == http.StatusConflict }); len(refused) != 1 || refused[0].path != "/login" {
		l.t.Errorf("refused by %+v", refused)
	}
	ada.always("online", in.asked, ada.lasts(time.Second).asked, sample.online)
	l.only("1")
}

func (l *life) eviction() {
	ada, one, two := l.watch("1"), l.device(), l.device()
	l.login(one, "ada", false)
	ada.until("is online", here)
	l.login(two, "ada", false)
	l.isOut(one)
	in := ada.until("is online", here)
	ada.always("online", in.asked, ada.lasts(2*time.Second).asked, sample.online)
	two.until(`document.querySelector('#logout')`)
}

// Another tab asks for a token, and the answer comes after a login or logout in the first.
func (l *life) lateAnswers() {
	one := l.device()
	two := one.another()
	during := func(what func()) {
		two.open(l.host + "/next")
		two.until(`window.rollcall`)
		late := &lateness{make(chan struct{}, 100), make(chan struct{})}
		l.delayTokens(late)
		two.eval(`void (window.answered = 0, fetch('/rollcall/token', { method: 'POST', headers: { 'X-Rollcall': 'renew' } }).then((r) => { answered = r.status }))`)
		<-late.reached
		l.delayTokens(nil)
		what()
		close(late.over)
		two.until(`answered`)
		one.open(l.host + "/next")
	}
	during(func() { l.login(one, "ada", false) })
	one.until(`document.querySelector('#who').textContent === 'Ada Lovelace'`)
	one.open(l.host + "/")
	during(func() { l.fillIn(one, "logout", ""); l.isOut(one) })
	one.until(`document.querySelector('#who').textContent === ''`)
}

func (l *life) delayTokens(late *lateness) {
	l.h.front.mu.Lock()
	defer l.h.front.mu.Unlock()
	l.h.front.late = late
}

func (l *life) restart() {
	first, b := l.watch("1"), l.device()
	l.login(b, "ada", false)
	first.until("is online", here)
	l.h.front.forget()
	l.in.stop()
	l.in = l.in.again(l.t, l.settings...)
	second := l.watch("1")
	in := second.until("is online", here)
	second.always("online", in.asked, second.lasts(time.Second).asked, sample.online)
	l.only("1")
	l.in.stop()
	l.loseDatabase()
	l.in = l.in.again(l.t, l.settings...)
	third := l.watch("1")
	third.until("is online", here)
	l.only("1")
	if n := len(l.h.front.made(ofPages)); n > 0 {
		l.t.Errorf("%d pages were loaded", n)
	}
}

func (l *life) changes() {
	ada, bob, one, two := l.watch("1"), l.watch("2"), l.device(), l.device()
	l.login(one, "ada", false)
	l.login(two, "bob", false)
	bob.until("is online", here)
	l.h.rollcall.forget()
	l.fillIn(one, "rename", "Ada King")
	ada.until("has the new name", func(s sample) bool { return s.online() && s.Name == "Ada King" })
	if n := l.h.rollcall.questions("PUT /admin/users/1"); n != 1 {
		l.t.Errorf("told of a new name %d times", n)
	}
	one.until(`document.querySelector('#who').textContent === 'Ada King'`)
	l.fillIn(one, "deactivate", "2")
	l.isOut(two)
	bob.until("is offline", sample.offline)
	if ended := l.only("2"); ended.EndReason == nil || *ended.EndReason != presence.EndRevoked {
		l.t.Errorf("it ended by %v", ended.EndReason)
	}
	one.until(`document.querySelector('#delete')`)
	l.fillIn(one, "delete", "")
	l.isOut(one)
	ada.until("is offline", sample.offline)
	if all := l.sessions("1"); len(all) > 0 {
		l.t.Errorf("sessions of who was deleted: %+v", all)
	}
}

func (l *life) password() {
	ada, one, two := l.watch("1"), l.device(), l.device()
	l.login(one, "ada", false)
	in := ada.until("is online", here)
	l.login(two, "ada", false)
	l.eventually("both are known", func() bool { return len(l.sessions("1")) == 2 })
	l.fillIn(one, "password", "another")
	l.isOut(two)
	until := ada.lasts(2 * time.Second)
	one.until(`document.querySelector('#logout')`)
	ada.always("online", in.asked, until.asked, sample.online)
	var changed, active int
	for _, session := range l.sessions("1") {
		switch {
		case session.EndedAt == nil:
			active++
		case *session.EndReason == presence.EndPasswordChanged:
			changed++
		}
	}
	if active != 1 || changed != 1 {
		l.t.Errorf("%d sessions go on and %d have ended by the password: %+v", active, changed, l.sessions("1"))
	}
}

func (l *life) htmx() {
	l.withoutLoads(`<meta name="htmx-config" content='{"includeIndicatorStyles": false}'><script src="/assets/htmx.js"></script>`, `hx-boost="true"`, "")
}

func (l *life) turbo() {
	l.withoutLoads(`<script src="/assets/turbo.js"></script>`, "", "; style-src 'unsafe-inline'")
}

// withoutLoads changes the person in a page that stays.
func (l *life) withoutLoads(head, body, policy string) {
	l.allow(l.policy("'self' ")+policy, head, body)
	ada, bob, b := l.watch("1"), l.watch("2"), l.device()
	b.until(`window.htmx || window.Turbo`)
	b.eval(`void (window.stays = true, ['htmx:afterSettle', 'turbo:load'].forEach((type) => document.addEventListener(type, () => { window.settled = true })))`)
	l.login(b, "ada", false)
	ada.until("is online", here)
	b.click(`#next`)
	ada.isOn("/next")
	b.eval(`void (window.settled = false)`)
	b.click(`#back`)
	b.until(`settled && document.querySelector('#logout')`) // else the browser sends the form by itself
	if got := b.eval(`window.stays`); got != "true" {
		l.t.Error("the page was loaded anew")
	}
	l.fillIn(b, "logout", "")
	l.isOut(b)
	ada.until("is offline", sample.offline)
	if got := b.eval(`window.stays`); got != "true" {
		l.t.Error("the page was loaded anew after the logout")
	}
	l.login(b, "bob", false)
	bob.until("is online", here)
}

func (l *life) router() {
	ada, b := l.watch("1"), l.device()
	b.eval(`void (window.stays = true)`)
	b.click(`#quick-login`)
	b.until(`document.querySelector('#who').textContent === 'Ada Lovelace'`)
	ada.isOn("/next")
	b.click(`#back`)
	b.click(`#quick-logout`)
	b.until(`document.querySelector('#back') && document.querySelector('#who').textContent === ''`)
	ada.until("is offline", sample.offline)
	if got := b.eval(`window.stays`); got != "true" {
		l.t.Error("the page was loaded anew")
	}
}

func (l *life) ownTests() {
	l.h.rollcall.forget()
	run(l.t, l.h.folder, l.h.environment, l.h.test)
	if n := l.h.rollcall.questions(""); n > 0 {
		l.t.Errorf("Rollcall was asked %d times", n)
	}
}
