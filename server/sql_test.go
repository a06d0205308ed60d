package server

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

var sqlBlock = regexp.MustCompile("(?s)```sql\n(.*?)```")

// readmeQueries are the queries of the README, in order.
func readmeQueries(t *testing.T) (queries []string) {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## Monitoring with SQL\n")
	if !found {
		t.Fatal("the README has no section Monitoring with SQL")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for _, block := range sqlBlock.FindAllStringSubmatch(section, -1) {
		queries = append(queries, block[1])
	}
	return queries
}

// forPostgres is what the README says to write otherwise there.
var forPostgres = strings.NewReplacer("unixepoch()", "extract(epoch FROM now())", "datetime(", "to_timestamp(", ", 'unixepoch')", ")")

// query returns the columns and rows of a query, as its shell does, on the
// database that stands for folder.
func query(t *testing.T, folder, text string) (columns string, found []string) {
	t.Helper()
	if storetest.Postgres {
		text = forPostgres.Replace(text)
	}
	db := storetest.Shell(t, folder)
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, value := range values {
			cells = append(cells, cell(*value.(*any)))
		}
		found = append(found, strings.Join(cells, " "))
	}
	return strings.Join(names, " "), found
}

// cell writes a value the same way whatever a database has as a number or a time.
func cell(value any) string {
	switch value := value.(type) {
	case time.Time:
		return value.UTC().Format(time.DateTime)
	case string:
		if n, err := strconv.ParseFloat(value, 64); err == nil { // a NUMERIC
			return fmt.Sprint(n)
		}
	}
	return fmt.Sprint(value)
}

// workday logs people in by the real clock, which SQL reads: one is there, by two
// applications; one has closed the tab, one was not heard of for six minutes, one
// has expired, and two have logged out.
func workday(t *testing.T, b *bench, now time.Time) {
	t.Helper()
	login := func(user, app, organization, address string, ago time.Duration) string {
		device := map[string]store.Device{"shop": {OS: "Linux", Browser: "Firefox 140"}, "blog": {OS: "Android", Browser: "Chrome 141"}}[app]
		in := store.Login{User: store.UserInput{ID: user, Name: new(strings.ToUpper(user)), Organization: &organization},
			Origin: store.Origin{IPAddress: address, Device: device}}
		result, err := b.store.Login(t.Context(), now.Add(-ago), store.By{App: app}, in)
		if err != nil {
			t.Fatal(err)
		}
		return result.Token
	}
	login("ada", "shop", "Analytics", "192.0.2.1", time.Minute)
	login("ada", "blog", "Analytics", "192.0.2.2", 2*time.Minute)
	left := login("bob", "shop", "Engines", "192.0.2.1", 3*time.Minute)
	if _, err := b.store.Touch(t.Context(), now.Add(-time.Minute), left, store.Beat{Leaving: true}); err != nil {
		t.Fatal(err)
	}
	login("cleo", "shop", "Engines", "192.0.2.3", 6*time.Minute)
	login("gil", "shop", "Engines", "192.0.2.3", 150*time.Second) // no heartbeat followed
	login("dan", "shop", "Engines", "192.0.2.4", 25*time.Hour)
	for user, lasted := range map[string]time.Duration{"eve": 10 * time.Minute, "fay": 45 * time.Minute} {
		token := login(user, "shop", "", "192.0.2.5", 2*time.Hour)
		if _, err := b.store.EndByToken(t.Context(), now.Add(lasted-2*time.Hour), "shop", token, presence.EndLogout); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheReadmesQueriesSayWhatTheAPISays(t *testing.T) {
	folder, now := t.TempDir(), time.Now()
	b := newBench(t, storetest.Open(t, folder, presence.DefaultRules()), func(c *Config) { c.Now = time.Now })
	b.admin(t)
	workday(t, b, now)
	key := b.key(t, "ops", "read")
	active := func(user string, ago time.Duration) string {
		return user + " " + strings.ToUpper(user) + " " + now.Add(-ago).UTC().Format(time.DateTime)
	}
	want := map[string][]string{
		"active_sessions":              {"5"},
		"organization active_sessions": {"Engines 3", "Analytics 2"},
		"browser os active_sessions":   {"Firefox 140 Linux 4", "Chrome 141 Android 1"},
		"average_minutes":              {"27.5"},
		"expired_sessions":             {"1"},
		"user_id name email":           {"ada ADA "},
		"user_id name last_activity": {active("ada", time.Minute), active("bob", 3*time.Minute), active("gil", 150*time.Second), active("cleo", 6*time.Minute),
			active("eve", 2*time.Hour), active("fay", 2*time.Hour), active("dan", 25*time.Hour)},
		"ip_address sessions users": {"192.0.2.1 2 2", "192.0.2.3 2 2", "192.0.2.2 1 1"},
	}
	got := map[string][]string{}
	for _, text := range readmeQueries(t) {
		columns, rows := query(t, folder, text)
		got[columns] = rows
	}
	slices.Sort(got["user_id name last_activity"]) // eve and fay were at once
	slices.Sort(want["user_id name last_activity"])
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the README's queries: %s", diff)
	}
	api := do(t, b, "GET", "/admin/stats", nil, bearing(key)).wants(200)
	said := fmt.Sprint(api["active_sessions"], api["average_duration_minutes"], api["expired_sessions"], api["online_users"])
	if said != "5 27.5 1 1" {
		t.Errorf("the API says %s", said)
	}
	people := do(t, b, "GET", "/admin/users/online", nil, bearing(key)).wants(200)["users"].([]any)
	if len(people) != 1 || people[0].(map[string]any)["id"] != "ada" {
		t.Errorf("the API says that these are online: %v", people)
	}
}
