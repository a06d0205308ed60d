package store_test

import (
	"fmt"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// TestAPersonWithThousandsOfSessionsIsShownBySomeAndACount has a robot that logs in and never out.
func TestAPersonWithThousandsOfSessionsIsShownBySomeAndACount(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		first, err := s.Login(t.Context(), Start.Add(-time.Minute), store.By{App: "crm"}, store.Login{User: store.UserInput{ID: "robot"}})
		if err != nil {
			t.Fatal(err)
		}
		Touch(t, s, Start.Add(-30*time.Second), first.Token, store.Beat{}) // the others are idle
		addSessions(t, s, "robot", 1999)
		page, err := s.Online(t.Context(), Start, store.OnlineFilter{Limit: 10})
		if err != nil || len(page.People) != 1 {
			t.Fatal(err, page.People)
		}
		p := page.People[0]
		if len(p.Sessions) != 50 || p.SessionCount != 2000 || !p.Since.Equal(Start.Add(-time.Minute)) || fmt.Sprint(p.Apps) != "[crm shop]" {
			t.Errorf("%d sessions of %d in %v since %v", len(p.Sessions), p.SessionCount, p.Apps, p.Since)
		}
		if p.Status != presence.StatusAvailable {
			t.Errorf("the status is %s", p.Status)
		}
	})
}
