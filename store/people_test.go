package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// person returns one user as People has them.
func person(t *testing.T, s *store.Store, now time.Time, id string) store.OnlinePerson {
	t.Helper()
	people, err := s.People(t.Context(), now, []string{id})
	if err != nil || len(people) != 1 {
		t.Fatalf("%+v, %v", people, err)
	}
	return people[0]
}

func TestPeopleAreAsInTheList(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		const many = 510 // more than one query names
		ids := []string{"nobody"}
		for i := range many {
			id := fmt.Sprint("user", i)
			ids = append(ids, id)
			LogIn(t, s, Start.Add(time.Duration(i)*time.Second), id)
		}
		LogIn(t, s, Start, ids[1]) // a second session
		now := Start.Add(many*time.Second - time.Minute)
		people, err := s.People(t.Context(), now, append(ids, ids[1]))
		if err != nil || len(people) < many {
			t.Fatalf("%d people, %v", len(people), err)
		}
		people = slices.DeleteFunc(people, func(p store.OnlinePerson) bool { return p.Status == presence.StatusOffline })
		slices.SortFunc(people, func(a, b store.OnlinePerson) int {
			return b.Sessions[0].LastActivity.Compare(a.Sessions[0].LastActivity)
		})
		page, err := s.Online(t.Context(), now, store.OnlineFilter{Limit: many})
		if err != nil || len(page.People) == 0 {
			t.Fatal(len(page.People), err)
		}
		if diff := cmp.Diff(page.People, people); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhySomebodyIsOffline(t *testing.T) {
	type act func(s *store.Store, ada store.LoginResult)
	end := func(after time.Duration, reason presence.EndReason) act {
		return func(s *store.Store, ada store.LoginResult) {
			if _, err := s.EndByID(t.Context(), Start.Add(after), "", ada.ID, reason); err != nil {
				t.Error(err)
			}
		}
	}
	leave := func(s *store.Store, ada store.LoginResult) { Touch(t, s, Start, ada.Token, store.Beat{Leaving: true}) }
	idle := func(s *store.Store, ada store.LoginResult) {
		Touch(t, s, Start.Add(24*time.Hour-time.Minute), ada.Token, store.Beat{Idle: time.Hour})
	}
	for _, c := range []struct {
		name string
		acts []act
		at   time.Duration
		want presence.OfflineReason
	}{
		{"not heard of", nil, 5 * time.Minute, presence.OfflineTimedOut},
		{"a goodbye", []act{leave}, 15 * time.Second, presence.OfflineLeft},
		{"a goodbye, long ago", []act{leave}, 48 * time.Hour, presence.OfflineLeft},
		{"a logout after a goodbye", []act{leave, end(time.Second, presence.EndLogout)}, time.Second, "logout"},
		{"revoked", []act{end(time.Minute, presence.EndRevoked)}, time.Minute, "revoked"},
		{"past its time", []act{idle}, 24 * time.Hour, "expired"},
		{"past its time, cleaned up", []act{idle, func(s *store.Store, _ store.LoginResult) {
			if _, err := s.Cleanup(t.Context(), Start.Add(24*time.Hour)); err != nil {
				t.Error(err)
			}
		}}, 24 * time.Hour, "expired"},
		{"the session that was online last decides", []act{func(s *store.Store, _ store.LoginResult) {
			LogIn(t, s, Start.Add(time.Second), "ada") // and times out
		}, leave}, time.Hour, presence.OfflineTimedOut},
		{"a panel session does not count", []act{end(time.Minute, presence.EndRevoked), func(s *store.Store, _ store.LoginResult) {
			if _, err := s.Login(t.Context(), Start.Add(time.Hour), store.By{App: presence.PanelApp}, store.Login{User: store.UserInput{ID: "ada"}}); err != nil {
				t.Error(err)
			}
		}}, time.Hour, "revoked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			Each(t, func(t *testing.T, s *store.Store) {
				ada := LogIn(t, s, Start, "ada")
				for _, do := range c.acts {
					do(s, ada)
				}
				p := person(t, s, Start.Add(c.at), "ada")
				if p.Status != presence.StatusOffline || p.Left != c.want || len(p.Sessions) != 0 || p.Name == "" {
					t.Errorf("got %+v, want %s", p, c.want)
				}
			})
		})
	}
}

func TestSomebodyWhoWasNeverThereHasNoReason(t *testing.T) {
	s := New(t)
	if _, err := s.PutUser(t.Context(), Start, Shop, store.UserInput{ID: "ada"}); err != nil {
		t.Fatal(err)
	}
	if p := person(t, s, Start, "ada"); p.Status != presence.StatusOffline || p.Left != "" {
		t.Errorf("%+v", p)
	}
}

func TestAListCountsThosePeopleThatItNames(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				default:
				}
				login := LogIn(t, s, Start, "ada")
				if _, err := s.EndByToken(context.Background(), Start, "shop", login.Token, presence.EndLogout); err != nil {
					t.Error(err)
				}
			}
		}()
		seen := map[int]int{}
		for range 300 {
			page, err := s.Online(t.Context(), Start, store.OnlineFilter{Limit: 10})
			if err != nil || page.Counts.People() != len(page.People) {
				t.Errorf("%d of %+v, %v", len(page.People), page.Counts, err)
				break
			}
			seen[len(page.People)]++
		}
		close(stop)
		<-stopped
		if len(seen) < 2 {
			t.Errorf("nobody came or left: %v", seen)
		}
	})
}
