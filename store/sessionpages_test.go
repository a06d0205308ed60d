package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

var scopes = []store.SessionScope{store.ScopeOnline, store.ScopeActive, store.ScopeEnded, store.ScopeAll}

func TestWhatFewSessionsMatchIsFoundByAnIndex(t *testing.T) {
	folder := t.TempDir()
	s := OpenFile(t, folder, presence.DefaultRules())
	db := ShellFile(t, folder, "")
	for index, filters := range map[string][]store.SessionFilter{
		"user_sessions_app":     {{App: "none"}, {App: "none", Device: "tablet"}},
		"user_sessions_address": {{IP: "192.0.2.7"}, {IP: "192.0.2.7", Organization: "Acme", App: "shop"}},
		"user_sessions_user":    {{Search: "Name 7"}, {Organization: "Rare", App: "shop"}, {User: "u7", App: "shop"}, {User: "u7", IP: "192.0.2.7"}},
	} {
		for _, f := range filters {
			for _, f.State = range scopes {
				query, args := store.SessionsQuery(s, Start, f)
				if got := plan(t, db, query, args...); !slices.ContainsFunc(got, begins("SEARCH s USING INDEX "+index+" ")) {
					t.Errorf("%+v:\n\t%s", f, strings.Join(got, "\n\t"))
				}
			}
		}
	}
}

func begins(prefix string) func(string) bool {
	return func(line string) bool { return strings.HasPrefix(line, prefix) }
}

func TestTheNextSessionsInTheListAreLookedThroughFirst(t *testing.T) {
	folder := t.TempDir()
	s := OpenFile(t, folder, presence.DefaultRules())
	db := ShellFile(t, folder, "")
	for name, f := range map[string]store.SessionFilter{"app": {App: "shop"}, "address": {IP: "192.0.2.7"}, "search": {Search: "name"}} {
		for state, index := range map[store.SessionScope]string{
			store.ScopeOnline: "user_sessions_active", store.ScopeActive: "user_sessions_active", store.ScopeEnded: "user_sessions_ended", store.ScopeAll: "user_sessions_created",
		} {
			f.State = state
			query, args := store.NearQuery(s, Start, f)
			got := plan(t, db, query, args...)
			if !slices.ContainsFunc(got, func(line string) bool {
				return strings.HasSuffix(strings.Split(line+" (", " (")[0], " USING INDEX "+index)
			}) ||
				slices.ContainsFunc(got, begins("SCAN u")) {
				t.Errorf("%s by %s:\n\t%s", state, name, strings.Join(got, "\n\t"))
			}
		}
	}
}

// TestPagesHaveWhatMatchesWhereverItIs pages through sessions that match often,
// seldom, at one end of the list or nowhere.
func TestPagesHaveWhatMatchesWhereverItIs(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		for i := range 300 {
			app := "often"
			switch {
			case i < 20:
				app = "first"
			case i >= 280:
				app = "last"
			case i%40 == 0:
				app = "seldom"
			}
			in := store.Login{User: store.UserInput{ID: fmt.Sprint("u", i), Role: &app}, Origin: store.Origin{IPAddress: "of " + app}}
			result, err := s.Login(t.Context(), after(i), store.By{App: app}, in)
			if err != nil {
				t.Fatal(err)
			}
			if i%3 == 0 {
				end(t, s, after(i), result.ID, presence.EndLogout)
			}
		}
		for _, list := range []store.SessionFilter{
			{State: store.ScopeActive}, {State: store.ScopeActive, Sort: store.SortCreated}, {State: store.ScopeEnded}, {State: store.ScopeAll}, {State: store.ScopeAll, Sort: store.SortActivity},
		} {
			every := pages(t, s, list, 1000)
			for _, app := range []string{"first", "last", "often", "seldom", "never"} {
				var want []string
				for _, line := range every {
					if strings.HasSuffix(line, " of "+app) {
						want = append(want, line)
					}
				}
				for name, f := range map[string]store.SessionFilter{"app": {App: app}, "address": {IP: "of " + app}, "search": {Search: app}} {
					f.State, f.Sort = list.State, list.Sort
					if diff := cmp.Diff(want, pages(t, s, f, 4)); diff != "" {
						t.Errorf("%s by %s, %s by its %s: %s", f.State, f.Sort, app, name, diff)
					}
				}
			}
		}
	})
}

// pages returns user and address of each session in a list that is read by so many.
func pages(t *testing.T, s *store.Store, f store.SessionFilter, limit int) (lines []string) {
	t.Helper()
	for f.Limit = limit; ; {
		page, err := s.Sessions(t.Context(), after(300), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, session := range page.Sessions {
			lines = append(lines, session.User.ID+" "+session.IPAddress)
		}
		if f.Cursor = page.Next; f.Cursor == "" {
			return lines
		}
	}
}
