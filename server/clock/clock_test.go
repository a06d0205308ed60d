package clock

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rollcall/store"
	"rollcall/store/sqldb"
	"rollcall/store/storetest"
)

func TestTheLogHasOneLineForWhateverMovesDeadlines(t *testing.T) {
	m, log, moved := &wallAndUptime{wall: storetest.Start}, &bytes.Buffer{}, 0
	c := New(Config{Store: storetest.New(t), Wall: func() time.Time { return m.wall }, Uptime: func() time.Duration { return m.uptime },
		Heartbeat: time.Minute, Log: zerolog.New(log), Moved: func() { moved++ }})
	// during lets time go by, as the server does that looks every second.
	during := func(d time.Duration, each func()) {
		t.Helper()
		for range d / time.Second {
			m.pass(time.Second)
			each()
			if err := c.Recheck(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	tells := func(when string, want ...string) {
		t.Helper()
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		log.Reset()
		if len(want) == 0 && lines[0] == "" {
			return
		}
		if len(lines) != len(want) {
			t.Fatalf("%s: %q", when, lines)
		}
		for i, line := range lines {
			for _, part := range strings.Split(want[i], " | ") {
				if !strings.Contains(line, part) {
					t.Errorf("%s: %s\nlacks %s", when, line, part)
				}
			}
		}
	}
	refused, recorded := func() { c.Heartbeat(c.Now(), sqldb.ErrFull) }, func() { c.Heartbeat(c.Now(), nil) }
	const lenient, over = `nobody is turned offline`, `"info" | deadlines hold, by this machine's clock`

	during(time.Hour, recorded)
	during(time.Minute, refused)
	during(time.Hour, recorded)
	tells("while all is well, but for a minute")

	m.set(time.Hour)
	during(time.Minute, recorded)
	tells("after a step of the clock", `"warn" | "late":3600000 | "early":0 | `+lenient)
	during(2*time.Minute, refused)
	tells("when heartbeats are refused, too", `"warn" | "late":3600000 | "silent_since":"2026-03-02 | `+lenient)
	during(20*time.Minute, refused)
	tells("when the step is history", `"info" | "silent_since":"2026-03-02 | `+lenient)
	during(2*time.Minute, recorded)
	tells("while people come back")
	during(time.Second, recorded)
	tells("when all had the time to", over)

	during(22*time.Minute, refused)
	during(30*time.Second, recorded)
	log.Reset()
	m.set(time.Hour)
	during(time.Second, recorded)
	tells("after a step while people come back", `"warn" | "late":3600000 | "silent_since":"2026-03-02 | `+lenient)
	if moved != 3 {
		t.Errorf("deadlines moved %d times by steps of the clock", moved)
	}
}

func TestNobodyTimesOutBeforeItIsKnownWhoWasThere(t *testing.T) {
	for _, test := range []struct {
		name   string
		before time.Duration // how long before the start somebody was heard of last
		left   bool          // a sample of the history says that nobody was left
		want   []int         // who count: at the start, once it is known, and when all had the time to come back
	}{
		{"somebody was there", time.Hour, false, []int{1, 1, 0}},
		{"nobody was left", time.Hour, true, []int{1, 0, 0}},
		{"somebody is there", time.Minute, false, []int{1, 1, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, m := storetest.New(t), &wallAndUptime{wall: storetest.Start}
			c := New(Config{Store: s, Wall: func() time.Time { return m.wall }, Uptime: func() time.Duration { return m.uptime },
				Heartbeat: time.Minute, Log: zerolog.Nop(), Moved: func() {}})
			heard := storetest.Start.Add(-test.before)
			ada := storetest.LogIn(t, s, heard, "ada")
			storetest.Touch(t, s, heard, ada.Token, store.Beat{})
			if test.left {
				if err := s.History.Sample(t.Context(), heard.Add(30*time.Minute)); err != nil {
					t.Fatal(err)
				}
			}
			counts := func(want int) {
				t.Helper()
				n, err := s.CountOnline(t.Context(), c.Now())
				if err != nil || n.People() != want {
					t.Errorf("%d count, want %d; %v", n.People(), want, err)
				}
				m.pass(time.Second) // counts are remembered for a moment
			}
			away, cancel := context.WithCancel(t.Context())
			cancel()
			if err := c.Start(away); err == nil {
				t.Fatal("the database answered, which this test must not have")
			}
			counts(test.want[0])
			if err := c.Recheck(t.Context()); err != nil {
				t.Fatal(err)
			}
			counts(test.want[1])
			for range 2*60 + 1 {
				m.pass(time.Second)
				if err := c.Recheck(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			counts(test.want[2])
		})
	}
}
