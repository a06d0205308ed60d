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

// logged returns what do adds to the log, without its numbers.
func logged(t *testing.T, s *store.Store, do func()) []store.Change {
	t.Helper()
	before, err := s.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	do()
	changes, err := s.Changes(t.Context(), before, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for i := range changes {
		if changes[i].Seq != before+int64(i)+1 {
			t.Errorf("change %d has the number %d after %d", i, changes[i].Seq, before)
		}
		changes[i].Seq = 0
	}
	return changes
}

func wantLogged(t *testing.T, s *store.Store, do func(), want ...store.Change) {
	t.Helper()
	if diff := cmp.Diff(want, logged(t, s, do)); diff != "" {
		t.Error(diff)
	}
}

func TestAHeartbeatIsLoggedWhereSomebodyCouldSeeIt(t *testing.T) {
	for _, c := range []struct {
		name  string
		after time.Duration
		beat  store.Beat
		seen  bool
	}{
		{"as before", time.Minute, store.Beat{}, false},
		{"the same page", time.Minute, store.Beat{Page: text("/a")}, false},
		{"idle, but not for long", time.Minute, store.Beat{Idle: 5*time.Minute - time.Millisecond}, false},
		{"another page", time.Minute, store.Beat{Page: text("/b")}, true},
		{"idle now", time.Minute, store.Beat{Idle: 5 * time.Minute}, true},
		{"leaving", time.Minute, store.Beat{Leaving: true}, true},
		{"well online", 5*time.Minute - 10*time.Second - time.Millisecond, store.Beat{}, false},
		{"just online, and to others perhaps no more", 5*time.Minute - 10*time.Second, store.Beat{}, true},
		{"back online", 5 * time.Minute, store.Beat{}, true},
		{"by a clock that was set back a little", -time.Millisecond, store.Beat{}, true},
		{"by a clock that was set back", -5*time.Minute - time.Millisecond, store.Beat{}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			Each(t, func(t *testing.T, s *store.Store) {
				ada := LogIn(t, s, Start, "ada")
				Touch(t, s, Start, ada.Token, store.Beat{Page: text("/a")})
				var want []store.Change
				if c.seen {
					want = []store.Change{{UserID: "ada"}}
				}
				drain(s)
				wantLogged(t, s, func() { Touch(t, s, Start.Add(c.after), ada.Token, c.beat) }, want...)
				if told := drain(s); told != c.seen {
					t.Errorf("told of a commit: %v", told)
				}
			})
		})
	}
}

func TestAHeartbeatIsLoggedWhereAPersonIsShownByAnotherSession(t *testing.T) {
	for _, c := range []struct {
		name string
		beat store.Beat // of the phone; the laptop had its last input 20 s ago, the phone 40 s ago
		seen bool
	}{
		{"by the phone, which had a later input", store.Beat{Idle: time.Second}, true},
		{"by the phone, which had an input at the same time", store.Beat{Idle: 50 * time.Second}, true},
		{"not by the phone, which had an earlier input", store.Beat{Idle: 55 * time.Second}, false},
		{"not by the phone, which had no input", store.Beat{Idle: 70 * time.Second}, false},
		{"not by the phone, which denies its last input", store.Beat{Idle: 2 * time.Minute}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			Each(t, func(t *testing.T, s *store.Store) {
				phone, laptop := LogIn(t, s, Start, "ada"), LogIn(t, s, Start, "ada")
				LogIn(t, s, Start.Add(30*time.Second), "somebody else")
				Touch(t, s, Start, phone.Token, store.Beat{Idle: 40 * time.Second})
				Touch(t, s, Start, laptop.Token, store.Beat{Idle: 20 * time.Second})
				var want []store.Change
				if c.seen {
					want = []store.Change{{UserID: "ada"}}
				}
				drain(s)
				wantLogged(t, s, func() { Touch(t, s, Start.Add(30*time.Second), phone.Token, c.beat) }, want...)
				if told := drain(s); told != c.seen {
					t.Errorf("told of a commit: %v", told)
				}
			})
		})
	}
	Each(t, func(t *testing.T, s *store.Store) {
		phone, laptop := LogIn(t, s, Start, "ada"), LogIn(t, s, Start, "ada")
		Touch(t, s, Start, phone.Token, store.Beat{Idle: time.Minute})
		Touch(t, s, Start, laptop.Token, store.Beat{})
		wantLogged(t, s, func() { Touch(t, s, Start.Add(time.Second), laptop.Token, store.Beat{Idle: 2 * time.Minute}) }, store.Change{UserID: "ada"}) // less than it had
	})
}

func TestReturningIsLogged(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ada := LogIn(t, s, Start, "ada")
		Touch(t, s, Start, ada.Token, store.Beat{Leaving: true})
		wantLogged(t, s, func() { Touch(t, s, Start, ada.Token, store.Beat{}) }, store.Change{UserID: "ada"})
		Touch(t, s, Start, ada.Token, store.Beat{Idle: time.Hour})
		wantLogged(t, s, func() { Touch(t, s, Start, ada.Token, store.Beat{Idle: time.Hour}) })
		wantLogged(t, s, func() { Touch(t, s, Start, ada.Token, store.Beat{}) }, store.Change{UserID: "ada"})
	})
}

// drain tells whether a commit was announced.
func drain(s *store.Store) bool {
	select {
	case <-s.DB().Changed():
		return true
	default:
		return false
	}
}

func TestWhatIsLogged(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		var ada, bob store.LoginResult
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		wantLogged(t, s, func() { ada, bob = LogIn(t, s, Start, "ada"), LogIn(t, s, Start, "bob") },
			store.Change{UserID: "ada"}, store.Change{UserID: "bob"})
		put := func(in store.UserInput) func() {
			return func() { _, err := s.PutUser(ctx, Start, Shop, in); must(err) }
		}
		wantLogged(t, s, put(store.UserInput{ID: "ada", Name: text("Ada L.")}), store.Change{UserID: "ada"})
		wantLogged(t, s, put(store.UserInput{ID: "ada", Name: text("Ada L.")}))
		wantLogged(t, s, put(store.UserInput{ID: "ada", Organization: text("Acme")}), store.Change{UserID: "ada"})
		wantLogged(t, s, put(store.UserInput{ID: "nobody is logged in", Name: text("x")}))
		wantLogged(t, s, func() { _, err := s.EndByID(ctx, Start, "", ada.ID, presence.EndRevoked); must(err) },
			store.Change{UserID: "ada", SessionID: ada.ID, App: "shop", Reason: presence.EndRevoked})
		wantLogged(t, s, func() { _, err := s.EndByID(ctx, Start, "", ada.ID, presence.EndRevoked); must(err) })
		wantLogged(t, s, func() {
			_, err := s.Login(ctx, Start, Shop, store.Login{User: store.UserInput{ID: "x"}, Token: "short"})
			WantError(t, err, sqldb.ErrInvalid)
		})
		wantLogged(t, s, func() { _, err := s.DeleteUser(ctx, Start, Shop, "bob"); must(err) },
			store.Change{UserID: "bob", SessionID: bob.ID, App: "shop", Reason: presence.EndUserDeleted})
		wantLogged(t, s, func() { _, err := s.DeleteUser(ctx, Start, Shop, "ada"); must(err) }) // whose session has ended before
		cy := LogIn(t, s, Start, "cy")
		wantLogged(t, s, func() { _, err := s.Cleanup(ctx, Start.Add(25*time.Hour)); must(err) },
			store.Change{UserID: "cy", SessionID: cy.ID, App: "shop", Reason: presence.EndExpired})
		key, _, err := s.CreateKey(ctx, Start, "user:root", "shop", "", store.Scopes{store.ScopeRead})
		must(err)
		wantLogged(t, s, func() { _, err := s.DeleteKey(ctx, Start, "user:root", key.ID, false); must(err) }, store.Change{KeyID: key.ID})
	})
}

func TestWhatIsTypedIntoTheShellIsLogged(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	ids := map[string]any{}
	for _, id := range []string{"ada", "bob", "cy"} {
		result, err := s.Login(t.Context(), Start, Shop, store.Login{User: store.UserInput{ID: id, Organization: text("Acme")}})
		if err != nil {
			t.Fatal(err)
		}
		ids[id] = result.ID
	}
	ended := func(id, reason string) store.Change {
		return store.Change{UserID: id, SessionID: ids[id].(int64), App: "shop", Reason: presence.EndReason(reason)}
	}
	db := OpenShell(t, folder, "&_pragma=foreign_keys(1)")
	for _, c := range []struct {
		statement string
		want      []store.Change
	}{
		{fmt.Sprint(`UPDATE user_sessions SET last_activity_at = last_activity_at + 1000 WHERE id = `, ids["ada"]), []store.Change{{UserID: "ada"}}},
		{fmt.Sprint(`UPDATE user_sessions SET page = '/x' WHERE id = `, ids["ada"]), []store.Change{{UserID: "ada"}}},
		{`UPDATE users SET team_name = 'A' WHERE id = 'bob'`, []store.Change{{UserID: "bob"}}},
		{`UPDATE users SET access = 'viewer' WHERE id = 'bob'`, []store.Change{{UserID: "bob"}}},
		{`UPDATE organizations SET name = 'Acme Inc.'`, []store.Change{{UserID: "ada"}, {UserID: "bob"}, {UserID: "cy"}}},
		{`UPDATE organizations SET name = 'Acme Inc.'`, nil},
		{`INSERT INTO status_claims (user_id, app, status, created_at) VALUES ('ada', '', 'busy', 1)`, []store.Change{{UserID: "ada"}}},
		{`UPDATE status_claims SET status = 'away'`, []store.Change{{UserID: "ada"}}},
		{`DELETE FROM status_claims`, []store.Change{{UserID: "ada"}}},
		{fmt.Sprint(`UPDATE user_sessions SET is_active = false, ended_at = 1, end_reason = 'evicted' WHERE id = `, ids["bob"]), []store.Change{ended("bob", "evicted")}},
		{`DELETE FROM users WHERE id = 'cy'`, []store.Change{ended("cy", "user_deleted")}},
		{`DELETE FROM organizations`, []store.Change{ended("ada", "user_deleted")}},
	} {
		t.Run(c.statement, func(t *testing.T) {
			wantLogged(t, s, func() { ExecSQL(t, db, c.statement) }, c.want...)
		})
	}
}

func TestReadingTheLog(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seqs := func(after int64, limit int) string {
			t.Helper()
			changes, err := s.Changes(ctx, after, limit)
			if err != nil {
				return err.Error()
			}
			var all []int64
			for _, c := range changes {
				all = append(all, c.Seq)
			}
			return fmt.Sprint(all)
		}
		trim := func(keep int64) {
			t.Helper()
			if err := s.TrimChanges(ctx, keep); err != nil {
				t.Fatal(err)
			}
		}
		want := func(got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		trim(3)
		want(seqs(0, 10), "[]")
		want(seqs(1, 10), "too late")
		for i := range 7 {
			LogIn(t, s, Start, fmt.Sprint(i))
		}
		want(seqs(0, 3), "[1 2 3]")
		want(seqs(5, 9), "[6 7]")
		want(seqs(7, 9), "[]")
		want(seqs(8, 9), "too late")
		want(seqs(-1, 9), "too late")
		trim(3)
		want(seqs(4, 9), "[5 6 7]")
		want(seqs(3, 9), "too late")
		trim(0)
		want(seqs(6, 9), "[7]")
		want(seqs(5, 9), "too late")
		LogIn(t, s, Start, "next")
		want(seqs(7, 9), "[8]")
	})
}

func TestTrimmingManyChanges(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	ExecSQL(t, db, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO changes (user_id) SELECT 'x' FROM n`)
	if err := s.TrimChanges(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	if n := Number(t, db, `SELECT COUNT(*) FROM changes`); n != 10 {
		t.Errorf("%d are left", n)
	}
}

func TestDue(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		due := func(from, to time.Time) string {
			t.Helper()
			ids, err := s.Due(t.Context(), from, to)
			if err != nil {
				t.Fatal(err)
			}
			return strings.Join(ids, " ")
		}
		wantDue := func(at time.Time, want string) {
			t.Helper()
			const tick = time.Millisecond
			if before, then, after := due(at.Add(-time.Second), at.Add(-tick)), due(at.Add(-tick), at), due(at, at.Add(time.Second)); before != "" || then != want || after != "" {
				t.Errorf("before %v %q, then %q, after it %q", at, before, then, after)
			}
		}
		LogIn(t, s, Start, "out")
		left := LogIn(t, s, Start.Add(time.Minute), "left")
		Touch(t, s, Start.Add(2*time.Minute), left.Token, store.Beat{Leaving: true})
		wantDue(Start.Add(2*time.Minute+15*time.Second), "left")
		wantDue(Start.Add(5*time.Minute), "out")
		wantDue(Start.Add(6*time.Minute), "left") // changes nothing any more
		wantDue(Start.Add(24*time.Hour), "out")
		wantDue(Start.Add(-5*time.Minute), "out") // whose last activity is too far in the future before
		if got := due(Start.Add(-time.Hour), Start.Add(48*time.Hour)); got != "left out" {
			t.Errorf("all in all %q", got)
		}
	})
}

func TestTheFeedReadsByIndexRanges(t *testing.T) {
	folder := t.TempDir()
	s := OpenFile(t, folder, presence.DefaultRules())
	LogIn(t, s, Start, "ada")
	db := ShellFile(t, folder, "")
	for query, want := range map[string][]string{
		store.ChangesQuery: {"SEARCH changes USING INTEGER PRIMARY KEY (rowid>?)"},
		store.DueQuery: {
			"SEARCH user_sessions USING INDEX user_sessions_active (<expr>>? AND <expr><?)",
			"SEARCH user_sessions USING INDEX user_sessions_active (<expr>>? AND <expr><?)",
			"SEARCH user_sessions USING INDEX user_sessions_leaving (leaving_at>? AND leaving_at<?)",
			"SEARCH user_sessions USING INDEX user_sessions_expiry (<expr>>? AND <expr><?)",
			"SEARCH user_sessions USING INDEX user_sessions_unheard (last_activity_at>? AND last_activity_at<?)",
			"SEARCH status_claims USING COVERING INDEX status_claims_until (until>? AND until<?)",
		},
	} {
		lines := slices.DeleteFunc(plan(t, db, query, make([]any, strings.Count(query, "$"))...), func(line string) bool {
			return !strings.HasPrefix(line, "SEARCH") && !strings.HasPrefix(line, "SCAN")
		})
		slices.Sort(lines)
		slices.Sort(want)
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Error(diff)
		}
	}
}

// plan returns how SQLite runs a query.
func plan(t *testing.T, db *sql.DB, query string, args ...any) (lines []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, detail)
	}
	return lines
}

func TestAHeartbeatIsToldWhereTheOneBeforeWasAheadOfTheClock(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ada := LogIn(t, s, after(10), "ada")
		Touch(t, s, after(10), ada.Token, store.Beat{})
		for _, test := range []struct {
			minute int
			told   int
		}{{6, 1}, {7, 0}} { // she was offline when the clock had just been set back, and came back by time alone
			got := logged(t, s, func() { Touch(t, s, after(test.minute), ada.Token, store.Beat{}) })
			if len(got) != test.told {
				t.Errorf("in minute %d it is told %+v", test.minute, got)
			}
		}
	})
}
