package store_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// shift are people who beat, of whom every tenth does so while lists are read, and every fifth has two sessions.
type shift struct {
	s      *store.Store
	random *rand.Rand
	now    time.Time
	tokens [][]string // of each person
}

func newShift(t *testing.T, s *store.Store, people int, seed uint64) *shift {
	c := &shift{s: s, random: rand.New(rand.NewPCG(seed, 0)), now: Start}
	for i := range people {
		c.now = c.now.Add(time.Duration(c.random.IntN(200)) * time.Millisecond)
		id := fmt.Sprint("u", i)
		tokens := []string{LogIn(t, s, c.now, id).Token}
		if i%5 == 0 {
			tokens = append(tokens, LogIn(t, s, c.now, id).Token)
		}
		c.tokens = append(c.tokens, tokens)
	}
	return c
}

func (c *shift) beat(t *testing.T, person int) {
	t.Helper()
	tokens := c.tokens[person]
	Touch(t, c.s, c.now, tokens[c.random.IntN(len(tokens))], store.Beat{})
}

// round has two of three people beat within half a minute, in no order, and some of their heartbeats folded.
func (c *shift) round(t *testing.T) {
	for _, i := range c.random.Perm(len(c.tokens)) {
		if c.random.IntN(3) > 0 {
			c.now = c.now.Add(time.Duration(c.random.IntN(120)) * time.Millisecond)
			c.beat(t, i)
		}
		if c.random.IntN(20) == 0 {
			c.fold(t, c.random.IntN(len(c.tokens)))
		}
	}
	if err := c.s.FoldHeartbeats(t.Context(), c.now); err != nil {
		t.Fatal(err)
	}
}

// fold brings what waits of one person into their rows, which an export does first.
func (c *shift) fold(t *testing.T, person int) {
	if err := c.s.ExportPart(t.Context(), fmt.Sprint("u", person), "sessions", func([]store.Record) error { return nil }); err != nil {
		t.Fatal(err)
	}
}

// meanwhile is what happens between two pages: some rows are folded, or all, and every tenth person beats.
func (c *shift) meanwhile(t *testing.T) {
	c.now = c.now.Add(time.Duration(c.random.IntN(50)) * time.Millisecond)
	for i := range c.tokens {
		if i%10 == 0 && c.random.IntN(3) == 0 {
			c.beat(t, i)
		}
		if c.random.IntN(5) == 0 {
			c.fold(t, i)
		}
	}
	if c.random.IntN(10) == 0 {
		if err := c.s.FoldAllHeartbeats(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// wantOnOnePage reads all pages of a list: those whose ids begin with of must be on one, and nobody else.
func (c *shift) wantOnOnePage(t *testing.T, name, of string, want []string, page func(limit int, cursor string) ([]string, string)) {
	t.Helper()
	seen := map[string]int{}
	for cursor := ""; ; {
		some, next := page(1+c.random.IntN(30), cursor)
		for _, one := range some {
			seen[one]++
		}
		if cursor = next; cursor == "" {
			break
		}
		c.meanwhile(t)
	}
	var wrong []string
	for _, one := range want {
		if !strings.HasPrefix(one, of) {
			continue
		}
		beats := strings.HasSuffix(strings.Split(one, " ")[0], "0")
		if n := seen[one]; n > 1 || n == 0 && !beats {
			wrong = append(wrong, fmt.Sprintf("%s: %d times", one, n))
		}
		delete(seen, one)
	}
	if len(wrong) > 0 || len(seen) > 0 {
		t.Errorf("%s: on its pages are %s; unknown %v", name, strings.Join(wrong, ", "), seen)
	}
}

func (c *shift) people(t *testing.T, f store.OnlineFilter) func(int, string) ([]string, string) {
	return func(limit int, cursor string) (ids []string, next string) {
		f.Limit, f.Cursor = limit, cursor
		page, err := c.s.Online(t.Context(), c.now, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.People {
			ids = append(ids, p.ID)
		}
		return ids, page.Next
	}
}

func (c *shift) sessions(t *testing.T, f store.SessionFilter) func(int, string) ([]string, string) {
	return func(limit int, cursor string) (ids []string, next string) {
		f.Limit, f.Cursor = limit, cursor
		page, err := c.s.Sessions(t.Context(), c.now, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range page.Sessions {
			ids = append(ids, fmt.Sprint(one.User.ID, " ", one.ID))
		}
		return ids, page.Next
	}
}

// TestWhoDoesNotBeatIsOnOnePage reads lists by activity page by page while others beat and heartbeats are folded.
func TestWhoDoesNotBeatIsOnOnePage(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		seed := rand.Uint64()
		t.Log("seed", seed)
		c := newShift(t, s, 120, seed)
		c.now = c.now.Add(30 * time.Second)
		everybody := c.people(t, store.OnlineFilter{Sort: store.SortName})
		every := c.sessions(t, store.SessionFilter{Sort: store.SortCreated})
		ids, _ := everybody(1000, "")
		sessions, _ := every(1000, "")
		for _, list := range []struct {
			name, of string // whose ids begin so
			want     []string
			page     func(int, string) ([]string, string)
		}{
			{"everybody", "u", ids, c.people(t, store.OnlineFilter{})},
			{"those in an app", "u", ids, c.people(t, store.OnlineFilter{App: "shop"})},
			{"those who are found", "u1", ids, c.people(t, store.OnlineFilter{Search: "of u1"})},
			{"sessions that are online", "u", sessions, c.sessions(t, store.SessionFilter{State: store.ScopeOnline})},
			{"active sessions", "u", sessions, c.sessions(t, store.SessionFilter{})},
			{"sessions in an app", "u", sessions, c.sessions(t, store.SessionFilter{App: "shop"})},
			{"sessions that are found", "u7", sessions, c.sessions(t, store.SessionFilter{Search: "of u7", State: store.ScopeOnline})},
			{"sessions of a person", "u5 ", sessions, c.sessions(t, store.SessionFilter{User: "u5"})},
			{"all sessions", "u", sessions, c.sessions(t, store.SessionFilter{State: store.ScopeAll, Sort: store.SortActivity})},
		} {
			c.round(t)
			c.wantOnOnePage(t, list.name, list.of, list.want, list.page)
		}
		for _, roster := range []bool{false, true} {
			store.AlwaysRoster(s, roster)
			for _, f := range []store.OnlineFilter{{}, {App: "shop"}, {Status: presence.StatusAvailable, Search: "name"}} {
				c.round(t)
				c.wantOnOnePage(t, fmt.Sprintf("large, roster %t, %+v", roster, f), "u", ids, c.people(t, f))
			}
		}
	})
}
