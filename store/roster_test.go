package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// bothWays asks for all pages of a list by SQL and from the roster. Counted in steps, its people are as many.
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
	if counts, err := store.CountInSteps(t.Context(), s, now, f); err != nil || counts != bySQL[0].Counts {
		t.Errorf("%+v counts %+v in steps, %v, and %+v by SQL", f, counts, err, bySQL[0].Counts)
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
			login := func(app string, later time.Duration) store.LoginResult {
				result, err := s.Login(t.Context(), Start.Add(time.Duration(i*17%50)*time.Second+later), store.By{App: app}, store.Login{User: user})
				if err != nil {
					t.Fatal(err)
				}
				return result
			}
			first := login("shop", 0)
			if i%4 == 0 {
				login("blog", time.Second) // mostly of the same block of activity
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

func TestAHeartbeatOfBeforeTheClockWasSetBackPlacesNobody(t *testing.T) {
	s := OpenFile(t, t.TempDir(), presence.DefaultRules())
	ada, page, other := LogIn(t, s, Start, "ada"), "/", "/other"
	LogIn(t, s, Start.Add(30*time.Second), "bob")
	Touch(t, s, Start.Add(time.Second), ada.Token, store.Beat{Page: &page})
	Touch(t, s, Start.Add(time.Minute), ada.Token, store.Beat{Page: &page})
	if store.LoggedHeartbeats(s) == 0 {
		t.Fatal("no heartbeat waits")
	}
	now := Start.Add(40 * time.Second) // the clock was set back
	Touch(t, s, now, ada.Token, store.Beat{Page: &other})
	f := store.OnlineFilter{App: Shop.App, Limit: 1}
	bothWays(t, s, now, f) // from now on both are by blocks
	rows, roster := bothWays(t, s, now, f)
	if diff := cmp.Diff(rows, roster); diff != "" {
		t.Errorf("by SQL and from the roster differ:\n%s", diff)
	}
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

func TestWhetherThereAreTooManyForARosterIsJudgedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := OpenFile(t, t.TempDir(), presence.DefaultRules())
		store.AlwaysRoster(s, true)
		store.LimitRoster(s, 1)
		tellsApart := func() bool {
			t.Helper()
			err := s.EachOnline(t.Context(), Start, func(string, presence.Status) {})
			if err != nil && !errors.Is(err, store.ErrTooManyOnline) {
				t.Fatal(err)
			}
			if counts, err := s.CountOnline(t.Context(), Start); err != nil || counts.People() == 0 {
				t.Errorf("it counts %+v, %v", counts, err)
			}
			synctest.Wait() // for what goes on behind it
			return err == nil
		}
		LogIn(t, s, Start, "ada")
		if !tellsApart() {
			t.Error("one is too many")
		}
		bob := LogIn(t, s, Start, "bob")
		time.Sleep(11 * time.Minute)
		if tellsApart(); tellsApart() {
			t.Error("two are not too many")
		}
		if ended, err := s.EndByToken(t.Context(), Start, "shop", bob.Token, presence.EndLogout); err != nil || !ended {
			t.Fatal(ended, err)
		}
		time.Sleep(31 * time.Second)
		if tellsApart(); !tellsApart() {
			t.Error("one is still too many")
		}
	})
}

func TestALargeDatabaseIsListedByTheIndexOnActivity(t *testing.T) {
	folder := t.TempDir()
	s := OpenFile(t, folder, presence.DefaultRules())
	db := ShellFile(t, folder, "")
	query, args := store.LargeQuery(s, Start)
	waiting, waitingArgs := store.WaitingQuery(s, Start, store.OnlineFilter{})
	found, foundArgs := store.WaitingQuery(s, Start, store.OnlineFilter{App: "shop", Search: "ada", Status: presence.StatusAway})
	for query, want := range map[string]struct {
		args  []any
		first string
	}{
		query:             {args, "SEARCH s USING INDEX user_sessions_active (<expr>>? AND <expr><?)"},
		waiting:           {waitingArgs, "SEARCH s USING INTEGER PRIMARY KEY (rowid=?)"},
		found:             {foundArgs, "SEARCH s USING INTEGER PRIMARY KEY (rowid=?)"},
		store.BlocksQuery: {[]any{1, 2}, "SEARCH user_sessions USING INDEX user_sessions_active (<expr>>? AND <expr><?)"},
	} {
		lines := plan(t, db, query, want.args...)
		if lines[0] != want.first || strings.Contains(strings.Join(lines, "\n"), "TEMP B-TREE") {
			t.Errorf("%s\n%s", query, strings.Join(lines, "\n"))
		}
	}
}
