package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// bothWays asks for all pages of a list by SQL and from the roster.
func bothWays(t interface {
	rapid.TB
	Context() context.Context
}, s *store.Store, now time.Time, f store.OnlineFilter) (bySQL, byRoster []store.OnlinePage) {
	t.Helper()
	for _, yes := range []bool{false, true} {
		store.AlwaysRoster(s, yes)
		var pages []store.OnlinePage
		for f.Cursor = ""; len(pages) == 0 || f.Cursor != ""; {
			page, err := s.Online(t.Context(), now, f)
			if err != nil {
				t.Fatal(err)
			}
			pages = append(pages, page)
			f.Cursor = page.Next
		}
		if yes {
			byRoster = pages
		} else {
			bySQL = pages
		}
	}
	return bySQL, byRoster
}

// TestTheRosterIsAsTheRows holds lists from the roster against those by SQL while random things happen:
//
//	go test ./store -run TheRosterIsAsTheRows -rapid.checks=500
func TestTheRosterIsAsTheRows(t *testing.T) {
	checks(t, "4")
	rapid.Check(t, func(rt *rapid.T) {
		folder := t.TempDir()
		s, err := store.Open(t.Context(), store.Config{Path: folder, Schema: Schema(t), Rules: presence.DefaultRules()})
		if err != nil {
			t.Fatal(err)
		}
		w := NewWorld(s)
		defer func() { _ = w.Store.Close() }()
		w.Kill = func(s *store.Store) *store.Store { return killed(t, s, &folder) }
		for range Pick(rt, "length", 20, 40, 80) {
			rt.Log(w.Do(rt))
			store.AlwaysRoster(w.Store, true)
			counts, err := w.Store.CountOnline(rt.Context(), w.Now)
			store.AlwaysRoster(w.Store, false)
			if page, err2 := w.Store.Online(rt.Context(), w.Now, store.OnlineFilter{Limit: 1}); err != nil || err2 != nil || counts != page.Counts {
				rt.Fatalf("at %v it counts %+v, %v, want %+v, %v", w.Now, counts, err, page.Counts, err2)
			}
			for _, f := range []store.OnlineFilter{
				{}, {Sort: store.SortName}, {Sort: store.SortDuration}, {App: "shop"}, {App: "blog", Sort: store.SortDuration}, {App: presence.PanelApp}, {Search: "A"},
				{Status: presence.StatusAvailable}, {Status: presence.StatusAway, Sort: store.SortName}, {Status: presence.StatusBusy}, {Status: presence.StatusBusy, App: "shop"},
			} {
				f.Limit = Pick(rt, "limit", 1, 2, 100)
				rows, roster := bothWays(rt, w.Store, w.Now, f)
				if diff := cmp.Diff(rows, roster); diff != "" {
					rt.Fatalf("at %v %+v by SQL and from the roster differ:\n%s", w.Now, f, diff)
				}
			}
		}
	})
}

func TestListsFromTheRosterAreThoseOfSQL(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		for i := range 120 {
			organization := fmt.Sprint("Organization ", i%7)
			user := store.UserInput{ID: fmt.Sprint("u", i*37%120), Name: new([]string{"Zoë", "ada", "Émile", "Bob", ""}[i%5]), Team: new(fmt.Sprint("Team ", i%3)),
				Role: new([]string{"Clerk", "clerk", "EDITOR"}[i%3]), Organization: &organization}
			login := func(app string) store.LoginResult {
				result, err := s.Login(t.Context(), Start.Add(time.Duration(i*17%50)*time.Second), store.By{App: app}, store.Login{User: user})
				if err != nil {
					t.Fatal(err)
				}
				return result
			}
			first := login("shop")
			if i%4 == 0 {
				login("blog")
			}
			if i%3 == 0 {
				Touch(t, s, Start.Add(time.Minute), first.Token, store.Beat{Idle: time.Hour})
			}
			if i%10 == 0 {
				if err := s.SetStatus(t.Context(), Start, user.ID, presence.Claim{Status: presence.StatusBusy}); err != nil {
					t.Fatal(err)
				}
			}
		}
		now := Start.Add(70 * time.Second)
		for _, sort := range []store.Sort{"", store.SortActivity, store.SortName, store.SortDuration} {
			for _, f := range []store.OnlineFilter{
				{}, {Organization: "Organization 3"}, {Organization: "organization 3"}, {Team: "Team 1"}, {Role: "CLERK"}, {ExceptRole: "Clerk"}, {Search: "zoe"}, {Search: "EMILE"},
				{Search: "clerk organization 2"}, {Search: "%"}, {Search: "_"}, {Search: "nobody"}, {App: "blog"}, {App: "shop", Role: "editor"}, {App: "none"},
				{Status: presence.StatusAway}, {Status: presence.StatusBusy}, {Status: presence.StatusAvailable, Team: "Team 2"},
			} {
				for _, f.Limit = range []int{4, 200} {
					f.Sort = sort
					rows, roster := bothWays(t, s, now, f)
					if diff := cmp.Diff(rows, roster); diff != "" {
						t.Errorf("%+v by SQL and from the roster differ:\n%s", f, diff)
					}
				}
			}
		}
	})
}

func TestWhomAnotherProcessErasesTheRosterForgets(t *testing.T) {
	folder := t.TempDir()
	s, other := OpenFile(t, folder, presence.DefaultRules()), OpenFile(t, folder, presence.DefaultRules())
	LogIn(t, s, Start, "ada")
	LogIn(t, s, Start.Add(-time.Second), "bob")
	store.AlwaysRoster(s, true)
	wantOnline(t, s, Start, "ada", "bob")
	if _, err := other.Erase(t.Context(), Start, store.ActorCLI, "ada"); err != nil {
		t.Fatal(err)
	}
	wantOnline(t, s, Start, "bob")
	if counts, err := s.CountOnline(t.Context(), Start); err != nil || counts.People() != 1 {
		t.Errorf("it counts %+v, %v", counts, err)
	}
}
