package ui_test

import (
	"strings"
	"testing"
	"time"
)

// TestTheGoodbyeOfOneBrowserTakesNoOtherOneOut has one token in two browsers, and then in pages of another origin.
func TestTheGoodbyeOfOneBrowserTakesNoOtherOneOut(t *testing.T) {
	t.Parallel()
	const grace = 2 * time.Second
	s := newStage(t, scriptTag, "--heartbeat", "8s", "--online-window", "40s", "--leave-grace", grace.String())
	work, home := browser(t), browser(t)
	session := s.signIn(work, "ada")
	keep := `localStorage.setItem('accessToken', '` + session.Token + `')`
	home.open(s.host + "/favicon.ico")
	home.eval(keep)
	ada := s.watch("ada")
	desk, sofa := work.another(), home.another()
	desk.open(s.host + "/desk")
	desk.until(beats + ` > 0`)
	sofa.open(s.host + "/sofa")
	sofa.until(beats + ` > 0`)

	t.Run("of another browser", func(t *testing.T) {
		from := time.Now()
		s.closing(ada, sofa)
		ada.always("online", from, ada.lasts(grace+2*time.Second).asked, sample.online)
	})
	t.Run("of pages of another origin", func(t *testing.T) {
		other := work.another()
		other.open(s.other + "/favicon.ico")
		other.eval(keep)
		other.open(s.other + "/other")
		other.until(beats + ` > 0`)
		from := time.Now()
		s.closing(ada, other)
		ada.always("online", from, ada.lasts(grace+2*time.Second).asked, sample.online)
	})
	t.Run("and two tabs of one are one", func(t *testing.T) {
		second := desk.another()
		second.open(s.host + "/second")
		second.until(beats + ` > 0`)
		s.closing(ada, second)
		s.closing(ada, desk)
		ada.within(grace+8*time.Second, "is offline", sample.offline)
	})
}

// TestAPageThatMayKeepNothingIsHeard has a browser that keeps nothing for this origin.
func TestAPageThatMayKeepNothingIsHeard(t *testing.T) {
	t.Parallel()
	forbids := `<script>
		Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('not here', 'SecurityError') } });
	</script>`
	s := newStage(t, forbids+strings.Replace(scriptTag, `data-token-from="localStorage:accessToken"`, `data-token-from="cookie:token"`, 1), "--leave-grace", "1s")
	b := browser(t)
	session := s.signIn(b, "ada")
	ada := s.watch("ada")
	tab := b.another()
	tab.open(s.host + "/favicon.ico")
	tab.eval(`document.cookie = 'token=` + session.Token + `'`)
	tab.open(s.host + "/page")
	ada.isOn("/page")
	ada.until("has an answer", func(sample) bool { return len(s.wire.since(time.Time{}, message.heartbeat)) > 0 })
	if heard := s.wire.since(time.Time{}, message.heartbeat); !strings.Contains(heard[0].text, `"client":"0.`) {
		t.Errorf("a heartbeat without a name of the browser:\n%s", heard[0].text)
	}
	s.closing(ada, tab)
	ada.until("is offline", sample.offline)
}
