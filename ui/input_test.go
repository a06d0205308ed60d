package ui_test

import (
	"strings"
	"testing"
	"time"
)

// TestIdle has two tabs of a browser. The first one sends the heartbeats of both
// and was last used when it was opened; all input is in the second.
func TestIdle(t *testing.T) {
	t.Parallel()
	const (
		heartbeat = 3 * time.Second
		idleAfter = 6 * time.Second
	)
	s := newStage(t, scriptTag, "--heartbeat", heartbeat.String(), "--online-window", "20s", "--idle-after", idleAfter.String())
	b := browser(t)
	s.signIn(b, "ada")
	ada := s.watch("ada")
	first, used := b.another(), b.another()
	first.open(s.host)
	arrived := ada.until("is online", sample.online)
	used.open(s.host)
	used.until(beats + ` > 0`)
	is := func(status string) func(sample) bool {
		return func(s sample) bool { return s.online() && string(s.Status) == status }
	}

	var input time.Time // the latest, of all tabs
	t.Run("input in one tab keeps the person available", func(t *testing.T) {
		before := first.sent()
		for end := time.Now().Add(idleAfter + heartbeat); time.Now().Before(end); {
			input = time.Now()
			used.touch()
			ada.lasts(200 * time.Millisecond)
		}
		ada.always("available", arrived.asked, time.Now(), is("available"))
		if first.sent()-before < 2 {
			t.Error("the tab without input did not send the heartbeats, so this shows nothing")
		}
	})
	var away sample
	t.Run("without input the person is away", func(t *testing.T) {
		away = ada.until("is away", is("away"))
		// The first tab may have heard of the last input one heartbeat ago.
		if after := away.answered.Sub(input); after < idleAfter-heartbeat {
			t.Errorf("away %v after the last input", after)
		}
		if !away.Sessions[0].ExpiresAt.After(arrived.Sessions[0].ExpiresAt.Time) {
			t.Error("the heartbeats of an active person did not extend the session")
		}
	})
	var last message
	t.Run("heartbeats without input do not extend the session", func(t *testing.T) {
		heard := s.hears(ada, 2)
		last = heard[len(heard)-1]
		still := ada.until("is away", is("away")).Sessions[0]
		if before := away.Sessions[0]; !still.LastActivityAt.After(before.LastActivityAt.Time) || !still.ExpiresAt.Equal(before.ExpiresAt.Time) {
			t.Errorf("the session was %+v and is %+v", before, still)
		}
	})
	t.Run("input brings the person back before the next heartbeat is due", func(t *testing.T) {
		used.touch()
		back := ada.until("is available", is("available"))
		if late := back.answered.Sub(last.arrived); late > heartbeat*9/10 {
			t.Errorf("available %v after a heartbeat", late)
		}
	})
}

// TestWhatStaysInTheBrowser opens pages whose query and fragment are secret, of
// an application that sends its whole addresses everywhere.
func TestWhatStaysInTheBrowser(t *testing.T) {
	t.Parallel()
	const secrets = "?key=seCret#seCret"
	page := func(attributes string) string {
		return `<meta name="referrer" content="unsafe-url">` + strings.Replace(scriptTag, " async", ` referrerpolicy="origin" async `+attributes, 1)
	}
	s := newStage(t, page(""), "--heartbeat", "1s", "--online-window", "20s", "--leave-grace", "1s")
	b := browser(t)
	s.signIn(b, "ada")
	ada := s.watch("ada")
	tab := b.another()
	tab.open(s.host + "/orders/7" + secrets)
	ada.isOn("/orders/7")
	tab.eval(`history.pushState(null, '', '/orders/8` + secrets + `')`)
	ada.isOn("/orders/8")
	tab.eval(`void rollcall.setPage('/chosen` + secrets + `')`)
	ada.isOn("/chosen")
	s.page = page(`data-page="/board` + secrets + `"`)
	tab.open(s.host + "/orders/9" + secrets)
	ada.isOn("/board")
	s.closing(ada, tab)

	said := s.wire.since(time.Time{}, func(message) bool { return true })
	for _, m := range said {
		if strings.Contains(m.text, "seCret") {
			t.Errorf("this left the browser:\n%s", m.text)
		}
	}
	if byes := s.wire.since(time.Time{}, message.goodbye); len(byes) != 2 || len(said) < 8 {
		t.Errorf("only %d messages with %d goodbyes were looked at", len(said), len(byes))
	}
}
