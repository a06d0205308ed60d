package store_test

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// TestRowsAloneTellWhoIsOnline asks the rows with SQL, as whoever reads the file with another program does,
// while heartbeats are folded every second or three, and holds what they say against what happened.
func TestRowsAloneTellWhoIsOnline(t *testing.T) {
	checks(t, "10")
	for name, rules := range map[string]presence.Rules{
		"by default":                          presence.DefaultRules(),
		"with the smallest window that waits": windowOf(25*time.Second, 10*time.Second),
		"with the smallest window":            windowOf(2500*time.Millisecond, time.Second),
	} {
		rules.SessionTTL = 3 * rules.OnlineWindow // so that some expire
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // for folds are paced
				rapid.Check(struct{ *testing.T }{t}, func(rt *rapid.T) { // which asks a T for its deadline, as nobody may here
					folder := t.TempDir()
					live(rt, t, OpenFile(t, folder, rules), ShellFile(t, folder, ""))
				})
			})
		})
	}
}

// beater is somebody who beats, or stops to.
type beater struct {
	*ModelSession
	next time.Time
}

// live lets some people beat for many laps.
func live(rt *rapid.T, t *testing.T, s *store.Store, rows *sql.DB) {
	rules, m := s.Rules(), NewModel(s.Rules())
	var people []*beater
	for i := range 6 {
		login := LogIn(t, s, Start, fmt.Sprint(i))
		expires := Start.Add(rules.SessionTTL)
		people = append(people, &beater{&ModelSession{User: fmt.Sprint(i), ID: login.ID, Token: login.Token, LastActivity: Start, Expires: expires}, Start.Add(time.Millisecond)})
	}
	second := min(time.Second, rules.Heartbeat/4)
	folded, now := Start, Start
	for i := range max(300, int(5*rules.OnlineWindow/second)) {
		now = now.Add(second)
		for _, p := range people {
			if now.Before(p.next) {
				continue
			}
			beat := store.Beat{Idle: p.Idle}
			if Pick(rt, "turns", false, false, false, false, false, true) {
				beat.Idle = Pick(rt, "idle", 0, 2*rules.IdleAfter)
			}
			_, err := s.Touch(t.Context(), now, p.Token, beat)
			if want := m.Beat(p.ModelSession, now, beat); (err == nil) != want {
				rt.Fatalf("at %v a heartbeat is told %v", now, err)
			}
			p.next = now.Add(Pick(rt, "pace", rules.Heartbeat, rules.Heartbeat, rules.Heartbeat*9/10, rules.Heartbeat*11/10, rules.OnlineWindow*9/10, rules.OnlineWindow*3/2))
		}
		if now.Sub(folded) >= Pick(rt, "fold", second, second, second, 3*second) {
			folded = now
			if err := s.FoldHeartbeats(t.Context(), now); err != nil {
				t.Fatal(err)
			}
		}
		var want []string
		for _, p := range people {
			if m.Online(p.ModelSession, now) {
				want = append(want, fmt.Sprint(p.User, " idle ", rules.Idle(p.Idle)))
			}
		}
		if diff := cmp.Diff(want, onlineByRows(t, rows, rules, now)); diff != "" {
			rt.Fatalf("after %d s, while %d wait, in truth (-) and by the rows (+):\n%s", i, s.HeartbeatsWaiting(), diff)
		}
	}
}

func onlineByRows(t *testing.T, rows *sql.DB, rules presence.Rules, now time.Time) (online []string) {
	t.Helper()
	q := sqldb.NewQuery(`SELECT s.user_id, s.idle_ms FROM user_sessions s WHERE `+presence.OnlineRule("s"), rules.At(now, presence.Slack{}).Bounds()...)
	found, err := rows.QueryContext(t.Context(), q.String(), q.Args()...)
	if err != nil {
		t.Fatal(err)
	}
	online, err = sqldb.Collect(found, func(rows *sql.Rows) (string, error) {
		var user string
		var idle int64
		err := rows.Scan(&user, &idle)
		return fmt.Sprint(user, " idle ", rules.Idle(time.Duration(idle)*time.Millisecond)), err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(online)
	return online
}
