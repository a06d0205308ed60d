package store_test

import (
	"errors"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// word is a heartbeat or goodbye of a client, so many seconds after the login.
type word struct {
	at     int
	client string
	bye    bool
}

func TestTheGoodbyeOfOneBrowserTakesNoOtherOneOut(t *testing.T) {
	for name, c := range map[string]struct {
		said  []word
		stays bool // for longer than the grace after the last word
	}{
		"one that leaves while the other beats":           {[]word{{1, "a", false}, {2, "b", false}, {3, "a", true}}, true},
		"the one that was heard last":                     {[]word{{1, "a", false}, {2, "b", false}, {3, "b", true}}, true},
		"one of three, twice":                             {[]word{{1, "a", false}, {2, "b", false}, {3, "c", false}, {4, "c", true}, {5, "c", true}}, true},
		"two of three":                                    {[]word{{1, "a", false}, {2, "b", false}, {3, "c", false}, {4, "c", true}, {5, "a", true}}, true},
		"all of three":                                    {[]word{{1, "a", false}, {2, "b", false}, {3, "c", false}, {4, "c", true}, {5, "a", true}, {6, "b", true}}, false},
		"both":                                            {[]word{{1, "a", false}, {2, "b", false}, {3, "b", true}, {4, "a", true}}, false},
		"the only one":                                    {[]word{{1, "a", false}, {2, "a", true}}, false},
		"one after another that has left":                 {[]word{{1, "a", false}, {2, "a", true}, {3, "b", false}, {4, "b", true}}, false},
		"one after another that left while it beat":       {[]word{{1, "a", false}, {2, "b", false}, {3, "a", true}, {4, "b", false}, {5, "b", true}}, false},
		"one after another that fell silent":              {[]word{{1, "a", false}, {290, "b", false}, {301, "b", true}}, false},
		"one after another that is only just not silent":  {[]word{{1, "a", false}, {290, "b", false}, {300, "b", true}}, true},
		"one that came back":                              {[]word{{1, "a", false}, {2, "b", false}, {3, "a", true}, {4, "a", false}, {5, "b", true}}, true},
		"one that says not who it is":                     {[]word{{1, "a", false}, {2, "b", false}, {3, "", true}}, true},
		"all, of whom one says not who it is":             {[]word{{1, "a", false}, {2, "", false}, {3, "", true}, {4, "a", true}}, false},
		"one that says not who it is, alone":              {[]word{{1, "", false}, {2, "", true}}, false},
		"one that says not who it is, beside another":     {[]word{{1, "", false}, {2, "a", false}, {3, "", true}}, true},
		"one that says not who it is, heard last":         {[]word{{1, "a", false}, {2, "", false}, {3, "", true}}, true},
		"whoever it is, of whom nobody heard":             {[]word{{2, "a", true}}, false},
		"one of whom nobody heard":                        {[]word{{1, "a", false}, {2, "b", true}}, true},
		"one beside another that says not who it is":      {[]word{{1, "a", false}, {2, "", false}, {3, "a", true}}, true},
		"one of whom nobody heard, before any other beat": {[]word{{1, "", false}, {2, "a", true}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, s *store.Store) {
				ada := LogIn(t, s, Start, "ada")
				var now time.Time
				for _, w := range c.said {
					now = Start.Add(time.Duration(w.at) * time.Second)
					Touch(t, s, now, ada.Token, store.Beat{Client: w.client, Leaving: w.bye})
				}
				wantOnline(t, s, now.Add(14*time.Second), "ada")
				if now = now.Add(16 * time.Second); c.stays {
					wantOnline(t, s, now, "ada")
				} else {
					wantOnline(t, s, now)
				}
			})
		})
	}
}

func TestWhoIsStillThereInOneOfTwoBrowsersAfterTheEnd(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ada := LogIn(t, s, Start, "ada")
		said := func(after time.Duration, client string, leaving bool, want int) {
			t.Helper()
			now := Start.Add(after)
			_, err := s.Touch(t.Context(), now, ada.Token, store.Beat{Client: client, Leaving: leaving})
			if err != nil && !errors.Is(err, store.ErrSessionEnded) {
				t.Fatal(err)
			}
			if page, err := s.Online(t.Context(), now, store.OnlineFilter{Limit: 1}); err != nil || page.Counts.StillThere != want {
				t.Errorf("after %v %d are still there (%v), want %d", after, page.Counts.StillThere, err, want)
			}
		}
		said(time.Second, "a", false, 0)
		said(2*time.Second, "b", false, 0)
		if _, err := s.Revoke(t.Context(), Start.Add(3*time.Second), ada.ID, store.Ending{Reason: presence.EndRevoked}); err != nil {
			t.Fatal(err)
		}
		said(4*time.Second, "a", false, 1)
		said(5*time.Second, "a", true, 1)
		said(6*time.Second, "b", false, 1)
		said(7*time.Second, "b", true, 1)
		said(23*time.Second, "", true, 0) // of whom nobody heard
		said(24*time.Second, "a", false, 1)
		said(25*time.Second, "", false, 1)
		said(26*time.Second, "", true, 1)
		said(42*time.Second, "b", true, 1)
		said(43*time.Second, "a", true, 1)
		said(59*time.Second, "a", true, 0)
	})
}
