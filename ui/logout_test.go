package ui_test

import (
	"strings"
	"testing"
	"time"
)

// TestATokenThatVanishesSaysGoodbye has the application's pages forget it, in two tabs, without a word to Rollcall.
func TestATokenThatVanishesSaysGoodbye(t *testing.T) {
	t.Parallel()
	s := newStage(t, scriptTag, "--heartbeat", "3s", "--online-window", "1m", "--leave-grace", "5s")
	b := browser(t)
	s.signIn(b, "ada")
	ada := s.watch("ada")
	one, two := b.another(), b.another()
	for _, tab := range []*tab{one, two} {
		tab.open(s.host)
		tab.until(beats + ` > 0`)
	}
	ada.until("is online", sample.online)
	from := time.Now()
	one.eval(`localStorage.removeItem('accessToken')`)
	ada.until("is offline", sample.offline)
	byes := s.wire.since(from, message.goodbye)
	if len(byes) == 0 {
		t.Fatal("nobody said goodbye")
	}
	for _, m := range s.wire.since(byes[0].answered, message.heartbeat) {
		t.Errorf("a heartbeat after the logout:\n%s", m.text)
	}
}

func TestATokenWithinJSONInStorage(t *testing.T) {
	t.Parallel()
	s := newStage(t, strings.Replace(scriptTag, "localStorage:accessToken", "localStorage:sb-auth-token#session.access_token", 1))
	b := browser(t)
	session := s.signIn(b, "ada")
	ada := s.watch("ada")
	b.open(s.host)
	for _, notYet := range []string{`not JSON`, `null`, `{"session": null}`, `{"session": {"access_token": ""}}`} {
		b.eval("localStorage.setItem('sb-auth-token', `" + notYet + "`)")
		ada.lasts(1500 * time.Millisecond)
	}
	if asked := b.sent(); asked > 0 {
		t.Errorf("%d heartbeats without a token", asked)
	}
	b.eval("localStorage.setItem('sb-auth-token', `" + `{"user": {}, "session": {"access_token": "` + session.Token + `"}}` + "`)")
	ada.until("is online", sample.online)
}
