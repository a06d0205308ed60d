package server

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/store"
)

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
