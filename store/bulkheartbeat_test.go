package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// ensemble is a store with a session in every state in which a heartbeat can find one.
type ensemble struct {
	store *store.Store
	shell *sql.DB
	seq   int64 // of the last change that was read
}

// states name the sessions of an ensemble.
var states = []string{"plain", "other", "idle", "gone", "silent", "ahead", "past", "ended", "forged", "unknown", "orphaned"}

func openEnsemble(t *testing.T) *ensemble {
	folder := t.TempDir()
	return &ensemble{store: Open(t, folder, presence.DefaultRules()), shell: OpenShell(t, folder, "")}
}

func tokenOf(round int, state string) string {
	return fmt.Sprintf("the-token-of-a-session-that-is-%s-%d", state, round)
}

// gather begins the sessions of a round.
func (e *ensemble) gather(t *testing.T, round int) {
	for _, state := range states {
		if state == "unknown" {
			continue
		}
		at := Start
		switch state {
		case "silent":
			at = Start.Add(-time.Hour)
		case "past":
			at = Start.Add(30*time.Second - 24*time.Hour)
		case "ahead":
			at = Start.Add(time.Hour)
		}
		token := tokenOf(round, state)
		user := store.UserInput{ID: fmt.Sprint(state, round), Role: text("role of " + state), Organization: text("Acme")}
		result, err := e.store.Login(t.Context(), at, Shop, store.Login{User: user, Token: token})
		switch state {
		case "idle":
			_, err = e.store.Touch(t.Context(), at, token, store.Beat{Idle: time.Hour})
		case "past":
			_, err = e.store.Touch(t.Context(), Start, token, store.Beat{Idle: time.Hour}) // which extends nothing
		case "gone":
			_, err = e.store.Touch(t.Context(), at, token, store.Beat{Leaving: true})
		case "ended":
			_, err = e.store.EndByID(t.Context(), at, "", result.ID, presence.EndRevoked)
		case "orphaned":
			_, err = e.store.DeleteUser(t.Context(), at, store.By{Grant: store.AccessAdmin}, user.ID)
		case "forged":
			ExecSQL(t, e.shell, `UPDATE user_sessions SET token_sha256 = $1 WHERE id = $2`, make([]byte, 32), result.ID)
		}
		if err != nil {
			t.Fatal(state, err)
		}
	}
}

// call is one write of a batch.
type call struct {
	state string
	end   bool
	after time.Duration
	beat  store.Beat
}

func drawCall(t *rapid.T) call {
	c := call{state: Pick(t, "state", append(states, "plain", "plain", "other", "other")...), after: time.Duration(rapid.IntRange(0, 999).Draw(t, "after")) * time.Millisecond}
	c.end = Pick(t, "end", true, false, false, false, false, false, false)
	c.beat.Idle = Pick(t, "idle", 0, 0, 0, time.Minute, 5*time.Minute)
	c.beat.Leaving = Pick(t, "leaving", true, false, false, false, false, false, false)
	c.beat.Client = Pick(t, "client", "", "phone", "phone", "desk")
	c.beat.WantMember = Pick(t, "whose", true, false)
	if page := Pick(t, "page", "", "", "", "/a", "/a\x00b"); page != "" {
		c.beat.Page = &page
	}
	return c
}

// do makes a call, and returns all that its caller is told.
func (e *ensemble) do(round int, c call) string {
	token, now := tokenOf(round, c.state), Start.Add(time.Minute+c.after)
	if c.end {
		ended, err := e.store.EndByToken(context.Background(), now, "shop", token, presence.EndLogout)
		return fmt.Sprint(ended, err)
	}
	got, err := e.store.Touch(context.Background(), now, token, c.beat)
	var why *store.EndedError
	if errors.As(err, &why) {
		return fmt.Sprint("ended ", why.Reason)
	}
	organization := int64(0)
	if got.Member.OrganizationID != nil {
		organization = *got.Member.OrganizationID
	}
	return fmt.Sprintf("until %v, of %q %d %q: %v", got.ExpiresAt, got.Member.App, organization, got.Member.Role, err)
}

// left is what a round leaves: its rows, and of each of its people in order when they were told to look different.
func (e *ensemble) left(t *testing.T, round int) []string {
	if err := e.store.FoldAllHeartbeats(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := e.shell.Query(`
		SELECT CONCAT_WS(' ', user_id, page, idle_ms, last_activity_at, COALESCE(leaving_at, 0), expires_at, COALESCE(ended_at, 0), client,
			(SELECT COALESCE(MAX(CONCAT_WS(' ', c.client, c.heard_at)), '') FROM session_clients c WHERE c.session_id = id)) FROM user_sessions
		WHERE user_id LIKE '%' || CAST($1 AS TEXT) ORDER BY user_id`, fmt.Sprint(round))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var row string
		if err := rows.Scan(&row); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	changes, err := e.store.Changes(t.Context(), e.seq, 1000)
	if err != nil || rows.Err() != nil {
		t.Fatal(err, rows.Err())
	}
	slices.SortStableFunc(changes, func(a, b store.Change) int { return strings.Compare(a.UserID, b.UserID) })
	for _, c := range changes {
		all, e.seq = append(all, c.UserID+string(c.Reason)), max(e.seq, c.Seq)
	}
	return all
}

func TestHeartbeatsInOneTransactionAreAnsweredAsOneAfterTheOther(t *testing.T) {
	folder := t.TempDir() // SQLite records one after the other in every build
	alone, together := &ensemble{store: OpenFile(t, folder, presence.DefaultRules()), shell: ShellFile(t, folder, "")}, openEnsemble(t)
	round := 100
	rapid.Check(t, func(r *rapid.T) {
		round++
		calls := rapid.SliceOfN(rapid.Custom(drawCall), 1, 12).Draw(r, "calls")
		for _, e := range []*ensemble{alone, together} {
			e.gather(t, round)
			e.left(t, round)
			select {
			case <-e.store.DB().Changed():
			default:
			}
		}
		want, got, jobs := make([]string, len(calls)), make([]string, len(calls)), []func(){}
		for i, c := range calls {
			want[i] = alone.do(round, c)
			jobs = append(jobs, func() { got[i] = together.do(round, c) })
		}
		store.Together(together.store, jobs)
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatalf("of %+v:\n%s", calls, diff)
		}
		seq := together.seq
		if diff := cmp.Diff(alone.left(t, round), together.left(t, round)); diff != "" {
			r.Fatalf("of %+v is left:\n%s", calls, diff)
		}
		if together.seq > seq && len(together.store.DB().Changed()) == 0 {
			r.Fatalf("of %+v nobody who looks on is told", calls)
		}
	})
}

func TestTwoHeartbeatsOfOnePersonInOneTransactionAreLoggedWhereTheyChangeWhatIsShown(t *testing.T) {
	e := openEnsemble(t)
	idles := []time.Duration{0, 50 * time.Second, time.Minute, 65 * time.Second}
	var moved, stayed int
	for i, idle := range idles {
		for k, other := range idles {
			ada := fmt.Sprint("ada", i, k)
			phone, laptop := LogIn(t, e.store, Start, ada), LogIn(t, e.store, Start, ada)
			Touch(t, e.store, Start, phone.Token, store.Beat{Idle: 40 * time.Second})
			Touch(t, e.store, Start, laptop.Token, store.Beat{Idle: 20 * time.Second})
			told := logged(t, e.store, func() {
				now := Start.Add(30 * time.Second)
				store.Together(e.store, []func(){
					func() { Touch(t, e.store, now, phone.Token, store.Beat{Idle: idle}) },
					func() { Touch(t, e.store, now, laptop.Token, store.Beat{Idle: other}) },
				})
			})
			people, err := e.store.People(t.Context(), Start.Add(time.Minute), []string{ada})
			if err != nil {
				t.Fatal(err)
			}
			if people[0].Shown().ID == laptop.ID {
				stayed++
				continue
			}
			if moved++; len(told) == 0 {
				t.Errorf("with %v and %v another session is shown, and nothing was logged", idle, other)
			}
		}
	}
	if moved == 0 || stayed == 0 {
		t.Errorf("another session is shown %d times, the same one %d times", moved, stayed)
	}
}
