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
		if n := unidentified(t, s, Start, ""); n != 201 {
			t.Errorf("of 250 count %d, want 200, and one for the rest", n)
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

// TestWhoeverFillsTheTableHidesNobody has as many noted as may be, and then somebody who may be at work.
func TestWhoeverFillsTheTableHidesNobody(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		for i := range 200 {
			must(s.NoteUnknownToken(t.Context(), Start, fmt.Sprint("token ", i), "", ""))
		}
		must(s.NoteUnknownToken(t.Context(), Start, "token of somebody who works", "", "https://shop.example"))
		must(s.NoteRefusedReport(t.Context(), Start, "shop", "ada", "invalid_request"))
		for i := range 200 {
			must(s.NoteUnknownLeaving(t.Context(), Start, fmt.Sprint("token ", i), ""))
		}
		left := Start.Add(presence.DefaultRules().LeaveGrace)
		if n := unidentified(t, s, left, ""); n != 2 {
			t.Errorf("%d count once the others have left, want 2", n)
		}
		if n := unidentified(t, s, left.Add(5*time.Minute), "shop"); n != 1 {
			t.Errorf("%d count in the application whose report was refused", n)
		}
	})
	Each(t, func(t *testing.T, s *store.Store) {
		for i := range 201 {
			if err := s.NoteRefusedReport(t.Context(), Start, "crm", fmt.Sprint(i), "invalid_request"); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.NoteRefusedReport(t.Context(), Start, "shop", "ada", "invalid_request"); err != nil {
			t.Fatal(err)
		}
		if n := unidentified(t, s, Start, "shop"); n != 1 {
			t.Errorf("beside 201 of another application %d count", n)
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
