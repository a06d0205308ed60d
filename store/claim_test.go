package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

func claim(t testing.TB, s *store.Store, now time.Time, user string, c presence.Claim) {
	t.Helper()
	if err := s.SetStatus(t.Context(), now, user, c); err != nil {
		t.Fatal(err)
	}
}

func TestClaimsAreMerged(t *testing.T) {
	later := Start.Add(time.Hour)
	own := func(status presence.Status) presence.Claim { return presence.Claim{Status: status, Text: "own"} }
	by := func(app string, status presence.Status) presence.Claim {
		return presence.Claim{App: app, Status: status, Text: app}
	}
	until := func(c presence.Claim) presence.Claim { c.Until = &later; return c }
	for _, c := range []struct {
		name   string
		claims []presence.Claim // one second after another
		at     time.Time
		want   string
	}{
		{"none", nil, Start, "available "},
		{"the person's own", []presence.Claim{own("away")}, Start, "away own"},
		{"the person's before an app's", []presence.Claim{own("away"), by("a", "busy")}, Start, "away own"},
		{"busy before away", []presence.Claim{by("a", "busy"), by("b", "away")}, Start, "busy a"},
		{"of those alike the latest", []presence.Claim{by("b", "busy"), by("a", "away"), by("c", "busy"), by("b", "busy")}, Start, "busy b"},
		{"the latest away", []presence.Claim{by("b", "away"), by("a", "away")}, Start, "away a"},
		{"until it runs out", []presence.Claim{until(own("busy")), by("a", "away")}, later.Add(-time.Millisecond), "busy own"},
		{"not when it has run out", []presence.Claim{until(own("busy")), by("a", "away")}, later, "away a"},
		{"a new claim in place of the old", []presence.Claim{until(own("busy")), own("away")}, later, "away own"},
	} {
		t.Run(c.name, func(t *testing.T) {
			Each(t, func(t *testing.T, s *store.Store) {
				ada := LogIn(t, s, Start, "ada")
				for i, claimed := range c.claims {
					claim(t, s, Start.Add(time.Duration(i)*time.Second), "ada", claimed)
				}
				Touch(t, s, c.at, ada.Token, store.Beat{})
				p := person(t, s, c.at, "ada")
				if got := fmt.Sprint(p.Status, " ", p.StatusText); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
				for _, status := range []presence.Status{presence.StatusAvailable, presence.StatusBusy, presence.StatusAway} {
					page, err := s.Online(t.Context(), c.at, store.OnlineFilter{Status: status, Limit: 9})
					if n := len(page.People); err != nil || n != page.Counts.People() || (n == 1) != (status == p.Status) {
						t.Errorf("%d people are listed as %s, %+v counted, %v", n, status, page.Counts, err)
					}
				}
			})
		})
	}
}

func TestAClaimKeepsNobodyOnline(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		LogIn(t, s, Start, "ada")
		claim(t, s, Start, "ada", presence.Claim{Status: presence.StatusBusy})
		now := Start.Add(5 * time.Minute)
		page, err := s.Online(t.Context(), now, store.OnlineFilter{Limit: 9})
		if err != nil || len(page.People) != 0 || page.Counts != (presence.Counts{}) {
			t.Errorf("%+v, %v", page, err)
		}
		if p := person(t, s, now, "ada"); p.Status != presence.StatusOffline || p.StatusText != "" {
			t.Errorf("%+v", p)
		}
	})
}

func TestClaimsThatAreRefused(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		LogIn(t, s, Start, "ada")
		past, far := Start, Start.Add(366*24*time.Hour+time.Millisecond)
		for name, c := range map[string]presence.Claim{
			"no status":           {},
			"available":           {Status: presence.StatusAvailable},
			"offline":             {Status: presence.StatusOffline},
			"a long text":         {Status: presence.StatusBusy, Text: strings.Repeat("ä", 81)},
			"a line break":        {Status: presence.StatusBusy, Text: "a\nb"},
			"text that is none":   {Status: presence.StatusBusy, Text: "\xff"},
			"until now":           {Status: presence.StatusBusy, Until: &past},
			"until next year but": {Status: presence.StatusBusy, Until: &far},
		} {
			if err := s.SetStatus(t.Context(), Start, "ada", c); !errors.Is(err, sqldb.ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		claim(t, s, Start, "ada", presence.Claim{Status: presence.StatusBusy, Text: strings.Repeat("ä", 80)})
		WantError(t, s.SetStatus(t.Context(), Start, "eve", presence.Claim{Status: presence.StatusBusy}), sqldb.ErrNotFound)
		WantError(t, s.ClearStatus(t.Context(), "eve", ""), sqldb.ErrNotFound)
		WantError(t, s.ClearStatus(t.Context(), "rollcall:root", "shop"), store.ErrForbidden)
	})
}

func TestAClaimWhoseCallerLeftIsNotStored(t *testing.T) {
	s := New(t)
	LogIn(t, s, Start, "ada")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	wantLogged(t, s, func() {
		WantError(t, s.SetStatus(gone, Start, "ada", presence.Claim{Status: presence.StatusBusy}), sqldb.ErrBusy)
	})
	if p := person(t, s, Start, "ada"); p.Status != presence.StatusAvailable {
		t.Errorf("%+v", p)
	}
}

func TestTheCleanupRemovesClaimsThatRanOut(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	LogIn(t, s, Start, "ada")
	later := Start.Add(time.Minute)
	claim(t, s, Start, "ada", presence.Claim{Status: presence.StatusBusy, Until: &later})
	claim(t, s, Start, "ada", presence.Claim{App: "shop", Status: presence.StatusAway})
	db := OpenShell(t, folder, "")
	for _, step := range []struct {
		now  time.Time
		left int64
	}{{later.Add(-time.Millisecond), 2}, {later, 1}} {
		if _, err := s.Cleanup(t.Context(), step.now); err != nil {
			t.Fatal(err)
		}
		if n := Number(t, db, `SELECT COUNT(*) FROM status_claims`); n != step.left {
			t.Errorf("at %v there are %d", step.now, n)
		}
	}
}

// TestClaimsAreWhereTheCountBegins: with a million people online and few claims,
// only these few may be looked at.
func TestClaimsAreWhereTheCountBegins(t *testing.T) {
	folder := t.TempDir()
	s := OpenFile(t, folder, presence.DefaultRules())
	LogIn(t, s, Start, "ada")
	db := ShellFile(t, folder, "")
	for name, query := range map[string]func(*store.Store, time.Time) (string, []any){
		"the counts": store.CountClaimsQuery, "the list of busy": store.BusyQuery,
	} {
		text, args := query(s, Start)
		all := strings.Join(plan(t, db, text, args...), "\n")
		if !strings.Contains(all, "SEARCH s USING INDEX user_sessions_user (user_id=? AND is_active=?)") || strings.Contains(all, "user_sessions_active") {
			t.Errorf("%s are read like this:\n%s", name, all)
		}
	}
}
