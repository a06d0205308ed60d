package server

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
)

// wallAndUptime are the two clocks of a machine.
type wallAndUptime struct {
	wall   time.Time
	uptime time.Duration
}

func (m *wallAndUptime) pass(d time.Duration) { m.wall, m.uptime = m.wall.Add(d), m.uptime+d }
func (m *wallAndUptime) set(by time.Duration) { m.wall = m.wall.Add(by) }

func TestASteppedClockForgivesUntilEverybodyHadTimeToBeHeardOf(t *testing.T) {
	const period = 10 * time.Minute
	type move struct{ pass, set time.Duration }
	for _, test := range []struct {
		name  string
		moves []move
		want  []string // late, early
	}{
		{"time that passes is no step", []move{{time.Second, 0}, {time.Hour, 0}, {25 * time.Hour, 0}}, nil},
		{"nor is a small correction", []move{{time.Second, 2 * time.Second}, {time.Second, -2 * time.Second}}, nil},
		{"forward", []move{{time.Second, time.Hour}}, []string{"1h0m0s 0s"}},
		{"back", []move{{time.Second, -time.Hour}}, []string{"0s 1h0m0s"}},
		{"a suspended machine", []move{{time.Second, 0}, {0, 26 * time.Hour}, {time.Second, 0}}, []string{"26h0m0s 0s"}},
		{"not longer than the period", []move{{0, time.Hour}, {period - 1, 0}, {1, 0}, {time.Hour, 0}}, []string{"1h0m0s 0s", "0s 0s"}},
		{"forward and back again: some were heard of in between", []move{{time.Second, time.Hour}, {time.Minute, -time.Hour}}, []string{"1h0m0s 0s", "0s 1h0m0s"}},
		{"twice forward", []move{{time.Second, time.Hour}, {time.Minute, time.Hour}}, []string{"1h0m0s 0s", "2h0m0s 0s"}},
		{"a step begins the period again", []move{{0, time.Hour}, {period - 1, time.Minute}, {period - 1, 0}, {1, 0}}, []string{"1h0m0s 0s", "1h1m0s 0s", "0s 0s"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := &wallAndUptime{wall: time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)}
			var got []string
			c := newSteadyClock(func() time.Time { return m.wall }, func() time.Duration { return m.uptime },
				func(late, early time.Duration) time.Duration {
					got = append(got, fmt.Sprint(late, " ", early))
					return period
				})
			for _, move := range test.moves {
				m.pass(move.pass)
				m.set(move.set)
				if now := c.now(); !now.Equal(m.wall) {
					t.Errorf("now is %s, want the wall's %s", now, m.wall)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnotherClockMayCount(t *testing.T) {
	var forgiven []string
	c := newSteadyClock(time.Now, nil, func(late, early time.Duration) time.Duration {
		forgiven = append(forgiven, fmt.Sprint(late.Round(time.Second), early.Round(time.Second)))
		return time.Minute
	})
	shows := func(ahead time.Duration) {
		t.Helper()
		if off := c.now().Sub(time.Now().Add(ahead).Round(0)).Abs(); off > time.Minute {
			t.Errorf("it is off by %v", off)
		}
	}
	if !c.follow(time.Hour, time.Second) || c.follow(time.Hour+time.Second, time.Second) {
		t.Error("it does not tell what is news")
	}
	c.begin()
	shows(time.Hour)
	c.follow(time.Hour+1200*time.Millisecond, time.Second)
	shows(time.Hour)
	if forgiven != nil {
		t.Errorf("forgiven is %v for what nobody was judged by, and for a small correction", forgiven)
	}
	c.follow(-time.Hour, time.Second)
	shows(-time.Hour)
	if diff := cmp.Diff([]string{"0s 2h0m1s"}, forgiven); diff != "" {
		t.Error(diff)
	}
}

func TestAStepOfTheClockTurnsNobodyOffline(t *testing.T) {
	for _, test := range []struct {
		name string
		step time.Duration
		told []string
	}{
		{"forward", 40 * time.Minute, []string{"offline bob timed_out", "reset"}}, // after five minutes by any clock
		{"back", -40 * time.Minute, []string{"reset"}},                            // when the clock is trusted again
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				start := time.Now()
				var by atomic.Int64
				s := serving(t, func(c *Config) {
					c.Now = func() time.Time { return time.Now().Add(time.Duration(by.Load())) }
					c.Uptime = func() time.Duration { return time.Since(start) }
				})
				ada := s.enter(t, "ada")
				s.enter(t, "bob") // who is not heard of again
				key := bearing(s.key(t, "panel", "read"))
				r, _ := s.follow(t, "", key)
				r.tells()
				by.Store(int64(test.step))
				r.tells("reset")
				do(t, s.bench, "GET", "/admin/users/online", nil, key).wants(200) // with nothing that is not documented
				for range 9 {
					time.Sleep(time.Minute)
					s.beat(t, ada, store.Beat{})
					if page, err := s.store.Online(t.Context(), s.now(), store.OnlineFilter{Limit: 10}); err != nil || !shows(page, "ada") {
						t.Fatalf("ada is not online: %v %v", page, err)
					}
				}
				time.Sleep(time.Minute)
				s.beat(t, ada, store.Beat{})
				r.tells(test.told...)
				page, err := s.store.Online(t.Context(), s.now(), store.OnlineFilter{Limit: 10})
				s.must(t, err)
				if !shows(page, "ada") || shows(page, "bob") {
					t.Errorf("two online windows later there are %v", page.People)
				}
				for range 40 { // until a clock that was set back has caught up
					time.Sleep(time.Minute)
					s.beat(t, ada, store.Beat{})
					if page, err := s.store.Online(t.Context(), s.now(), store.OnlineFilter{Limit: 10}); err != nil || shows(page, "bob") {
						t.Fatalf("at %v there are %v, %v", s.now(), page.People, err)
					}
				}
				s.stop()
				s.must(t, <-s.ended)
			})
		})
	}
}

func shows(page store.OnlinePage, id string) bool {
	return slices.ContainsFunc(page.People, func(p store.OnlinePerson) bool { return p.ID == id })
}
