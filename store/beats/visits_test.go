package beats

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall/store/presence"
)

func TestEachSegmentIsVisitedOnceALapAndHasItsTurn(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rules := presence.DefaultRules()
		rules.OnlineWindow = rapid.SampledFrom([]time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, time.Hour}).Draw(rt, "window")
		l := &Log{lap: lapOf(rules)}
		now := rapid.Int64Range(1<<40, 1<<41).Draw(rt, "now")
		if n := len(l.visitsUpTo(now)); n != segments {
			rt.Fatalf("at the start %d segments are visited", n)
		}
		var last, turn [segments]int64 // when a segment was visited, and had its turn
		for i := range last {
			last[i], turn[i] = now, now
		}
		for range rapid.IntRange(1, 500).Draw(rt, "calls") {
			now += min(l.lap-1, rapid.SampledFrom([]int64{0, 1, 999, 1000, 1001, 3000, l.lap}).Draw(rt, "later"))
			for _, v := range l.visitsUpTo(now) {
				last[v.segment] = now
				if v.turn {
					turn[v.segment] = now
				}
			}
			for i := range last {
				if now-last[i] > l.lap {
					rt.Fatalf("segment %d was visited %d ms ago, a lap is %d", i, now-last[i], l.lap)
				}
				if now-turn[i] > (turns+1)*l.lap {
					rt.Fatalf("segment %d had its turn %d ms ago, a lap is %d", i, now-turn[i], l.lap)
				}
			}
		}
		if n := len(l.visitsUpTo(now - 1000)); n != segments {
			rt.Errorf("after the clock was set back %d segments are visited", n)
		}
	})
}
