package clock

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
		{"nor is a drift", slices.Repeat([]move{{10 * time.Second, 5 * time.Millisecond}}, 2000), nil},
		{"small corrections add up", []move{{time.Second, 1900 * time.Millisecond}, {time.Second, 1900 * time.Millisecond}}, []string{"3.799s 0s"}},
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
			c := newSteps(func() time.Time { return m.wall }, func() time.Duration { return m.uptime }, period)
			for _, move := range test.moves {
				m.pass(move.pass)
				m.set(move.set)
				now, _, changed := c.now()
				if !now.Equal(m.wall) {
					t.Errorf("now is %s, want the wall's %s", now, m.wall)
				}
				if changed {
					got = append(got, fmt.Sprint(c.late, " ", c.early))
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
	c := newSteps(time.Now, nil, time.Minute)
	shows := func(ahead time.Duration) {
		t.Helper()
		now, _, changed := c.now()
		if changed {
			forgiven = append(forgiven, fmt.Sprint(c.late.Round(time.Second), c.early.Round(time.Second)))
		}
		if off := now.Sub(time.Now().Add(ahead).Round(0)).Abs(); off > time.Minute {
			t.Errorf("it is off by %v", off)
		}
	}
	behind := func(by time.Duration) Difference { return Difference{By: -by} }
	c.follow(behind(time.Hour))
	c.follow(behind(time.Hour + time.Second))
	if c.ahead != time.Hour {
		t.Errorf("by what is no news it is ahead by %v", c.ahead)
	}
	c.begin()
	shows(time.Hour)
	c.follow(behind(time.Hour + 1200*time.Millisecond))
	shows(time.Hour)
	if forgiven != nil {
		t.Errorf("forgiven is %v for what nobody was judged by, and for a small correction", forgiven)
	}
	c.follow(behind(-time.Hour))
	shows(-time.Hour)
	if diff := cmp.Diff([]string{"0s 2h0m1s"}, forgiven); diff != "" {
		t.Error(diff)
	}
}
