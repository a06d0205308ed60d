package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/history"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// TestRetentionReachesPeople has many who log in once, and few who must outlive their sessions.
func TestRetentionReachesPeople(t *testing.T) {
	each := func(t *testing.T, f func(t *testing.T, s *store.Store, users, organizations func() []string)) {
		folder := t.TempDir()
		s := Open(t, folder, presence.DefaultRules())
		db := Shell(t, folder)
		f(t, s, func() []string { return texts(t, db, `SELECT id FROM users ORDER BY id`) },
			func() []string { return texts(t, db, `SELECT name FROM organizations ORDER BY name`) })
	}
	each(t, func(t *testing.T, s *store.Store, users, organizations func() []string) {
		ctx := t.Context()
		rules := presence.DefaultRules()
		over := Start.Add(rules.SessionTTL) // their sessions are
		gone := over.Add(rules.Retention)   // and so are the rows of these
		admin := store.By{App: Shop.App, Directory: Shop.Directory, KeyID: 1, Grant: store.AccessAdmin, Actor: "key:1:shop"}
		for i := range 1200 {
			in := store.UserInput{ID: fmt.Sprint("once", i), Organization: new(fmt.Sprint("org", i))}
			if _, err := s.PutUser(ctx, Start, Shop, in); err != nil {
				t.Fatal(err)
			}
		}
		for _, id := range []string{"busy-by-app", "busy-by-self", "busy-since"} {
			LogIn(t, s, Start, id)
		}
		viewer := store.AccessViewer
		if _, err := s.PutUser(ctx, Start, admin, store.UserInput{ID: "viewer", Access: &viewer}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateAccount(ctx, Start, "user:root", store.AccountInput{Name: "root", Password: "a long enough password", Access: store.AccessAdmin}); err != nil {
			t.Fatal(err)
		}
		claims := []struct {
			id, app string
			at      time.Time
		}{{"busy-by-app", "shop", Start}, {"busy-by-self", "", Start}, {"busy-since", "", over.Add(time.Hour)}}
		for _, c := range claims {
			if err := s.SetStatus(ctx, c.at, Shop.Key(c.id), presence.Claim{App: c.app, Status: presence.StatusBusy}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.PostNotice(ctx, over.Add(time.Hour), "user:root", store.NoticeInput{Message: "for org7", Level: store.LevelInfo, Organization: "org7"}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Cleanup(ctx, over); err != nil { // which ends the sessions
			t.Fatal(err)
		}
		if _, err := s.Login(ctx, gone.Add(-time.Minute), Shop, store.Login{User: store.UserInput{ID: "late", Organization: new("late")}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Cleanup(ctx, gone.Add(-2*time.Minute)); err != nil {
			t.Fatal(err)
		}
		kept := []string{"busy-by-app", "busy-by-self", "busy-since", "late", "rollcall:root", "viewer"}
		if got := users(); !slices.Equal(got, kept) {
			t.Errorf("before the rows of their sessions go there are %v, want %v", short(got), kept)
		}
		cleaned, err := s.Cleanup(ctx, gone)
		kept = slices.DeleteFunc(kept, func(id string) bool { return id == "busy-by-self" })
		if got := users(); err != nil || cleaned.Purged != 3+1 || !slices.Equal(got, kept) {
			t.Errorf("%+v, %v; there are %v, want %v", cleaned, err, short(got), kept)
		}
		if got := organizations(); !slices.Equal(got, []string{"late", "org7"}) {
			t.Errorf("the organizations are %v", short(got))
		}
		if again, err := s.Cleanup(ctx, gone); err != nil || again.Purged != 0 {
			t.Errorf("once more: %+v, %v", again, err)
		}
	})
}

func short(list []string) []string { return list[:min(len(list), 20)] }

// TestACleanupByItselfLooksAtSomePeopleAtATime has more than it looks at, and somebody who asks for all.
func TestACleanupByItselfLooksAtSomePeopleAtATime(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := Shell(t, folder)
	const many = 250_000 // and a cleanup looks at 100,000
	fill := func() {
		ExecSQL(t, db, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250000)
			INSERT INTO users (id, created_at, updated_at) SELECT CAST(i AS TEXT), 0, 0 FROM n`)
	}
	fill()
	for i, want := range []int64{100_000, 100_000, 50_000, 0} {
		if got, err := s.Cleanup(t.Context(), Start); err != nil || got.Purged != want {
			t.Errorf("cleanup %d: %+v, %v; want %d", i+1, got, err, want)
		}
	}
	fill()
	if got, err := s.CleanupBy(t.Context(), Start, store.ActorCLI); err != nil || got.Purged != many {
		t.Errorf("whoever asks: %+v, %v", got, err)
	}
}

// TestNobodyIsPurgedWhoLogsInMeanwhile has people come back after their retention while a cleanup looks at them.
func TestNobodyIsPurgedWhoLogsInMeanwhile(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		const people = 300
		ctx := t.Context()
		for round := range 4 {
			now := Start.Add(time.Duration(round) * 80 * 24 * time.Hour)
			for i := range people {
				if _, err := s.PutUser(ctx, now, Shop, store.UserInput{ID: fmt.Sprint("user", i), Organization: new("org")}); err != nil {
					t.Fatal(err)
				}
			}
			late := now.Add(40 * 24 * time.Hour)
			stop, cancel := context.WithCancel(ctx)
			var cleanups sync.WaitGroup
			cleanups.Go(func() {
				for stop.Err() == nil {
					if _, err := s.CleanupBy(ctx, late, "user:root"); err != nil {
						t.Error(err)
					}
				}
			})
			var logins sync.WaitGroup
			for worker := range 4 {
				logins.Go(func() {
					for i := worker; i < people; i += 4 {
						if rand.N(3) == 0 {
							continue // is purged, or not yet
						}
						in := store.Login{User: store.UserInput{ID: fmt.Sprint("user", i), Organization: new("org")}}
						result, err := s.Login(ctx, late, Shop, in)
						if err != nil {
							t.Error(err)
							continue
						}
						if _, err := s.Touch(ctx, late, result.Token, store.Beat{}); err != nil {
							t.Errorf("the session of user%d is gone: %v", i, err)
						}
					}
				})
			}
			logins.Wait()
			cancel()
			cleanups.Wait()
		}
	})
}

// TestADayCountsWhoIsPurgedOnIt has a retention that is shorter than a day.
func TestADayCountsWhoIsPurgedOnIt(t *testing.T) {
	rules := presence.DefaultRules()
	rules.Retention = time.Minute
	s := Open(t, t.TempDir(), rules)
	ctx := t.Context()
	ada := LogIn(t, s, Start, "ada")
	if err := RecordPeak(ctx, s, Start); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EndByID(ctx, Start.Add(time.Minute), "", ada.ID, presence.EndLogout); err != nil {
		t.Fatal(err)
	}
	if err := s.History.RecordVisitors(ctx, Start.Add(90*time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Cleanup(ctx, Start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	next := Start.Add(24 * time.Hour)
	if err := s.History.RecordVisitors(ctx, next); err != nil {
		t.Fatal(err)
	}
	a, err := s.History.Activity(ctx, next, history.ActivityFilter{From: Start.Add(-24 * time.Hour), To: next})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(a.Days, func(d history.DayFigures) bool { return d.Visitors != nil })
	if i < 0 || *a.Days[i].Visitors != 1 {
		t.Errorf("the days are %+v", a.Days)
	}
	if cleaned, err := s.Cleanup(ctx, next); err != nil || cleaned.Purged != 1 {
		t.Errorf("once the day was counted: %+v, %v", cleaned, err)
	}
}

// TestTheFiguresNameSomeOrganizations has more than they name.
func TestTheFiguresNameSomeOrganizations(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		for i := range 203 {
			org, by := fmt.Sprint("org", i), store.By{App: fmt.Sprint("app", i)}
			for range 1 + i/202 { // the last has two
				if _, err := s.Login(t.Context(), Start, by, store.Login{User: store.UserInput{ID: org, Organization: &org}}); err != nil {
					t.Fatal(err)
				}
			}
		}
		st, err := s.Stats(t.Context(), Start)
		if err != nil || len(st.Organizations) != 200 || st.MoreOrganizations != 3 || st.Organizations[0].Name != "org202" {
			t.Errorf("%d organizations and %d more, %v", len(st.Organizations), st.MoreOrganizations, err)
		}
		if len(st.Apps) != 200 || st.MoreApps != 3 || st.Apps[0] != (store.AppStats{App: "app202", Active: 2}) {
			t.Errorf("%d apps and %d more; the first is %+v", len(st.Apps), st.MoreApps, st.Apps[0])
		}
	})
}
