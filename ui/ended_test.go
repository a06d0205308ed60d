package ui_test

import (
	"os"
	"testing"
	"time"

	"rollcall/server/api"
	"rollcall/server/client"
)

// counting is a page that keeps how often it was told that the session ended.
const counting = `<!doctype html><script>
	window.ended = [];
	addEventListener('rollcall:ended', (event) => ended.push(event.detail.reason));
</script>`

// stillThere waits until the gate names exactly these as asked to leave and still there.
func (s *stage) stillThere(w *watch, users ...string) {
	s.t.Helper()
	w.until("is still there or not for the gate", func(sample) bool {
		gate, err := s.backend.Gate(s.t.Context(), client.GateQuestion{})
		if err != nil || len(gate.StillThere) != len(users) {
			return false
		}
		for i, one := range gate.StillThere {
			if one.ID != users[i] {
				return false
			}
		}
		return true
	})
}

// revoked opens a page, and then ends its session.
func revoked(t *testing.T, page string) (s *stage, ada *watch, b, tab *tab) {
	t.Helper()
	s = newStage(t, page, "--heartbeat", "1s", "--online-window", "20s", "--leave-grace", "1s")
	b = browser(t)
	session := s.signIn(b, "ada")
	ada = s.watch("ada")
	tab = b.beside()
	tab.open(s.host + "/page")
	ada.until("is online", sample.online)
	if err := s.backend.Revoke(t.Context(), session.ID); err != nil {
		t.Fatal(err)
	}
	tab.until(`window.ended.join() === 'revoked'`)
	return s, ada, b, tab
}

func TestWhoWorksOnAfterTheEndIsToldToTheGate(t *testing.T) {
	t.Parallel()
	s, ada, b, tab := revoked(t, counting+scriptTag)
	s.stillThere(ada, "ada")
	tab.eval(`history.pushState(null, '', '/another')`) // which is no news any more
	from := time.Now()
	s.hears(ada, 3)
	if took := time.Since(from); took < 2*time.Second {
		t.Errorf("three heartbeats in %v, want one a second", took)
	}
	if got := tab.eval(`ended`); got != "revoked" {
		t.Errorf("told %q, want revoked, once", got)
	}
	t.Run("not while the page is hidden", func(t *testing.T) {
		b.show()
		tab.until(`document.hidden`)
		from := ada.lasts(time.Second).answered
		ada.lasts(3 * time.Second)
		if heard := s.wire.since(from, message.heartbeat); len(heard) > 0 {
			t.Errorf("%d heartbeats of a page that nobody looks at", len(heard))
		}
		tab.show()
		s.hears(ada, 1)
	})
	t.Run("until the page closes", func(t *testing.T) {
		s.closing(ada, tab)
		s.stillThere(ada)
	})
}

func TestAHostThatStopsEndsAllAfterTheEnd(t *testing.T) {
	t.Parallel()
	s, ada, _, tab := revoked(t, counting+scriptTag)
	tab.eval(`rollcall.stop()`)
	from := ada.lasts(time.Second).answered
	ada.lasts(3 * time.Second)
	if heard := s.wire.since(from, message.heartbeat); len(heard) > 0 {
		t.Errorf("%d heartbeats after stop()", len(heard))
	}
}

// TestATokenThatNobodyKnowsYet has the report of a login come late.
func TestATokenThatNobodyKnowsYet(t *testing.T) {
	t.Parallel()
	s := newStage(t, counting+scriptTag, "--heartbeat", "1s", "--online-window", "20s")
	b := browser(t)
	b.open(s.host + "/favicon.ico")
	b.eval(`localStorage.setItem('accessToken', 'a-token-of-the-application-itself')`)
	ada := s.watch("ada")
	from := time.Now()
	b.open(s.host + "/page")
	s.hears(ada, 2)
	ada.lasts(9 * time.Second)
	if asked := len(s.wire.since(from, message.heartbeat)); asked < 3 || asked > 5 {
		t.Errorf("%d heartbeats in 9 s, want ever fewer", asked)
	}
	if _, err := s.backend.Login(t.Context(), api.LoginReport{User: api.UserInput{ID: "ada"}, SessionToken: "a-token-of-the-application-itself"}); err != nil {
		t.Fatal(err)
	}
	s.in.backdate(t, "ada", time.Hour, 10*time.Minute)
	ada.until("is online", sample.online)
	s.hears(ada, 3)
	if got := b.eval(`ended`); got != "" {
		t.Errorf("told to have been signed out: %q", got)
	}
}

// TestASessionThatRanOutBeginsAnew has an application that reports it once more.
func TestASessionThatRanOutBeginsAnew(t *testing.T) {
	t.Parallel()
	s := newStage(t, counting+scriptTag, "--heartbeat", "1s", "--online-window", "20s")
	b := browser(t)
	session := s.signIn(b, "ada")
	ada := s.watch("ada")
	b.open(s.host + "/page")
	ada.until("is online", sample.online)
	s.in.backdate(t, "ada", 50*time.Hour, 49*time.Hour)
	b.until(`window.ended.join() === 'expired'`)
	again := api.LoginReport{User: api.UserInput{ID: "ada"}, SessionToken: session.Token}
	if _, err := s.backend.Login(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	ada.isOn("/page")
	if _, err := s.backend.PostNotice(t.Context(), api.NoticeInput{Message: "For all who are in"}); err != nil {
		t.Fatal(err)
	}
	b.until(says("For all who are in"))
}

// TestTheHandlerOfTheIntegratePage is the snippet in a page of an application.
func TestTheHandlerOfTheIntegratePage(t *testing.T) {
	t.Parallel()
	handler, err := os.ReadFile("static/pages/integrate/snippets/script/ended.js")
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, counting+"<script>"+string(handler)+"</script>"+scriptTag, "--heartbeat", "1s", "--online-window", "20s")
	b := browser(t)
	session := s.signIn(b, "ada")
	ada := s.watch("ada")
	b.open(s.host + "/page")
	ada.until("is online", sample.online)

	t.Run("leaves who is away for longer than a session lasts logged in", func(t *testing.T) {
		s.in.backdate(t, "ada", 50*time.Hour, 49*time.Hour)
		b.until(`window.ended.join() === 'expired'`)
		again := api.LoginReport{User: api.UserInput{ID: "ada"}, SessionToken: session.Token}
		if _, err := s.backend.Login(t.Context(), again); err != nil {
			t.Fatal(err)
		}
		ada.isOn("/page")
		if got := b.eval(`localStorage.accessToken`); got != session.Token {
			t.Errorf("the token is %q", got)
		}
	})
	t.Run("logs out whose session somebody ended", func(t *testing.T) {
		if _, err := s.backend.EndSession(t.Context(), session.Token); err != nil {
			t.Fatal(err)
		}
		b.until(`location.pathname + location.search === '/login?reason=logout' && !localStorage.accessToken`)
	})
}

// TestAPageThatOpensAfterTheEndBeatsAsOftenAsOthers has the server tell when the next heartbeat is wanted by a refusal only.
func TestAPageThatOpensAfterTheEndBeatsAsOftenAsOthers(t *testing.T) {
	t.Parallel()
	s := newStage(t, counting+scriptTag, "--heartbeat", "1s", "--online-window", "20s")
	b := browser(t)
	session := s.signIn(b, "ada")
	ada := s.watch("ada")
	if err := s.backend.Revoke(t.Context(), session.ID); err != nil {
		t.Fatal(err)
	}
	one, two := b.another(), b.another()
	one.open(s.host + "/one")
	s.stillThere(ada, "ada")
	two.open(s.host + "/two")
	two.until(`window.ended.join() === 'revoked'`)
	s.hears(ada, 5)
	one.close()
	s.hears(ada, 5)
	s.stillThere(ada, "ada")
}
