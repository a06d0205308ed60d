package ui_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// beside opens a further tab in the window that was opened last, and so hides
// the one that was shown there.
func (b *tab) beside() *tab {
	b.t.Helper()
	return newTab(b.t, b.ctx, chromedp.WithNewWindow(false))
}

// close closes a tab as its cross does. The first one of a browser takes the
// browser with it, before any page could say goodbye.
func (b *tab) close() { b.stop() }

// show brings a tab to the front of its window.
func (b *tab) show() {
	b.t.Helper()
	b.run("showing a tab", command(page.BringToFront, cdp.Empty{}))
}

// beats is how many heartbeats of a page were answered, in scripts.
const beats = `performance.getEntriesByType('resource').filter(e => e.name.endsWith('/admin/users/heartbeat')).length`

func (b *tab) sent() int {
	b.t.Helper()
	n, err := strconv.Atoi(b.eval(beats))
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// touch is input in the middle of a page.
func (b *tab) touch() {
	b.t.Helper()
	b.run("clicking into the page", chromedp.MouseClickXY(400, 300))
}

// hears waits for heartbeats from now on, and returns them.
func (s *stage) hears(w *watch, heartbeats int) []message {
	s.t.Helper()
	from := time.Now()
	w.until(fmt.Sprint("has sent ", heartbeats, " heartbeats"), func(sample) bool {
		return len(s.wire.since(from, message.heartbeat)) >= heartbeats
	})
	return s.wire.since(from, message.heartbeat)
}

// longestPause is the longest time between two messages.
func longestPause(all []message) (longest time.Duration) {
	for i := 1; i < len(all); i++ {
		longest = max(longest, all[i].arrived.Sub(all[i-1].arrived))
	}
	return longest
}

// closing closes a tab and waits for its goodbye.
func (s *stage) closing(w *watch, b *tab) message {
	s.t.Helper()
	from := time.Now()
	b.close()
	w.until("has said goodbye", func(sample) bool { return len(s.wire.since(from, message.goodbye)) > 0 })
	return s.wire.since(from, message.goodbye)[0]
}

// The surviving tabs answer a goodbye within 4 s, at the next second.
const grace = 6 * time.Second

// TestTabsOfOneBrowser closes one of three after the other, each right after a
// heartbeat: the next regular one would come after the grace. Tabs in windows
// of their own are all visible.
func TestTabsOfOneBrowser(t *testing.T) {
	t.Parallel()
	const interval = 7 * time.Second
	s := newStage(t, scriptTag, "--heartbeat", interval.String(), "--online-window", "20s", "--leave-grace", grace.String())
	begun := time.Now()
	b := browser(t)
	s.signIn(b, "ada")
	ada := s.watch("ada")
	one, two, three := b.another(), b.another(), b.another()
	one.open(s.host + "/one")
	arrived := ada.until("is online", sample.online)
	for _, later := range []*tab{two, three} {
		later.open(s.host + "/later")
		later.until(beats + ` > 0`) // its first, and the only one for now
	}

	t.Run("one of them sends the heartbeats of all", func(t *testing.T) {
		before := [...]int{one.sent(), two.sent(), three.sent()}
		s.hears(ada, 2)
		if got := one.sent() - before[0]; got < 1 {
			t.Errorf("the first tab sent %d of 2 heartbeats", got)
		}
		// On a busy machine the first may be so late that another one has to step in.
		late := longestPause(s.wire.since(begun, message.heartbeat)) > interval*5/4
		for i, quiet := range []*tab{two, three} {
			if got := quiet.sent() - before[i+1]; got != 0 && !late {
				t.Errorf("tab %d sent %d heartbeats beside the first one's", i+2, got)
			}
		}
	})
	t.Run("closing one that is silent leaves the person online", func(t *testing.T) {
		s.closing(ada, two)
		ada.always("online", arrived.asked, ada.lasts(grace+time.Second).asked, sample.online)
	})
	t.Run("closing the one that beats leaves the person online, and another one beats", func(t *testing.T) {
		s.hears(ada, 1)
		from, before := time.Now(), three.sent()
		s.closing(ada, one)
		ada.always("online", from, ada.lasts(grace+time.Second).asked, sample.online)
		if got := three.sent() - before; got < 2 {
			t.Errorf("the last tab sent %d heartbeats in %v", got, grace)
		}
	})
	t.Run("closing the last one is offline after the grace, not before", func(t *testing.T) {
		from := time.Now()
		bye := s.closing(ada, three)
		ada.until("is offline", sample.offline)
		ada.always("online", from, bye.arrived.Add(grace), sample.online)
		byes := s.wire.since(from, message.goodbye) // a page says it twice, and the grace is that of the last
		ada.always("offline", byes[len(byes)-1].answered.Add(grace), ada.lasts(2*time.Second).asked, sample.offline)
	})
}

// TestTheGoodbyeIsTheLastWord closes a tab with news to tell: a browser says that
// a page is hidden after it has said that the page is going.
func TestTheGoodbyeIsTheLastWord(t *testing.T) {
	t.Parallel()
	s := newStage(t, scriptTag+`<script>
		document.addEventListener('visibilitychange', () => rollcall.setPage('/gone'));
	</script>`, "--leave-grace", "1s")
	b := browser(t)
	s.signIn(b, "ada")
	ada := s.watch("ada")
	tab := b.another()
	tab.open(s.host)
	ada.until("is online", sample.online)
	ada.lasts(5500 * time.Millisecond) // sooner, another page is no news
	bye := s.closing(ada, tab)
	ada.until("is offline", sample.offline)
	for _, m := range s.wire.since(bye.arrived, message.heartbeat) {
		t.Errorf("a heartbeat after the goodbye:\n%s", m.text)
	}
}

// TestReloading reloads and changes pages. Each one says goodbye and hello, in
// whatever order these arrive.
func TestReloading(t *testing.T) {
	t.Parallel()
	const grace = 8 * time.Second // a page that follows another says hello again after 5 s
	s := newStage(t, scriptTag, "--leave-grace", grace.String())
	b := browser(t)
	s.signIn(b, "ada")
	ada := s.watch("ada")
	b.open(s.host + "/one")
	from := ada.until("is online", sample.online)
	for range 3 {
		b.run("reloading", chromedp.Reload())
		b.run("reloading", chromedp.Reload()) // maybe before the page has said anything
		b.open(s.host + "/two")
		b.open(s.host + "/one")
	}
	ada.always("online", from.asked, ada.lasts(grace+2*time.Second).asked, sample.online)
	if said := len(s.wire.since(time.Time{}, message.goodbye)); said < 6 {
		t.Errorf("only %d goodbyes show nothing", said)
	}
}

// TestTwoBrowsers has one person in two browsers, as at work and at home.
func TestTwoBrowsers(t *testing.T) {
	t.Parallel()
	s := newStage(t, scriptTag, "--heartbeat", "2s", "--online-window", "7s", "--leave-grace", "1s")
	work, home := browser(t), browser(t)
	s.signIn(work, "ada")
	s.signIn(home, "ada")
	ada := s.watch("ada")
	work.open(s.host + "/work")
	home.open(s.host + "/home")
	both := ada.until("is online in both", func(s sample) bool { return s.online() && len(s.Sessions) == 2 })

	t.Run("the page is the one with the latest input", func(t *testing.T) {
		for _, b := range []struct {
			*tab
			page string
		}{{work, "/work"}, {home, "/home"}} {
			ada.until("is on "+b.page, func(s sample) bool {
				b.touch() // again and again: one within a second of another does not count
				return s.online() && s.Page == b.page
			})
			ada.always("on "+b.page, time.Now(), ada.lasts(3*time.Second).asked, func(s sample) bool { return s.online() && s.Page == b.page })
		}
	})
	t.Run("closing one browser leaves the person online, on the other one's page", func(t *testing.T) {
		home.close()
		onlyWork := func(s sample) bool { return s.online() && len(s.Sessions) == 1 && s.Page == "/work" }
		left := ada.until("is on /work alone", onlyWork)
		ada.always("online", both.asked, left.asked, sample.online)
		ada.always("only on /work", left.asked, ada.lasts(2*time.Second).asked, onlyWork)
	})
}

// TestEndedSession revokes a session that is open in three tabs.
func TestEndedSession(t *testing.T) {
	t.Parallel()
	s := newStage(t, `<script>
		window.ended = [];
		addEventListener('rollcall:ended', (event) => ended.push(event.detail.reason));
	</script>`+scriptTag, "--heartbeat", "1s", "--online-window", "20s")
	b := browser(t)
	session := s.signIn(b, "ada")
	ada := s.watch("ada")
	hidden := b.beside()
	tabs := []*tab{hidden, b.beside(), b.another()}
	for _, tab := range tabs {
		tab.open(s.host)
	}
	ada.until("is online", sample.online)
	if hidden.eval(`document.hidden`) != "true" {
		t.Fatal("no tab is hidden")
	}
	if err := s.backend.Revoke(t.Context(), session.ID); err != nil {
		t.Fatal(err)
	}
	told := func(tab *tab) {
		t.Helper()
		ada.until("is told to have been signed out", func(sample) bool { return tab.eval(`ended`) != "" })
	}
	for _, tab := range tabs {
		told(tab)
	}
	// One more may have been on its way.
	from := ada.lasts(time.Second).answered
	ada.always("offline", from, ada.lasts(3*time.Second).asked, sample.offline)
	if heard := s.wire.since(from, message.heartbeat); len(heard) == 0 || len(heard) > 5 {
		t.Errorf("%d heartbeats of the ended session in 3 s, want one a second of the tab that leads", len(heard))
	}
	late := b.another()
	late.open(s.host)
	told(late)
	for i, tab := range append(tabs, late) {
		if got := tab.eval(`ended`); got != "revoked" {
			t.Errorf("tab %d was told %q, want revoked, once", i, got)
		}
	}
}

// TestTheSecondHeartbeatOfAPageComesInTime has one tab, which gets the lock after its first
// heartbeat is answered. A tab beside a leader would wait half as long again.
func TestTheSecondHeartbeatOfAPageComesInTime(t *testing.T) {
	t.Parallel()
	const interval = 6 * time.Second
	s := newStage(t, `<script>
		const { request } = LockManager.prototype;
		LockManager.prototype.request = async function (...all) {
			await new Promise((go) => setTimeout(go, 500));
			return request.apply(this, all);
		};
	</script>`+scriptTag, "--heartbeat", interval.String(), "--online-window", "30s")
	b := browser(t)
	s.signIn(b, "ada")
	ada := s.watch("ada")
	b.open(s.host)
	if pause := longestPause(s.hears(ada, 2)); pause > interval*7/5 {
		t.Errorf("the second heartbeat came %v after the first, want at most %v and what a busy machine adds", pause, interval)
	}
}
