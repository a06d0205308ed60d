package store_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// history is a store in which, by minute after Start:
//
//	0  ada logs in to shop from 192.0.2.1, and 1 to the panel's app; both stay
//	2  bob logs in and sends a heartbeat at 20; he is of Acme
//	3  cyd logs in and out at 8
//	4  dan logs in and is revoked at 9
//	5  eve logs in to blog
//
// Some of them on devices.
func sessionHistory(t *testing.T, s *store.Store) map[string]store.LoginResult {
	t.Helper()
	made := map[string]store.LoginResult{}
	for i, id := range []string{"ada", "", "bob", "cyd", "dan", "eve"} {
		if id == "" {
			continue
		}
		by, in := Shop, store.Login{User: store.UserInput{ID: id, Name: text("Name of " + id)}, Origin: store.Origin{IPAddress: fmt.Sprintf("192.0.2.%d", i+1), Device: devices[id]}}
		if id == "eve" {
			by = store.By{App: "blog"}
		}
		if id == "bob" {
			in.User.Organization = text("Acme")
		}
		result, err := s.Login(t.Context(), after(i), by, in)
		if err != nil {
			t.Fatal(err)
		}
		made[id] = result
	}
	if _, err := s.CreateFirstAccount(t.Context(), after(1), "root", "a password that is long enough"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SignInAs(t.Context(), after(1), store.AccountID("root"), store.Origin{}); err != nil {
		t.Fatal(err)
	}
	Touch(t, s, after(20), made["bob"].Token, store.Beat{})
	end(t, s, after(8), made["cyd"].ID, presence.EndLogout)
	end(t, s, after(9), made["dan"].ID, presence.EndRevoked)
	return made
}

var devices = map[string]store.Device{
	"ada": {Type: "desktop", OS: "Windows", Browser: "Firefox 140"}, "bob": {Type: "mobile", OS: "iOS", Browser: "Safari 18"},
	"cyd": {Type: "desktop", OS: "Windows", Browser: "Firefox 99"}, "dan": {Type: "tablet", OS: "Android", Browser: "100% Browser_1 2"},
}

// after returns the instant n minutes after Start.
func after(n int) time.Time { return Start.Add(time.Duration(n) * minute) }

func end(t testing.TB, s *store.Store, now time.Time, id int64, reason presence.EndReason) {
	t.Helper()
	if ok, err := s.EndByID(t.Context(), now, "", id, reason); !ok || err != nil {
		t.Fatal(ok, err)
	}
}

// whose returns the users of the sessions that match, in their order.
func whose(t testing.TB, s *store.Store, now time.Time, f store.SessionFilter) string {
	t.Helper()
	f.Limit = 100
	page, err := s.Sessions(t.Context(), now, f)
	if err != nil {
		t.Fatal(err)
	}
	var users []string
	for _, session := range page.Sessions {
		users = append(users, session.User.ID)
	}
	return strings.Join(users, " ")
}

func TestSessionsByFilter(t *testing.T) {
	at := func(n int) *time.Time { m := after(n); return &m }
	Each(t, func(t *testing.T, s *store.Store) {
		ada := sessionHistory(t, s)["ada"]
		for _, test := range []struct {
			fact, want string
			f          store.SessionFilter
		}{
			{"without a filter: who is logged in, last heard of first", "bob eve ada", store.SessionFilter{}},
			{"online needs a recent heartbeat", "bob", store.SessionFilter{State: store.ScopeOnline}},
			{"the ended ones, last ended first", "dan cyd", store.SessionFilter{State: store.ScopeEnded}},
			{"all, last begun first", "eve dan cyd bob ada", store.SessionFilter{State: store.ScopeAll}},
			{"all by activity", "bob eve dan cyd ada", store.SessionFilter{State: store.ScopeAll, Sort: store.SortActivity}},
			{"the panel's by its app only", "rollcall:root", store.SessionFilter{App: presence.PanelApp}},
			{"of an app", "eve", store.SessionFilter{App: "blog"}},
			{"of a user", "ada", store.SessionFilter{User: "ada"}},
			{"a user's id is exact", "", store.SessionFilter{User: "ad"}},
			{"of an organization", "bob", store.SessionFilter{Organization: "Acme"}},
			{"from an address", "ada", store.SessionFilter{IP: "192.0.2.1"}},
			{"an address is exact", "", store.SessionFilter{IP: "192.0.2"}},
			{"on a type of device", "ada", store.SessionFilter{Device: "Desktop"}},
			{"on an operating system", "cyd ada", store.SessionFilter{Device: "windows", State: store.ScopeAll}},
			{"in a browser of any version", "cyd ada", store.SessionFilter{Device: "FIREFOX", State: store.ScopeAll}},
			{"in one of a certain version", "cyd", store.SessionFilter{Device: "firefox 99", State: store.ScopeAll}},
			{"a browser's name is exact", "", store.SessionFilter{Device: "Fire", State: store.ScopeAll}},
			{"its characters are no pattern", "", store.SessionFilter{Device: "Firefo_", State: store.ScopeAll}},
			{"whatever they are", "dan", store.SessionFilter{Device: "100% browser_1", State: store.ScopeAll}},
			{"unknown devices are not found by it", "", store.SessionFilter{Device: " ", State: store.ScopeAll}},
			{"part of a name", "eve", store.SessionFilter{Search: "OF EVE"}},
			{"by reason: of ended ones", "dan", store.SessionFilter{Reason: presence.EndRevoked}},
			{"who was on at an instant", "dan cyd bob ada", store.SessionFilter{From: at(4), To: at(4)}},
			{"who ends at an instant is off then", "eve dan bob ada", store.SessionFilter{From: at(8), To: at(8)}},
			{"who was on between", "eve dan bob ada", store.SessionFilter{From: at(8), To: at(30)}},
			{"until an instant", "bob ada", store.SessionFilter{To: at(2)}},
			{"since an instant, of those who are logged in", "bob eve ada", store.SessionFilter{From: at(9), State: store.ScopeActive}},
			{"all but", "bob eve", store.SessionFilter{Except: []int64{ada.ID}}},
		} {
			if got := whose(t, s, after(21), test.f); got != test.want {
				t.Errorf("%s: got %q, want %q", test.fact, got, test.want)
			}
		}
		past := Start.Add(24*time.Hour + 10*time.Minute) // all but bob have expired, and nobody has cleaned up
		for scope, want := range map[store.SessionScope]string{store.ScopeActive: "bob", store.ScopeEnded: "dan cyd", store.ScopeAll: "eve dan cyd bob ada"} {
			if got := whose(t, s, past, store.SessionFilter{State: scope}); got != want {
				t.Errorf("%s a day later: got %q, want %q", scope, got, want)
			}
		}
	})
}

func TestFiltersOfSessionsThatAreRefused(t *testing.T) {
	s := New(t)
	early, late := after(1), after(2)
	Touch(t, s, after(4), sessionHistory(t, s)["ada"].Token, store.Beat{})
	people, err := s.Online(t.Context(), after(4), store.OnlineFilter{Sort: store.SortName, Limit: 1})
	if err != nil || people.Next == "" {
		t.Fatal(err, people)
	}
	for name, f := range map[string]store.SessionFilter{
		"an unknown state":           {State: "open"},
		"an unknown sort":            {Sort: "name"},
		"an unknown reason":          {Reason: "bored"},
		"the end of active sessions": {Sort: store.SortEnded, State: store.ScopeActive},
		"a reason of active ones":    {Reason: presence.EndRevoked, State: store.ScopeActive},
		"a time that ends first":     {From: &late, To: &early},
		"garbage as cursor":          {Cursor: "garbage"},
		"the cursor of another list": {Cursor: people.Next},
		"one with a text as its key": {Cursor: "eyJzIjoibGFzdF9hY3Rpdml0eSIsImsiOiJ4IiwidCI6MX0"},
	} {
		f.Limit = 10
		if _, err := s.Sessions(t.Context(), after(21), f); err == nil {
			t.Errorf("%s is taken", name)
		} else {
			WantError(t, err, sqldb.ErrInvalid)
		}
	}
}

func TestAListedSessionTellsAllOfIt(t *testing.T) {
	s := New(t)
	dan := sessionHistory(t, s)["dan"]
	page, err := s.Sessions(t.Context(), after(21), store.SessionFilter{User: "dan", State: store.ScopeAll, Limit: 1})
	if err != nil || len(page.Sessions) != 1 {
		t.Fatal(page, err)
	}
	ended := after(9)
	want := store.ListedSession{
		OnlineSession: store.OnlineSession{Session: store.Session{ID: dan.ID, App: "shop", ExpiresAt: after(4).Add(24 * time.Hour)},
			CreatedAt: after(4), LastActivity: after(4), LastInput: after(4), Origin: store.Origin{IPAddress: "192.0.2.5", Device: devices["dan"]}},
		User: store.User{ID: "dan", Name: "Name of dan"}, State: presence.StateEnded, EndedAt: &ended, EndReason: presence.EndRevoked,
	}
	if diff := cmp.Diff(want, page.Sessions[0]); diff != "" {
		t.Error(diff)
	}
}

// TestWhoStaysPutIsListedOnce pages through sessions of which, between any two
// pages, some move, end and begin.
func TestWhoStaysPutIsListedOnce(t *testing.T) {
	for _, f := range []store.SessionFilter{
		{}, {Sort: store.SortCreated}, {State: store.ScopeOnline}, {State: store.ScopeAll}, {State: store.ScopeAll, Sort: store.SortActivity},
		{State: store.ScopeEnded}, {State: store.ScopeEnded, Sort: store.SortCreated}, {State: store.ScopeEnded, Sort: store.SortActivity},
	} {
		t.Run(fmt.Sprint(f.State, " by ", f.Sort), func(t *testing.T) {
			s := New(t)
			var moving []store.LoginResult
			stay := map[int64]int{}
			for i := range 60 {
				made := LogIn(t, s, Start.Add(time.Duration(i/20)*time.Second), fmt.Sprint("u", i)) // many at the same time
				if i%3 == 0 {
					moving = append(moving, made)
					continue
				}
				stay[made.ID] = 0
				if f.State == store.ScopeEnded {
					end(t, s, Start.Add(time.Duration(3+i/30)*time.Second), made.ID, presence.EndLogout)
				}
			}
			for now, f := Start.Add(10*time.Second), (store.SessionFilter{State: f.State, Sort: f.Sort, Limit: 7}); ; now = now.Add(time.Second) {
				page, err := s.Sessions(t.Context(), now, f)
				if err != nil {
					t.Fatal(err)
				}
				for _, session := range page.Sessions {
					if _, stays := stay[session.ID]; stays {
						stay[session.ID]++
					}
				}
				if f.Cursor = page.Next; f.Cursor == "" {
					break
				}
				for i, made := range moving[:min(2, len(moving))] {
					if Touch(t, s, now, made.Token, store.Beat{}); i == 1 {
						end(t, s, now, made.ID, presence.EndLogout)
					}
				}
				moving = append(moving[min(2, len(moving)):], LogIn(t, s, now, "new"))
			}
			for id, times := range stay {
				if times != 1 {
					t.Errorf("session %d is listed %d times", id, times)
				}
			}
		})
	}
}

// fill stores n sessions of 1000 users, three a second, of which most have ended.
func fill(t testing.TB, db *sql.DB, n int) {
	t.Helper()
	if !Postgres {
		ExecSQL(t, db, `PRAGMA synchronous = OFF`)
	}
	ExecSQL(t, db, `INSERT INTO organizations (id, name, created_at) VALUES (1, 'Acme', 0), (2, 'Rare', 0)`)
	ExecSQL(t, db, `
		WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 299)
		INSERT INTO user_agents (id, user_agent, device_type, device_os, device_browser)
		SELECT i + 1, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/' || i || '.0.0.0 Safari/537.36',
			'desktop', 'Linux', 'Chrome ' || i FROM n`)
	ExecSQL(t, db, `
		WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
		INSERT INTO users (id, organization_id, name, email, created_at, updated_at)
		SELECT 'u' || i, CASE WHEN i < 5 THEN 2 ELSE 1 END, 'Name ' || i, 'u' || i || '@example.com', 0, 0 FROM n`)
	ExecSQL(t, db, `
		WITH RECURSIVE n(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < CAST($1 AS BIGINT) - 1)
		INSERT INTO user_sessions (id, user_id, app, token_sha256, ip_address, user_agent_id, page,
			last_activity_at, created_at, expires_at, is_active, ended_at, end_reason)
		SELECT i * 92233720368547 % 9223372036854775783, 'u' || (i % 1000), 'shop', $3, '192.0.2.' || (i % 200),
			i % 300 + 1, '/a/page/of/it',
			CAST($2 AS BIGINT) - i * 333, CAST($2 AS BIGINT) - i * 333 - 600000, CAST($2 AS BIGINT) - i * 333 + 86400000,
			i % 5 > 2, CASE WHEN i % 5 <= 2 THEN CAST($2 AS BIGINT) - i * 333 END, CASE WHEN i % 5 <= 2 THEN 'logout' END FROM n`, n, Start.UnixMilli(), make([]byte, 32))
}

// straight are the lists that are read from an index, however long they are.
var straight = map[string]store.SessionFilter{
	"online":            {State: store.ScopeOnline},
	"active":            {},
	"active by created": {Sort: store.SortCreated},
	"ended":             {State: store.ScopeEnded},
	"ended by created":  {State: store.ScopeEnded, Sort: store.SortCreated},
	"all":               {State: store.ScopeAll},
	"a user's":          {State: store.ScopeAll, User: "u7"},
}

func TestTheUsualListsAreReadFromAnIndex(t *testing.T) {
	folder := t.TempDir()
	s := OpenFile(t, folder, presence.DefaultRules())
	for name, f := range straight {
		f.Limit = 200
		query, args := store.SessionsQuery(s, Start, f)
		lines := plan(t, ShellFile(t, folder, ""), query, args...)
		sorts := 0
		for _, line := range lines {
			if strings.Contains(line, "TEMP B-TREE") && !strings.Contains(line, " FOR LAST ") { // within a block
				sorts++
			}
		}
		want := 1 // of the page
		if f.User != "" {
			want = 2
		}
		if sorts > want || slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "SCAN s ") && !strings.Contains(line, "INDEX") }) || f.Costly() {
			t.Errorf("%s (costly: %t):\n\t%s", name, f.Costly(), strings.Join(lines, "\n\t"))
		}
	}
}

func TestAHeartbeatPaysForNoOtherIndexThanWhatDecidesWhoIsOnline(t *testing.T) {
	folder := t.TempDir()
	OpenFile(t, folder, presence.DefaultRules())
	rows, err := ShellFile(t, folder, "").QueryContext(t.Context(), `
		SELECT DISTINCT l.name FROM pragma_index_list('user_sessions') l JOIN pragma_index_info(l.name) i
		WHERE i.name IS NULL OR i.name IN ('last_activity_at', 'expires_at', 'idle_ms', 'page', 'leaving_at')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		got = append(got, name)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"user_sessions_active", "user_sessions_expiry", "user_sessions_leaving", "user_sessions_unheard"}, got); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkSessionsAmong100000(b *testing.B) {
	folder := b.TempDir()
	s := Open(b, folder, presence.DefaultRules())
	fill(b, OpenShell(b, folder, ""), 100_000)
	lists := map[string]store.SessionFilter{
		"costly: ended by activity":          {State: store.ScopeEnded, Sort: store.SortActivity},
		"costly: all by activity":            {State: store.ScopeAll, Sort: store.SortActivity},
		"costly: nobody's name":              {State: store.ScopeAll, Search: "nobody"},
		"costly: everybody's name":           {State: store.ScopeAll, Search: "name"},
		"costly: a small organization":       {State: store.ScopeAll, Organization: "Rare"},
		"costly: everybody's by activity":    {State: store.ScopeAll, Search: "name", Sort: store.SortActivity},
		"costly: everybody logged in":        {Search: "name"},
		"costly: an app without people":      {State: store.ScopeAll, App: "none"},
		"costly: the app of everybody":       {State: store.ScopeAll, App: "shop"},
		"costly: the app of all online":      {App: "shop"},
		"costly: an address":                 {State: store.ScopeAll, IP: "192.0.2.7"},
		"costly: an address that nobody has": {State: store.ScopeAll, IP: "::1"},
		"costly: an instant":                 {From: &Start, To: &Start},
		"costly: nobody's device":            {State: store.ScopeAll, Device: "vt100"},
		"costly: nobody's reason":            {Reason: presence.EndEvicted},
	}
	for name, f := range straight {
		lists[name] = f
	}
	for name, f := range lists {
		f.Limit = 200
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Sessions(b.Context(), Start, f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
