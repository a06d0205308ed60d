package ui_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// throttling makes a browser do to hidden pages soon what it does after 10 s at
// the earliest: it runs their timers once a minute.
var throttling = []chromedp.ExecAllocatorOption{
	chromedp.Flag("disable-background-timer-throttling", false),
	chromedp.Flag("disable-backgrounding-occluded-windows", false),
	chromedp.Flag("disable-renderer-backgrounding", false),
	chromedp.Flag("enable-features", "IntensiveWakeUpThrottling:grace_period_seconds/1/grace_period_seconds_loaded/1"),
}

// ticking is a page that tells when its timer of one second ran.
const ticking = `<script>
	window.ticks = [];
	setInterval(() => ticks.push(Date.now()), 1000);
	</script>` + scriptTag

// hide shows another tab and waits until the timers of the first are throttled.
func (b *tab) hide(w *watch, behind *tab) {
	b.t.Helper()
	behind.show()
	w.until("has hidden the tab", func(sample) bool { return b.eval(`document.hidden`) == "true" })
	w.until("has a tab without timers", func(sample) bool { return b.eval(`Date.now() - ticks.at(-1) > 2500`) == "true" })
}

// TestHiddenTab has the only tab hidden for longer than the online window. The
// browser runs its timers once a minute and nothing makes that shorter, so
// neither is this. A window has to be a minute longer than the heartbeat.
func TestHiddenTab(t *testing.T) {
	const window = 66 * time.Second
	s := newStage(t, ticking, "--heartbeat", "2s", "--online-window", window.String())
	b := browser(t, throttling...)
	s.signIn(b, "ada")
	ada := s.watch("ada")
	hidden := b.beside()
	hidden.open(s.host + "/hidden")
	ada.until("is online", sample.online)
	hidden.hide(ada, b)
	throttled := time.Now()
	t.Parallel() // from here on nothing is left but to wait
	ada.always("online", throttled, ada.lasts(max(0, window-time.Since(throttled)+time.Second)).asked, sample.online)
	ran, err := strconv.Atoi(hidden.eval(`ticks.filter((t) => t > ` + fmt.Sprint(throttled.UnixMilli()) + `).length`))
	if most := 1 + time.Since(throttled)/time.Minute; err != nil || ran < 1 || ran > int(most) {
		t.Errorf("the timers were not throttled to one a minute: they ran %d times in %v", ran, time.Since(throttled))
	}
}

// TestHiddenTabStaysBehind closes the visible one of two tabs. The hidden one's
// timers run too late to answer the goodbye.
func TestHiddenTabStaysBehind(t *testing.T) {
	t.Parallel()
	staysBehind(t, ticking)
}

// TestHiddenTabStaysBehindOnPlainHTTP has pages without locks, as browsers offer
// them to secure pages only.
func TestHiddenTabStaysBehindOnPlainHTTP(t *testing.T) {
	t.Parallel()
	staysBehind(t, `<script>delete Navigator.prototype.locks</script>`+ticking)
}

func staysBehind(t *testing.T, page string) {
	t.Helper()
	s := newStage(t, page, "--heartbeat", "2s", "--online-window", "70s", "--leave-grace", grace.String())
	b := browser(t, throttling...)
	s.signIn(b, "ada")
	ada := s.watch("ada")
	hidden, leader := b.beside(), b.another()
	leader.open(s.host + "/leader")
	ada.until("is online", sample.online)
	hidden.open(s.host + "/hidden")
	hidden.hide(ada, b)
	for _, closed := range []struct {
		fact string
		tab  *tab
	}{
		{"the one that beats", leader},
		{"one that is silent", b.another()},
	} {
		t.Run(closed.fact, func(t *testing.T) {
			if closed.tab != leader {
				closed.tab.open(s.host + "/other")
				ada.until("is on /other", func(s sample) bool { return s.online() && s.Page == "/other" })
			} else {
				s.hears(ada, 1) // right after this, no other is due
			}
			bye := s.closing(ada, closed.tab)
			ada.always("online", bye.arrived, ada.lasts(grace+time.Second).asked, sample.online)
		})
	}
}

// TestBackForwardCache leaves a page and comes back to it as it was. Its next
// heartbeat is not due for most of a minute.
func TestBackForwardCache(t *testing.T) {
	t.Parallel()
	s := newStage(t, scriptTag+`<script>addEventListener('pageshow', (event) => { window.persisted = event.persisted })</script>`,
		"--leave-grace", "1s")
	b := browser(t)
	s.signIn(b, "ada")
	ada := s.watch("ada")
	tab := b.another()
	tab.open(s.host + "/page")
	ada.until("is online", sample.online)
	tab.eval(`void (location.href = '/favicon.ico')`) // without the script
	ada.until("is offline", sample.offline)
	from := time.Now()
	tab.eval(`history.back()`)
	back := ada.until("is online", sample.online)
	if tab.eval(`window.persisted`) != "true" {
		t.Fatal("the browser loaded the page anew:", tab.eval(`JSON.stringify(performance.getEntriesByType('navigation')[0].notRestoredReasons)`))
	}
	if late := back.answered.Sub(from); late > atOnce {
		t.Errorf("back after %v", late)
	}
	s.closing(ada, tab) // which says goodbye once more
}

// atOnce is what a busy machine may make of it.
const atOnce = 3 * time.Second

// TestLaptopSleep stops a page without a word, for longer than the online window.
func TestLaptopSleep(t *testing.T) {
	t.Parallel()
	for fact, test := range map[string]struct {
		sleep     func(b *tab) (wake func())
		midFlight bool // a heartbeat is under way and never answered
	}{
		"the browser freezes the page":                  {(*tab).freeze, false},
		"the browser freezes the page during heartbeat": {(*tab).freeze, true},
		"the whole browser stops":                       {(*tab).suspend, false},
	} {
		t.Run(fact, func(t *testing.T) {
			t.Parallel()
			sleepAndWake(t, test.sleep, test.midFlight)
		})
	}
}

func sleepAndWake(t *testing.T, sleep func(b *tab) (wake func()), midFlight bool) {
	const window = 5 * time.Second
	s := newStage(t, scriptTag, "--heartbeat", "1s", "--online-window", window.String(), "--leave-grace", "1s")
	b := browser(t)
	s.signIn(b, "ada")
	ada := s.watch("ada")
	tab := b.another()
	tab.open(s.host + "/page")
	arrived := ada.until("is online", sample.online)
	s.hears(ada, 2)
	if midFlight {
		<-s.wire.hold(t)
	}
	wake := sleep(tab)
	asleep := ada.until("is offline", sample.offline)
	if !midFlight {
		beats := s.wire.since(time.Time{}, message.heartbeat)
		last := beats[len(beats)-1]
		ada.always("online", arrived.asked, last.arrived.Add(window), sample.online)
	}
	ada.always("offline", asleep.asked, ada.lasts(2*time.Second).asked, sample.offline)
	if byes := s.wire.since(time.Time{}, message.goodbye); len(byes) > 0 {
		t.Errorf("a page that sleeps said goodbye %d times", len(byes))
	}
	woken := time.Now()
	wake()
	back := ada.until("is online", sample.online)
	if late := back.answered.Sub(woken); late > atOnce {
		t.Errorf("back after %v", late)
	}
}

func (b *tab) freeze() (wake func()) {
	b.t.Helper()
	state := func(s page.SetWebLifecycleStateState) {
		b.run("making the page "+string(s), command(page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: s}))
	}
	state(page.SetWebLifecycleStateStateFrozen)
	return func() { state(page.SetWebLifecycleStateStateActive) }
}
