package history_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	"rollcall/store/history"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// loginOf reports a login of somebody of an organization in an app.
func loginOf(t testing.TB, s *store.Store, now time.Time, app, organization, id string) store.LoginResult {
	t.Helper()
	result, err := s.Login(t.Context(), now, store.By{App: app}, store.Login{User: store.UserInput{ID: id, Organization: &organization}})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func sampleActivity(t testing.TB, s *store.Store, now time.Time) {
	t.Helper()
	if err := s.History.Sample(t.Context(), now); err != nil {
		t.Fatal(err)
	}
}

// samples are the rows of the table as text, without their time.
func samples(t testing.TB, db *sql.DB) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `
		SELECT COALESCE(o.name, '*'), CASE app WHEN '' THEN '*' ELSE app END, people
		FROM activity_samples LEFT JOIN organizations o ON o.id = organization_id ORDER BY at, organization_id, app`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var organization, app string
		var people int
		if err := rows.Scan(&organization, &app, &people); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(organization, "/", app, "=", people))
	}
	return strings.Join(all, " ")
}

func TestASampleCountsEveryPersonOnceInEachSeries(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	for _, who := range []struct{ app, organization, id string }{
		{"shop", "Acme", "ada"}, {"shop", "Acme", "ada"}, {"crm", "Acme", "ada"}, {"crm", "Acme", "bob"}, {"shop", "Zeta", "cyd"}, {"crm", "", "dan"},
		{presence.PanelApp, "Zeta", "watcher"},
	} {
		loginOf(t, s, Start, who.app, who.organization, who.id)
	}
	sampleActivity(t, s, Start)
	const want = "*/*=4 */crm=3 */shop=2 Acme/*=2 Acme/crm=2 Acme/shop=1 Zeta/*=1 Zeta/shop=1"
	if got := samples(t, db); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if at := Number(t, db, `SELECT MAX(at) FROM activity_samples`); at != Start.UnixMilli() {
		t.Errorf("it is of %v", time.UnixMilli(at))
	}
	sampleActivity(t, s, Start.Add(time.Hour))
	if got := samples(t, db); got != want+" */*=0" {
		t.Errorf("with nobody online: %s", got)
	}
	ExecSQL(t, db, `DELETE FROM organizations WHERE name = 'Acme'`)
	if got := samples(t, db); got != "*/*=4 */crm=3 */shop=2 Zeta/*=1 Zeta/shop=1 */*=0" {
		t.Errorf("without the organization: %s", got)
	}
}

func TestOneIntervalHasOneSampleAndTheHighestWins(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	bob := LogIn(t, s, Start, "bob")
	Touch(t, s, Start, bob.Token, store.Beat{})
	Touch(t, s, Start, LogIn(t, s, Start, "ada").Token, store.Beat{})
	sampleActivity(t, s, Start)
	Touch(t, s, Start, loginOf(t, s, Start, "shop", "", "cyd").Token, store.Beat{})
	sampleActivity(t, s, Start.Add(4*time.Minute))
	if got := samples(t, db); got != "*/*=2 */shop=2" {
		t.Errorf("a second sample of the interval: %s", got)
	}
	restarted := Open(t, folder, presence.DefaultRules())
	sampleActivity(t, restarted, Start.Add(4*time.Minute))
	if got := samples(t, db); got != "*/*=3 */shop=3" {
		t.Errorf("after a restart with more people: %s", got)
	}
	if _, err := s.EndByID(t.Context(), Start.Add(time.Minute), "", bob.ID, presence.EndLogout); err != nil {
		t.Fatal(err)
	}
	again := Open(t, folder, presence.DefaultRules())
	sampleActivity(t, again, Start.Add(4*time.Minute+59*time.Second))
	if got := samples(t, db); got != "*/*=3 */shop=3" {
		t.Errorf("after a restart with fewer people: %s", got)
	}
	sampleActivity(t, again, Start.Add(5*time.Minute))
	if n := Number(t, db, `SELECT COUNT(DISTINCT at) FROM activity_samples`); n != 2 {
		t.Errorf("%d samples in two intervals", n)
	}
}

func TestNoSampleWhileAStepOfTheClockIsForgiven(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	LogIn(t, s, Start, "ada")
	s.SetSlack(presence.Slack{Late: time.Hour})
	sampleActivity(t, s, Start.Add(time.Hour))
	if err := s.History.RecordVisitors(t.Context(), Start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := samples(t, db); got != "" || Number(t, db, `SELECT COUNT(*) FROM daily_visitors`) != 0 {
		t.Errorf("written while it is: %s", got)
	}
	s.SetSlack(presence.Slack{})
	sampleActivity(t, s, Start)
	if got := samples(t, db); got != "*/*=1 */shop=1" {
		t.Errorf("afterwards: %s", got)
	}
}

func TestHistoryIsKeptForItsRetention(t *testing.T) {
	folder := t.TempDir()
	rules := presence.DefaultRules()
	rules.Retention, rules.HistoryRetention = 24*time.Hour, 72*time.Hour
	s := Open(t, folder, rules)
	db := OpenShell(t, folder, "")
	loginOf(t, s, Start, "shop", "Acme", "ada")
	sampleActivity(t, s, Start)
	if err := RecordPeak(t.Context(), s, Start); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after       time.Duration
		rows, peaks int64
		points      string // of the organization
	}{
		{24*time.Hour - 1, 4, 1, "1"},
		{24 * time.Hour, 2, 1, "?"},
		{72*time.Hour - 1, 2, 1, "?"},
		{72 * time.Hour, 0, 1, "?"}, // the peak is the whole day's
		{96 * time.Hour, 0, 0, "?"},
	} {
		if _, err := s.Cleanup(t.Context(), Start.Add(step.after)); err != nil {
			t.Fatal(err)
		}
		rows, peaks := Number(t, db, `SELECT COUNT(*) FROM activity_samples`), Number(t, db, `SELECT COUNT(*) FROM daily_peaks`)
		if rows != step.rows || peaks != step.peaks {
			t.Errorf("after %v: %d rows and %d peaks, want %d and %d", step.after, rows, peaks, step.rows, step.peaks)
		}
		if got := points(t, s, Start.Add(step.after), history.ActivityFilter{From: Start, To: Start.Add(5 * time.Minute), Organization: "Acme"}); got != step.points {
			t.Errorf("after %v the organization has had %s, want %s", step.after, got, step.points)
		}
	}
}

// noteVisitors does what the server's jobs do.
func noteVisitors(t testing.TB, s *store.Store, now time.Time) {
	t.Helper()
	if err := RecordPeak(t.Context(), s, now); err != nil {
		t.Fatal(err)
	}
	if err := s.History.RecordVisitors(t.Context(), now); err != nil {
		t.Fatal(err)
	}
}

func visitors(t testing.TB, s *store.Store, now time.Time) (days []string) {
	t.Helper()
	a, err := s.History.Activity(t.Context(), now, history.ActivityFilter{From: Start.Add(-24 * time.Hour), To: now, Step: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range a.Days {
		n := "?"
		if d.Visitors != nil {
			n = fmt.Sprint(*d.Visitors)
		}
		days = append(days, fmt.Sprint(d.Day.Format("01-02 "), d.Peak.People, " ", n))
	}
	return days
}

func TestVisitorsOfADayAreCountedOnceItIsOver(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	midnight := Start.Truncate(24 * time.Hour).Add(24 * time.Hour)
	ada := LogIn(t, s, Start, "ada")
	LogIn(t, s, Start, "ada")
	bob := LogIn(t, s, Start.Add(time.Hour), "bob")
	loginOf(t, s, Start, presence.PanelApp, "", "watcher")
	if _, err := s.EndByID(t.Context(), Start.Add(61*time.Minute), "", bob.ID, presence.EndLogout); err != nil {
		t.Fatal(err)
	}
	noteVisitors(t, s, Start.Add(2*time.Hour))
	noteVisitors(t, s, Start.Add(2*time.Hour))
	if n := Number(t, db, `SELECT COUNT(*) FROM daily_visitors`); n != 2 {
		t.Errorf("%d visitors are noted, want 2", n)
	}
	LogIn(t, s, midnight.Add(-time.Minute), "late")
	if got := visitors(t, s, midnight.Add(-time.Second)); !cmp.Equal(got, []string{"03-02 0 ?"}) {
		t.Errorf("while the day goes on: %q", got)
	}
	noteVisitors(t, s, midnight.Add(time.Second))
	want := []string{"03-02 0 3", "03-03 1 ?"}
	for range 2 {
		if got := visitors(t, s, midnight.Add(time.Second)); !cmp.Equal(got, want) {
			t.Errorf("after midnight: %q, want %q", got, want)
		}
		noteVisitors(t, s, midnight.Add(time.Second))
	}
	if n := Number(t, db, `SELECT COUNT(*) FROM daily_visitors WHERE day < $1`, midnight.UnixMilli()); n != 0 {
		t.Errorf("%d names of yesterday are left", n)
	}
	Touch(t, s, midnight.Add(time.Hour), ada.Token, store.Beat{})
	noteVisitors(t, s, midnight.Add(time.Hour))
	if n := Number(t, db, `SELECT COUNT(*) FROM daily_visitors WHERE user_id = 'ada'`); n != 1 {
		t.Error("who was there yesterday too is not noted")
	}
	if _, err := s.DeleteUser(t.Context(), Start, Shop, "ada"); err != nil {
		t.Fatal(err)
	}
	if n := Number(t, db, `SELECT COUNT(*) FROM daily_visitors WHERE user_id = 'ada'`); n != 0 {
		t.Error("a deleted user is still noted")
	}
}

func TestVisitorsAreCountedLateAndNeverInvented(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	day := Start.Truncate(24 * time.Hour)
	ExecSQL(t, db, `INSERT INTO daily_peaks (day, people, at) VALUES ($1, 5, $1)`, day.Add(-24*time.Hour).UnixMilli()) // by an older version
	LogIn(t, s, Start, "ada")
	LogIn(t, s, Start, "bob")
	noteVisitors(t, s, Start)
	ExecSQL(t, db, `INSERT INTO daily_peaks (day, people, at) VALUES ($1, 0, $1)`, day.Add(24*time.Hour).UnixMilli()) // nobody came
	later := Start.Add(5 * 24 * time.Hour)
	noteVisitors(t, s, later)
	want := []string{"03-01 5 ?", "03-02 2 2", "03-03 0 0", "03-07 0 ?"}
	if got := visitors(t, s, later); !cmp.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCountingVisitorsThatWasInterrupted(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	zero := LogIn(t, s, Start, "0")
	LogIn(t, s, Start, "1")
	LogIn(t, s, Start, "2")
	noteVisitors(t, s, Start)
	// Counted, and then killed while the names were removed.
	ExecSQL(t, db, `UPDATE daily_peaks SET visitors = 3`)
	ExecSQL(t, db, `DELETE FROM daily_visitors WHERE user_id = '0'`)
	tomorrow := Start.Add(24*time.Hour - time.Second)
	Touch(t, s, tomorrow, zero.Token, store.Beat{})
	noteVisitors(t, s, tomorrow)
	if got, want := visitors(t, s, tomorrow), []string{"03-02 3 3", "03-03 1 ?"}; !cmp.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if n := Number(t, db, `SELECT COUNT(*) FROM daily_visitors WHERE day < $1`, tomorrow.Truncate(24*time.Hour).UnixMilli()); n != 0 {
		t.Errorf("%d names are left", n)
	}
}

func TestAllVisitorsAreNotedHoweverMany(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	const many = 12000
	ExecSQL(t, db, `WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		INSERT INTO users (id, created_at, updated_at) SELECT 'u' || i, 0, 0 FROM n`, many)
	ExecSQL(t, db, `INSERT INTO user_sessions (id, user_id, app, token_sha256, last_activity_at, created_at, expires_at, is_active, ended_at, end_reason)
		SELECT i, id, 'shop', $2, $1, $1, CAST($1 AS BIGINT) + 86400000, i % 2 = 1, CASE i % 2 WHEN 0 THEN CAST($1 AS BIGINT) + 1 END, CASE i % 2 WHEN 0 THEN 'logout' END
		FROM (SELECT id, ROW_NUMBER() OVER () AS i FROM users) numbered`, Start.UnixMilli(), make([]byte, 32)) // all at once, so that only their ids tell where a read ended
	for range 2 {
		noteVisitors(t, s, Start)
		if n := Number(t, db, `SELECT COUNT(*) FROM daily_visitors`); n != many {
			t.Errorf("%d visitors are noted, want %d", n, many)
		}
	}
}

func TestNobodyKnowsTheDayOfAPeakWhileTheClockIsSkewed(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	ahead := Start.Add(48 * time.Hour)
	for name, slack := range map[string]presence.Slack{"the clock has stepped": {Late: 48 * time.Hour}, "an outage": {Silent: time.Minute}} {
		s.SetSlack(slack)
		if err := s.History.RecordPeak(t.Context(), ahead, 5); err != nil {
			t.Fatal(err)
		}
		if n := Number(t, db, `SELECT COUNT(*) FROM daily_peaks`); n != 0 {
			t.Errorf("%s: %d peaks", name, n)
		}
	}
	s.SetSlack(presence.Slack{})
	if err := s.History.RecordPeak(t.Context(), Start, 5); err != nil {
		t.Fatal(err)
	}
	if n := Number(t, db, `SELECT SUM(people) FROM daily_peaks`); n != 5 {
		t.Errorf("a peak of %d, want 5", n)
	}
}
