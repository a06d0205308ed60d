package store_test

import (
	"fmt"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

func unidentified(t *testing.T, s *store.Store, now time.Time, app string) int {
	t.Helper()
	gate, err := s.Gate(t.Context(), now, store.GateQuestion{App: app})
	if err != nil {
		t.Fatal(err)
	}
	if listed := len(gate.Unidentified); listed != min(gate.Counts.Unidentified, store.MaxBlocking) {
		t.Errorf("%d are counted, and %d listed", gate.Counts.Unidentified, listed)
	}
	return gate.Counts.Unidentified
}

func TestStrangersWhoMakeUpTokensAreBounded(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		note := func(now time.Time, from, to int) {
			t.Helper()
			for i := from; i < to; i++ {
				if err := s.NoteUnknownToken(t.Context(), now, fmt.Sprint("token ", i), "", "https://shop.example"); err != nil {
					t.Fatal(err)
				}
			}
		}
		note(Start, 0, 250)
		if n := unidentified(t, s, Start, ""); n != 200 {
			t.Errorf("of 250 count %d, want 200", n)
		}
		later := Start.Add(3 * time.Minute)
		if n := unidentified(t, s, later, ""); n != 0 {
			t.Errorf("three minutes later count %d", n)
		}
		note(later, 240, 300)
		if n := unidentified(t, s, later, ""); n != 60 {
			t.Errorf("of 60 new ones count %d: the old ones take their place", n)
		}
		page, err := s.Online(t.Context(), later, store.OnlineFilter{Team: "sales"})
		if err != nil || page.Counts != (presence.Counts{}) {
			t.Errorf("the list of a team counts %+v, %v", page.Counts, err)
		}
	})
}

func TestWhoIsUnidentifiedOutlivesARestart(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	if err := s.NoteRefusedReport(t.Context(), Start, "shop", "ada", "invalid_request"); err != nil {
		t.Fatal(err)
	}
	if err := s.NoteUnknownToken(t.Context(), Start, "token of a page", "", ""); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = Open(t, folder, presence.DefaultRules())
	for app, want := range map[string]int{"": 2, "shop": 2, "crm": 1} {
		if n := unidentified(t, s, Start.Add(time.Minute), app); n != want {
			t.Errorf("of %q count %d, want %d", app, n, want)
		}
	}
	if n := unidentified(t, s, Start.Add(-time.Hour), ""); n != 0 {
		t.Errorf("%d count after the clock was set back", n)
	}
	s.SetSlack(presence.Slack{Late: time.Hour})
	if n := unidentified(t, s, Start.Add(time.Hour), ""); n != 2 {
		t.Errorf("%d count after the clock was set ahead, and that is known", n)
	}
}
