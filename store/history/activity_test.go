package history_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/history"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// points are those of an answer as text: "?" where nothing is known.
func points(t testing.TB, s *store.Store, now time.Time, f history.ActivityFilter) string {
	t.Helper()
	a, err := s.History.Activity(t.Context(), now, f)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for i, p := range a.Points {
		if want := a.From.Add(time.Duration(i) * a.Step); !p.At.Equal(want) {
			t.Fatalf("point %d is at %v, want %v", i, p.At, want)
		}
		if p.People == nil {
			all = append(all, "?")
		} else {
			all = append(all, fmt.Sprint(*p.People))
		}
	}
	return strings.Join(all, " ")
}

// addSample adds a row of an organization, 0 for all, and an app, "" for all.
func addSample(t testing.TB, db *sql.DB, at time.Time, organization int, app string, people int) {
	t.Helper()
	ExecSQL(t, db, `INSERT INTO activity_samples (organization_id, app, at, people) VALUES ($1, $2, $3, $4)`, organization, app, at.UnixMilli(), people)
}

func TestActivityTellsNobodyFromUnknown(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	at := func(minutes int) time.Time { return Start.Add(time.Duration(minutes) * time.Minute) }
	ExecSQL(t, db, `INSERT INTO organizations (id, name, created_at) VALUES (7, 'Acme', 0)`)
	for minutes, people := range map[int]int{0: 3, 5: 0, 15: 2, 30: 9} { // 10, 20 and 25 are missing
		addSample(t, db, at(minutes), 0, "", people)
	}
	addSample(t, db, at(0), 0, "shop", 1)
	addSample(t, db, at(10), 0, "shop", 1) // of a sample that was cut short, and so is none
	addSample(t, db, at(30), 0, "shop", 4)
	addSample(t, db, at(15), 7, "", 2)
	addSample(t, db, at(15), 7, "shop", 1)
	for _, c := range []struct {
		name string
		f    history.ActivityFilter
		now  int
		want string
	}{
		{"all", history.ActivityFilter{From: at(0), To: at(35)}, 60, "3 0 ? 2 ? ? 9"},
		{"an app", history.ActivityFilter{From: at(0), To: at(35), App: "shop"}, 60, "1 0 ? 0 ? ? 4"},
		{"an organization", history.ActivityFilter{From: at(0), To: at(35), Organization: "Acme"}, 60, "0 0 ? 2 ? ? 0"},
		{"both", history.ActivityFilter{From: at(0), To: at(35), Organization: "Acme", App: "shop"}, 60, "0 0 ? 1 ? ? 0"},
		{"an organization that is not there", history.ActivityFilter{From: at(0), To: at(10), Organization: "acme"}, 60, "0 0"},
		{"the highest of a step, though some are missing", history.ActivityFilter{From: at(0), To: at(40), Step: 10 * time.Minute}, 60, "3 2 ? 9"},
		{"whole steps", history.ActivityFilter{From: at(2), To: at(16), Step: 10 * time.Minute}, 60, "3 2"},
		{"before the first", history.ActivityFilter{From: at(-10), To: at(5)}, 60, "? ? 3"},
		{"up to now, though more is asked for", history.ActivityFilter{From: at(15), To: at(600)}, 24, "2"},
		{"what goes on, with a sample", history.ActivityFilter{From: at(15), To: at(31)}, 31, "2 ? ? 9"},
		{"what goes on, without one", history.ActivityFilter{From: at(30), To: at(37)}, 37, "9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := points(t, s, at(c.now), c.f); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestTheStepThatSuitsARange(t *testing.T) {
	s := New(t)
	now := Start.Truncate(24 * time.Hour)
	for _, c := range []struct{ days, minutes int }{{1, 5}, {2, 10}, {7, 60}, {30, 180}, {90, 720}, {365, 2880}, {4000, 14 * 1440}} {
		a, err := s.History.Activity(t.Context(), now, history.ActivityFilter{From: now.AddDate(0, 0, -c.days), To: now})
		if err != nil || a.Step != time.Duration(c.minutes)*time.Minute || len(a.Points) > 301 {
			t.Errorf("%d days: a step of %v with %d points, %v", c.days, a.Step, len(a.Points), err)
		}
	}
}

func TestARangeThatCanNotBeIsRefused(t *testing.T) {
	s := New(t)
	ago := func(d time.Duration) time.Time { return Start.Add(-d) }
	for name, f := range map[string]history.ActivityFilter{
		"backwards":                {From: ago(time.Hour), To: ago(2 * time.Hour)},
		"nothing":                  {From: ago(time.Hour), To: ago(time.Hour)},
		"the future":               {From: Start.Add(time.Minute), To: Start.Add(time.Hour)},
		"a step of three minutes":  {From: ago(time.Hour), To: Start, Step: 3 * time.Minute},
		"a step of seven minutes":  {From: ago(time.Hour), To: Start, Step: 7 * time.Minute},
		"a step back":              {From: ago(time.Hour), To: Start, Step: -5 * time.Minute},
		"a step below any":         {From: ago(time.Hour), To: Start, Step: time.Nanosecond},
		"more points than allowed": {From: ago(1001 * 5 * time.Minute), To: Start, Step: 5 * time.Minute},
	} {
		if _, err := s.History.Activity(t.Context(), Start, f); err == nil {
			t.Errorf("%s is accepted", name)
		} else {
			WantError(t, err, sqldb.ErrInvalid)
		}
	}
	if got := points(t, s, Start, history.ActivityFilter{From: ago(1000 * 5 * time.Minute), To: Start, Step: 5 * time.Minute}); len(strings.Fields(got)) != 1000 {
		t.Error("1000 points are not 1000")
	}
}

func TestTheLengthOfSessionsThatEndedInTheRange(t *testing.T) {
	s := New(t)
	for _, who := range []struct {
		app, organization string
		minutes           int
	}{{"shop", "Acme", 10}, {"shop", "", 20}, {"crm", "Acme", 60}, {"shop", "", 600}, {presence.PanelApp, "", 15}} {
		session := loginOf(t, s, Start, who.app, who.organization, fmt.Sprint(who.minutes))
		if _, err := s.EndByID(t.Context(), Start.Add(time.Duration(who.minutes)*time.Minute), "", session.ID, presence.EndLogout); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		app, organization string
		average, median   float64
	}{{"", "", 30, 20}, {"shop", "", 15, 15}, {"", "Acme", 35, 35}, {"crm", "Acme", 60, 60}, {"none", "", 0, 0}, {"", "none", 0, 0}} {
		a, err := s.History.Activity(t.Context(), Start.Add(24*time.Hour), history.ActivityFilter{From: Start, To: Start.Add(90 * time.Minute), App: c.app, Organization: c.organization})
		if err != nil {
			t.Fatal(err)
		}
		if l := a.Sessions; c.average == 0 && (l.Average != nil || l.Median != nil) || c.average > 0 && (l.Average.Minutes() != c.average || l.Median.Minutes() != c.median) {
			t.Errorf("%s %s: %v and %v", c.app, c.organization, l.Average, l.Median)
		}
	}
}

func TestWhoWasOnAtATime(t *testing.T) {
	s := New(t)
	at := Start.Add(time.Hour)
	begin := func(id string, LogIn time.Duration) store.LoginResult {
		return loginOf(t, s, at.Add(LogIn), "shop", "", id)
	}
	beat := func(session store.LoginResult, after time.Duration, b store.Beat) {
		Touch(t, s, at.Add(after), session.Token, b)
	}
	end := func(session store.LoginResult, after time.Duration) {
		if _, err := s.EndByID(t.Context(), at.Add(after), "", session.ID, presence.EndLogout); err != nil {
			t.Fatal(err)
		}
	}
	begin("logged in later", time.Minute)
	begin("just logged in", -time.Second)
	begin("silent for long", -6*time.Minute)
	beat(begin("heard of before", -time.Hour), -4*time.Minute, store.Beat{})
	beat(begin("heard of later", -time.Hour), 3*time.Hour, store.Beat{})
	gone := begin("logged out before", -time.Hour)
	beat(gone, -2*time.Minute, store.Beat{})
	end(gone, -time.Minute)
	end(begin("logged out later", -time.Minute), time.Minute)
	left := begin("left before", -time.Hour)
	beat(left, -4*time.Minute, store.Beat{})
	beat(left, -3*time.Minute, store.Beat{Leaving: true})
	leaving := begin("left just then", -time.Hour)
	beat(leaving, -2*time.Second, store.Beat{})
	beat(leaving, -time.Second, store.Beat{Leaving: true})
	loginOf(t, s, at, presence.PanelApp, "", "watcher")
	page, err := s.Sessions(t.Context(), at.Add(4*time.Hour), store.SessionFilter{At: &at, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, session := range page.Sessions {
		got[session.User.ID] = true
	}
	for _, id := range []string{"just logged in", "heard of before", "heard of later", "logged out later", "left just then"} {
		if !got[id] {
			t.Errorf("not listed: who %s", id)
		}
		delete(got, id)
	}
	if len(got) > 0 {
		t.Errorf("listed: %v", got)
	}
	if n, err := s.CountSessions(t.Context(), at, store.SessionFilter{At: &at}); err != nil || n != 5 {
		t.Errorf("%d are counted, %v", n, err)
	}
}
