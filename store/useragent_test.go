package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// usedIn logs somebody in and returns the session.
func usedIn(t testing.TB, s *store.Store, now time.Time, id string, origin store.Origin) store.LoginResult {
	t.Helper()
	result, err := s.Login(t.Context(), now, Shop, store.Login{User: store.UserInput{ID: id}, Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func agents(t testing.TB, db *sql.DB) []string {
	t.Helper()
	return texts(t, db, `SELECT user_agent FROM user_agents ORDER BY user_agent`)
}

func TestWhatSessionsAreUsedInIsKeptOnce(t *testing.T) {
	folder := t.TempDir()
	s, db := Open(t, folder, presence.DefaultRules()), Shell(t, folder)
	origins := map[string]store.Origin{
		"ada": {UserAgent: "Firefox", Device: store.Device{Type: "desktop", OS: "Linux", Browser: "Firefox 140"}},
		"bob": {UserAgent: "Firefox", Device: store.Device{Type: "desktop", OS: "Linux", Browser: "Firefox 140"}},
		"cyd": {UserAgent: "Firefox", Device: store.Device{Type: "mobile"}}, // as another version of the program reads it
		"fay": {UserAgent: "Firefox", Device: store.Device{Type: "tablet", OS: "Linux", Browser: "Firefox 140"}},
		"gus": {UserAgent: "Firefox", Device: store.Device{Type: "desktop", OS: "macOS", Browser: "Firefox 140"}},
		"hal": {UserAgent: "Firefox", Device: store.Device{Type: "desktop", OS: "Linux", Browser: "Firefox 141"}},
		"dan": {UserAgent: "curl"},
		"eve": {},
	}
	for id, origin := range origins {
		usedIn(t, s, Start, id, origin)
	}
	if diff := cmp.Diff([]string{"Firefox", "Firefox", "Firefox", "Firefox", "Firefox", "curl"}, agents(t, db)); diff != "" {
		t.Error(diff)
	}
	sessions, err := s.Sessions(t.Context(), Start, store.SessionFilter{Limit: 10})
	if err != nil || len(sessions.Sessions) != len(origins) {
		t.Fatalf("%+v, %v", sessions, err)
	}
	for _, listed := range sessions.Sessions {
		if diff := cmp.Diff(origins[listed.User.ID], listed.Origin); diff != "" {
			t.Errorf("the list of sessions on %s:\n%s", listed.User.ID, diff)
		}
	}
	for id, origin := range origins {
		why, err := s.Explain(t.Context(), Start, Shop.Key(id))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]store.Origin{origin, origin}, []store.Origin{why.Sessions[0].Origin, why.States[0].Origin}); diff != "" {
			t.Errorf("who is online, and why, on %s:\n%s", id, diff)
		}
		var held []store.Record
		if err := s.ExportPart(t.Context(), Shop.Key(id), "sessions", func(some []store.Record) error { held = append(held, some...); return nil }); err != nil {
			t.Fatal(err)
		}
		if len(held) != 1 || held[0]["user_agent"] != origin.UserAgent || held[0]["device_browser"] != origin.Device.Browser {
			t.Errorf("exported of %s: %v", id, held)
		}
	}
}

func TestALongUserAgentIsKeptAsFarAsAnIndexHasRoom(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		long := func() string { // that nothing makes shorter
			text := make([]rune, 1000)
			for i := range text {
				text[i] = rune(0x10000 + rand.IntN(0xF0000))
			}
			return string(text)
		}
		for i := range 20 {
			origin := store.Origin{UserAgent: long(), Device: store.Device{Type: long(), OS: long(), Browser: long()}}
			usedIn(t, s, Start, fmt.Sprint("user", i), origin)
			why, err := s.Explain(t.Context(), Start, Shop.Key(fmt.Sprint("user", i)))
			if err != nil || !strings.HasPrefix(origin.UserAgent, why.Sessions[0].UserAgent) || len([]rune(why.Sessions[0].UserAgent)) != 500 {
				t.Errorf("%q, %v", why.Sessions[0].UserAgent, err)
			}
		}
	})
}

func TestAUserAgentGoesWithItsLastSession(t *testing.T) {
	folder := t.TempDir()
	s, db := Open(t, folder, presence.DefaultRules()), Shell(t, folder)
	for i := range 1200 { // more than a step looks at
		result := usedIn(t, s, Start, fmt.Sprint("user", i%3), store.Origin{UserAgent: fmt.Sprint("browser ", i)})
		if i%100 != 0 {
			end(t, s, Start, result.ID, presence.EndLogout)
		}
	}
	cleanUp := func(now time.Time, want int) {
		t.Helper()
		if _, err := s.Cleanup(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		if got := agents(t, db); len(got) != want {
			t.Errorf("%d user agents are left, want %d", len(got), want)
		}
	}
	cleanUp(Start.Add(time.Hour), 1200)
	ExecSQL(t, db, `DELETE FROM user_sessions WHERE is_active = false`)
	cleanUp(Start.Add(time.Hour), 12)
	if _, err := s.DeleteUser(t.Context(), Start.Add(time.Hour), Shop, "user0"); err != nil {
		t.Fatal(err)
	}
	cleanUp(Start.Add(time.Hour), 8)
	if gone, err := s.Erase(t.Context(), Start.Add(time.Hour), store.ActorCLI, Shop.Key("user1")); err != nil || !gone.Complete {
		t.Fatalf("%+v, %v", gone, err)
	}
	if got := agents(t, db); len(got) != 4 {
		t.Errorf("after somebody is erased there are %v", got)
	}
}

// TestNoUserAgentIsRemovedInWhichSomebodyLogsIn has people come and go, by two replicas where there may be, while both clean up.
func TestNoUserAgentIsRemovedInWhichSomebodyLogsIn(t *testing.T) {
	folder := t.TempDir()
	rules := presence.DefaultRules()
	rules.Retention = time.Minute
	stores, db := []*store.Store{Open(t, folder, rules), Open(t, folder, rules)}, Shell(t, folder)
	ctx := t.Context()
	stop, cancel := context.WithCancel(ctx)
	var cleanups, logins sync.WaitGroup
	for _, s := range stores {
		cleanups.Go(func() {
			for stop.Err() == nil {
				if _, err := s.CleanupBy(ctx, Start.Add(time.Hour), "user:root"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for worker := range 4 {
		logins.Go(func() {
			s := stores[worker%2]
			for i := range 100 {
				in := store.Login{User: store.UserInput{ID: fmt.Sprint("user", worker)}, Origin: store.Origin{UserAgent: fmt.Sprint("browser ", i%2)}}
				result, err := s.Login(ctx, Start, Shop, in)
				if err != nil {
					t.Error(err)
					return
				}
				why, err := s.Explain(ctx, Start, Shop.Key(in.User.ID))
				if err != nil || len(why.States) == 0 || why.States[0].UserAgent != in.UserAgent {
					t.Errorf("a session in %q is in %+v, %v", in.UserAgent, why.States, err)
				}
				if _, err := s.EndByID(ctx, Start, "", result.ID, presence.EndLogout); err != nil {
					t.Error(err)
				}
			}
		})
	}
	logins.Wait()
	cancel()
	cleanups.Wait()
	if _, err := stores[0].CleanupBy(ctx, Start.Add(time.Hour), "user:root"); err != nil || len(agents(t, db)) != 0 {
		t.Errorf("%v are left: %v", agents(t, db), err)
	}
}
