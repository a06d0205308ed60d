package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// beats sends a heartbeat n minutes after Start that must wait in the log.
func beatsQuietly(t *testing.T, s *store.Store, n int, token string) {
	t.Helper()
	before := store.LoggedHeartbeats(s)
	Touch(t, s, after(n), token, store.Beat{})
	if store.LoggedHeartbeats(s) != before+1 {
		t.Fatalf("%d minutes after the start a heartbeat does not wait", n)
	}
}

func openLimited(t *testing.T, limit int) *store.Store {
	t.Helper()
	return OpenConfig(t, store.Config{Path: t.TempDir(), Schema: Schema(t), Rules: presence.DefaultRules(), Limit: store.SessionLimit{Sessions: limit}})
}

func TestWhoIsEvictedIsDecidedByHeartbeatsThatWait(t *testing.T) {
	s := openLimited(t, 2)
	first, second := mustLogIn(t, s, 0, "shop"), mustLogIn(t, s, 0, "shop")
	Touch(t, s, after(1), first.Token, store.Beat{})
	Touch(t, s, after(1).Add(time.Second), second.Token, store.Beat{Idle: 4 * time.Minute}) // the latest activity, but not input
	beatsQuietly(t, s, 2, first.Token)
	if third := mustLogIn(t, s, 3, "shop"); !slices.Equal(third.Evicted, []int64{second.ID}) {
		t.Errorf("evicted: %v, the one that was active last is %d", third.Evicted, first.ID)
	}
}

func TestAHeartbeatWaitsUntilNoOtherFollows(t *testing.T) {
	s := OpenFile(t, t.TempDir(), presence.DefaultRules())
	token := LogIn(t, s, Start, "ada").Token
	Touch(t, s, after(1), token, store.Beat{})
	beatsQuietly(t, s, 2, token)
	for _, test := range []struct {
		name    string
		at      time.Time
		waiting int
	}{
		{"as of when it had not come", after(2).Add(-time.Second), 1},
		{"two heartbeats later", after(4), 1},
		{"after silence", after(4).Add(70 * time.Second), 0},
	} {
		if err := s.FoldHeartbeats(t.Context(), test.at); err != nil || s.HeartbeatsWaiting() != test.waiting {
			t.Errorf("%s %d wait: %v", test.name, s.HeartbeatsWaiting(), err)
		}
	}
}

func TestTheLogHasNothingOfWhoWasErased(t *testing.T) {
	folder := t.TempDir()
	s := OpenFile(t, folder, presence.DefaultRules())
	db := ShellFile(t, folder, "")
	for _, id := range []string{"ada", "bob"} {
		token := LogIn(t, s, Start, id).Token
		Touch(t, s, after(1), token, store.Beat{})
		beatsQuietly(t, s, 2, token)
	}
	if n := Number(t, db, `SELECT COUNT(*) FROM heartbeat_log`); n != 2 {
		t.Fatalf("%d rows in the log", n)
	}
	if gone, err := s.Erase(t.Context(), after(3), store.ActorCLI, "ada"); err != nil || !gone.Complete {
		t.Fatal(gone, err)
	}
	if n := Number(t, db, `SELECT COUNT(*) FROM heartbeat_log`); n != 0 {
		t.Errorf("%d rows are left in the log", n)
	}
	if at := Number(t, db, `SELECT last_activity_at FROM user_sessions`); int64(at) != after(2).UnixMilli() {
		t.Errorf("of the other's heartbeat the row says %d", at)
	}
}

func TestAnExportHasHeartbeatsThatWait(t *testing.T) {
	s := OpenFile(t, t.TempDir(), presence.DefaultRules())
	token := LogIn(t, s, Start, "ada").Token
	Touch(t, s, after(1), token, store.Beat{})
	beatsQuietly(t, s, 2, token)
	err := s.ExportPart(t.Context(), "ada", "sessions", func(found []store.Record) error {
		if len(found) != 1 || found[0]["last_activity_at"] != after(2) {
			t.Errorf("%+v", found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhenSomebodyWasHeardOfLastIsKnownAfterAKill(t *testing.T) {
	folder := t.TempDir()
	s := OpenFile(t, folder, presence.DefaultRules())
	token := LogIn(t, s, Start, "ada").Token
	Touch(t, s, after(1), token, store.Beat{})
	beatsQuietly(t, s, 2, token)
	left := t.TempDir()
	copyFiles(t, folder, left)
	again := OpenFile(t, left, presence.Rules{})
	if at, _, err := again.LastHeard(t.Context(), after(60)); err != nil || !at.Equal(after(2)) {
		t.Errorf("%v, %v", at, err)
	}
	if at, future, err := again.LastHeard(t.Context(), after(1)); err != nil || !at.Equal(after(1)) || !future.Equal(after(2)) {
		t.Errorf("by a clock that was set back %v, %v, %v", at, future, err)
	}
}

func TestACommandBesideTheServerLosesNoHeartbeat(t *testing.T) {
	folder := t.TempDir()
	s := OpenFile(t, folder, presence.DefaultRules())
	token := LogIn(t, s, Start, "ada").Token
	Touch(t, s, after(1), token, store.Beat{})
	beatsQuietly(t, s, 2, token)
	command := OpenFile(t, folder, presence.Rules{})
	Touch(t, s, after(3), token, store.Beat{}) // of which the command has not heard
	if _, err := command.Cleanup(t.Context(), after(3)); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*store.Store{"the server": s, "the command": command} {
		people, err := s.People(t.Context(), after(3), []string{"ada"})
		if err != nil || !people[0].Sessions[0].LastActivity.Equal(after(3)) {
			t.Errorf("%s says %+v, %v", name, people, err)
		}
	}
	beatsQuietly(t, s, 4, token)
}

// TestAKillBetweenAnyTwoCommits takes the files as they are after each commit of a fold, and holds what a
// server finds in them against what the first one says.
func TestAKillBetweenAnyTwoCommits(t *testing.T) {
	folder, kept := t.TempDir(), t.TempDir()
	var images []string
	taking := false
	s := OpenConfig(t, store.Config{Path: folder, Schema: Schema(t), Rules: presence.DefaultRules(), OnCommit: func(int, time.Duration) {
		if taking {
			image := filepath.Join(kept, fmt.Sprint(len(images)))
			if err := os.Mkdir(image, 0o700); err != nil {
				t.Error(err)
				return
			}
			copyFiles(t, folder, image)
			images = append(images, image)
		}
	}})
	store.FoldOneByOne(s)
	var tokens []string
	for i := range 7 {
		tokens = append(tokens, LogIn(t, s, Start, fmt.Sprint("user", i/2)).Token)
		Touch(t, s, after(1), tokens[i], store.Beat{Idle: time.Duration(i) * time.Second})
	}
	taking = true
	for n := 2; n < 5; n++ {
		var together []func()
		for i, token := range tokens {
			beat := store.Beat{Idle: time.Duration(i) * time.Second, Leaving: i == 3 && n == 3}
			together = append(together, func() { Touch(t, s, after(n).Add(time.Duration(i)*time.Second), token, beat) })
		}
		store.Together(s, together)
	}
	written := len(images)
	want := said(t, s)
	if err := s.FoldAllHeartbeats(t.Context()); err != nil {
		t.Fatal(err)
	}
	taking = false
	if len(images) < written+3 || s.HeartbeatsWaiting() != 0 {
		t.Fatalf("folding took %d commits", len(images)-written)
	}
	for _, image := range append(images[written-1:], folder) {
		again, err := store.Open(t.Context(), store.Config{Path: image, Schema: Schema(t)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, said(t, again)); diff != "" {
			t.Errorf("before the fold (-) and after a kill in it (+):\n%s", diff)
		}
		if err := errors.Join(again.FoldAllHeartbeats(t.Context()), again.Close()); err != nil {
			t.Fatal(err)
		}
		db := ShellFile(t, image, "")
		if n := Number(t, db, `SELECT COUNT(*) FROM heartbeat_log`); n != 0 {
			t.Errorf("%d rows are left in the log", n)
		}
	}
}

// said is what a store says of all sessions.
func said(t *testing.T, s *store.Store) []store.ListedSession {
	t.Helper()
	page, err := s.Sessions(t.Context(), after(5), store.SessionFilter{State: store.ScopeAll, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return page.Sessions
}

func TestAHeartbeatOfATokenThatTookThePlaceOfAnotherWaits(t *testing.T) {
	s := OpenFile(t, t.TempDir(), presence.DefaultRules())
	report := func(n int, token string) store.LoginResult {
		result, err := s.Login(t.Context(), after(n), Shop, store.Login{User: store.UserInput{ID: "ada"}, Token: token, SessionKey: "ada's"})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	first := report(0, "the-first-of-the-tokens-of-ada-lovelace")
	Touch(t, s, after(1), "the-first-of-the-tokens-of-ada-lovelace", store.Beat{})
	beatsQuietly(t, s, 2, "the-first-of-the-tokens-of-ada-lovelace")
	if second := report(2, "the-second-of-the-tokens-of-ada-lovelace"); second.ID != first.ID || !second.ExpiresAt.Equal(after(2).Add(s.Rules().SessionTTL)) {
		t.Errorf("the report of a session that beat quietly says %+v", second)
	}
	beatsQuietly(t, s, 3, "the-second-of-the-tokens-of-ada-lovelace")
	found, err := s.CheckSession(t.Context(), after(3), "shop", "", "ada's")
	if err != nil || found.ID != first.ID || !found.ExpiresAt.Equal(after(3).Add(s.Rules().SessionTTL)) {
		t.Errorf("the application is told %+v, %v", found, err)
	}
}

func TestADamagedRowOfTheLogIsToldAndTheOthersCount(t *testing.T) {
	folder := t.TempDir()
	s := OpenFile(t, folder, presence.DefaultRules())
	tokens := []string{LogIn(t, s, Start, "ada").Token, LogIn(t, s, Start, "bob").Token}
	for n, token := range tokens {
		Touch(t, s, after(1), token, store.Beat{})
		beatsQuietly(t, s, 2+n, token)
	}
	left := t.TempDir()
	copyFiles(t, folder, left)
	if _, err := ShellFile(t, left, "").Exec(`UPDATE heartbeat_log SET beats = substr(beats, 1, 9) WHERE number = 1`); err != nil {
		t.Fatal(err)
	}
	again := OpenFile(t, left, presence.Rules{})
	if health, err := again.DB().Health(); err != nil || health.Damage == "" {
		t.Errorf("nothing is said of the damage: %+v, %v", health, err)
	}
	for i, want := range []time.Time{after(1), after(3)} {
		people, err := again.People(t.Context(), after(3), []string{[]string{"ada", "bob"}[i]})
		if err != nil || !people[0].Sessions[0].LastActivity.Equal(want) {
			t.Errorf("%+v, %v; want the latest activity at %v", people, err, want)
		}
	}
	if err := again.FoldAllHeartbeats(t.Context()); err != nil || again.HeartbeatsWaiting() != 0 {
		t.Errorf("%d wait: %v", again.HeartbeatsWaiting(), err)
	}
}

func TestManyAreFoldedWithTheirNeighboursAndNotAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // for folds are paced
		const people = 300
		folder := t.TempDir()
		s := OpenFile(t, folder, presence.DefaultRules())
		store.FoldOneByOne(s)
		if err := s.FoldHeartbeats(t.Context(), Start); err != nil {
			t.Fatal(err)
		}
		beats := make([]func(), people)
		now := after(1)
		for i := range beats {
			token := LogIn(t, s, Start, fmt.Sprint("user", i)).Token
			beats[i] = func() { Touch(t, s, now, token, store.Beat{}) }
		}
		store.Together(s, beats)
		rows := ShellFile(t, folder, "")
		most := 0
		for second := range 9 * 60 {
			now = after(1).Add(time.Duration(second) * time.Second)
			if second > 0 && second%60 == 0 {
				store.Together(s, beats)
			}
			before := s.HeartbeatsWaiting()
			if err := s.FoldHeartbeats(t.Context(), now); err != nil {
				t.Fatal(err)
			}
			most = max(most, before-s.HeartbeatsWaiting())
			if n := Number(t, rows, `SELECT COUNT(*) FROM (SELECT id >> 55 FROM user_sessions GROUP BY 1 HAVING MIN(last_activity_at) < MAX(last_activity_at))`); n != 0 {
				t.Fatalf("%d s after all have come %d of the neighbourhoods are folded in part", second, n)
			}
			if age := now.UnixMilli() - Number(t, rows, `SELECT MIN(last_activity_at) FROM user_sessions`); age > 283_000 {
				t.Fatalf("%d s after all have come a row is %d ms old", second, age)
			}
		}
		if most == 0 || most > people/30 {
			t.Errorf("of %d sessions %d are folded in one second", people, most)
		}
	})
}
