package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// minute is what everybody who is there beats by, in true time.
const minute = time.Minute

// weather is a store under a wall clock that jumps, and a server that forgives
// what it notices: a step is where wall and monotonic time disagree by more than
// 2 s, and it is over after two online windows of monotonic time.
type weather struct {
	t        *rapid.T
	s        *store.Store
	window   time.Duration
	truth    time.Duration // since the beginning
	wall     time.Time
	awake    time.Duration // monotonic time: stands still in a suspend
	offset   time.Duration // wall less awake, but for a constant
	stepped  bool          // not long ago
	low      time.Duration // the offsets since before the first of these steps
	high     time.Duration
	until    time.Duration // of awake
	lastStep time.Duration // of truth
	log      []string
}

// pass lets time go by, and the server end its forgiving where that is due.
func (w *weather) pass(d time.Duration) {
	w.truth, w.wall, w.awake = w.truth+d, w.wall.Add(d), w.awake+d
	if w.stepped && w.awake >= w.until {
		w.stepped = false
		w.s.SetSlack(presence.Slack{})
		w.cleanup()
	}
}

// jump moves the wall clock; a suspend is a jump for which true time passes too.
func (w *weather) jump(d, asleep time.Duration) {
	w.wall, w.truth = w.wall.Add(d+asleep), w.truth+asleep
	w.log = append(w.log, fmt.Sprintf("%v: jump %v, asleep %v", w.truth, d, asleep))
	d += asleep
	w.lastStep = w.truth
	before := w.offset
	w.offset += d
	if d.Abs() <= 2*time.Second {
		return
	}
	if !w.stepped {
		w.stepped, w.low, w.high = true, before, before
	}
	w.low, w.high = min(w.low, w.offset), max(w.high, w.offset)
	w.s.SetSlack(presence.Slack{Late: w.offset - w.low, Early: w.high - w.offset})
	w.until = w.awake + 2*w.window
}

func (w *weather) cleanup() {
	if _, err := w.s.Cleanup(w.t.Context(), w.wall); err != nil {
		w.t.Fatal(err)
	}
}

// beat lets some send a heartbeat at once.
func (w *weather) beat(tokens ...string) {
	var wg sync.WaitGroup
	errs := make([]error, len(tokens))
	for i, token := range tokens {
		wg.Go(func() { _, errs[i] = w.s.Touch(w.t.Context(), w.wall, token, store.Beat{}) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		w.t.Fatalf("after %v of %q: somebody who beats is logged out: %v", w.truth, w.log, err)
	}
}

// TestStepsOfTheClock: nobody who beats is ever shown offline or logged out, and
// whoever stops is offline in the end.
//
//	go test ./store -run StepsOfTheClock -rapid.checks=10000
func TestStepsOfTheClock(t *testing.T) {
	checks(t, "15")
	s := New(t)
	tries := 0
	rapid.Check(t, func(rt *rapid.T) {
		tries++
		w := &weather{t: rt, s: s, window: s.Rules().OnlineWindow, wall: Start}
		var ids []string
		var tokens []string
		for _, name := range []string{"stays", "stays too ", "stops"} {
			id := fmt.Sprint(name, tries)
			ids, tokens = append(ids, id), append(tokens, LogIn(t, s, w.wall, id).Token)
		}
		defer func() {
			s.SetSlack(presence.Slack{})
			for _, id := range ids {
				if _, err := s.DeleteUser(t.Context(), Start, store.By{Grant: store.AccessAdmin}, id); err != nil {
					rt.Fatal(err)
				}
			}
		}()
		w.play(ids, tokens)
	})
}

// play goes from beat to beat. In some of the minutes between the clock jumps.
func (w *weather) play(ids, tokens []string) {
	minutes := Pick(w.t, "minutes", 1, 4, 12, 20)
	stop := minutes * Pick(w.t, "quarters until the last beat", 0, 1, 2, 3, 4) / 4
	var stopped time.Duration
	for i := 0; i < minutes || w.truth < max(stopped, w.lastStep)+4*w.window; i++ {
		part := minute
		if i < minutes && Pick(w.t, "jumps", true, false, false) {
			part = Pick(w.t, "within", 0, time.Millisecond, 20*time.Second, 59*time.Second, minute)
			w.pass(part)
			w.drawJump()
			w.look(ids, false)
			part = minute - part
		}
		w.pass(part)
		w.look(ids, false)
		if i <= stop {
			stopped = w.truth
			w.beat(tokens...)
		} else {
			w.beat(tokens[:2]...)
		}
		if i%13 == 7 {
			w.cleanup()
		}
		w.look(ids, false)
	}
	w.look(ids, true)
}

func (w *weather) drawJump() {
	d := Pick(w.t, "jump", time.Second, 2500*time.Millisecond, 30*time.Second, 4*minute, 6*minute, 11*minute, time.Hour, 9*time.Hour, 48*time.Hour)
	switch Pick(w.t, "kind", "forward", "back", "suspend", "suspend with a clock that stops") {
	case "forward":
		w.jump(d, 0)
	case "back":
		w.jump(-d, 0)
	case "suspend":
		w.jump(0, d)
	default:
		w.jump(-d, d)
	}
}

// look checks who is online: those who beat always, and who stopped not in the end.
func (w *weather) look(ids []string, end bool) {
	people, err := w.s.People(w.t.Context(), w.wall, ids)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range people {
		online := p.Status != presence.StatusOffline
		if p.ID != ids[2] && !online {
			w.t.Fatalf("after %v of %q %s is offline: %s", w.truth, w.log, p.ID, p.Left)
		}
		if p.ID == ids[2] && end && online {
			w.t.Fatalf("after %v of %q %s is still online", w.truth, w.log, p.ID)
		}
	}
}

func TestNothingIsCleanedUpWhileTheClockIsForgiven(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ada := LogIn(t, s, Start, "ada")
		for _, d := range []time.Duration{48 * time.Hour, -time.Hour} {
			s.SetSlack(presence.Slack{Late: max(d, 0), Early: max(-d, 0)})
			if got, err := s.Cleanup(t.Context(), Start.Add(48*time.Hour)); err != nil || got != (store.Cleaned{}) {
				t.Errorf("%+v, %v", got, err)
			}
			if st, err := s.Stats(t.Context(), Start.Add(48*time.Hour)); err != nil || st.LastCleanup != nil {
				t.Errorf("%+v, %v", st.LastCleanup, err)
			}
			s.SetSlack(presence.Slack{})
		}
		s.SetSlack(presence.Slack{Late: 48 * time.Hour})
		now := Start.Add(48 * time.Hour)
		wantOnline(t, s, now, "ada")
		if _, err := s.Authenticate(t.Context(), now, ada.Token); err != nil {
			t.Error(err)
		}
		wantOnline(t, s, now.Add(5*time.Minute))
		s.SetSlack(presence.Slack{})
		if _, err := s.Touch(t.Context(), now, ada.Token, store.Beat{}); !errors.Is(err, store.ErrSessionEnded) {
			t.Errorf("after the forgiving: %v", err)
		}
	})
}

func TestActivityInTheFuture(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		LogIn(t, s, Start.Add(time.Hour), "ada") // by a clock that is then set back
		wantOnline(t, s, Start.Add(55*time.Minute), "ada")
		wantOnline(t, s, Start.Add(55*time.Minute-time.Millisecond))
		s.SetSlack(presence.Slack{Early: time.Hour})
		wantOnline(t, s, Start, "ada")
		s.SetSlack(presence.Slack{})
		wantOnline(t, s, Start)
		if _, err := s.Cleanup(t.Context(), Start); err != nil {
			t.Fatal(err)
		}
		wantOnline(t, s, Start.Add(time.Hour)) // the clock gets there, she has long been gone
	})
}
