package server

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/store/history"
	"rollcall/store/sqldb"
)

// gateAsks returns what the gate answers.
func (s *served) gateAsks(t *testing.T, key string) int {
	t.Helper()
	synctest.Wait()
	return do(t, s.bench, "GET", "/admin/gate", nil, bearing(key)).Code
}

// everybodyIsHeard lets the time go by after a start in which whoever is there has to be heard of.
func everybodyIsHeard() {
	time.Sleep(2*time.Minute + time.Second)
	synctest.Wait()
}

// headcount returns how many count as online.
func (s *served) headcount(t *testing.T) int {
	t.Helper()
	n, err := s.store.CountOnline(t.Context(), s.now())
	s.must(t, err)
	return n.People()
}

// samples returns when the people were counted for the history.
func (s *served) samples(t *testing.T) (at []time.Time) {
	t.Helper()
	found, err := s.store.History.Activity(t.Context(), s.now(), history.ActivityFilter{From: s.now().Add(-time.Hour), To: s.now()})
	s.must(t, err)
	for _, point := range found.Points {
		if point.People != nil {
			at = append(at, point.At)
		}
	}
	return at
}

func TestADeploymentWaitsForThoseWhoseHeartbeatsHang(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		key := s.key(t, "shop", "read")
		ada, bob := s.enter(t, "ada"), s.enter(t, "bob") // who goes home meanwhile
		for _, token := range []string{ada, bob} {
			do(t, s.bench, "POST", "/admin/users/heartbeat", nil, bearing(token)).wants(200)
		}
		disk := make(chan struct{})
		go func() {
			_ = s.store.DB().BetweenWrites(func(context.Context, *sql.Conn) error { <-disk; return nil })
		}()
		var hanging sync.WaitGroup
		for range 20 {
			hanging.Go(func() { do(t, s.bench, "POST", "/admin/users/heartbeat", nil, bearing(ada)).wants(200) })
			time.Sleep(time.Minute)
			if status := s.gateAsks(t, key); status != 409 {
				t.Errorf("while the disk hangs the gate answers with %d", status)
			}
		}
		close(disk)
		hanging.Wait()
		s.wantsOnly(t, ada)
	})
}

func TestADeploymentWaitsForThoseWhoWereThereWhenTheServerWasFrozen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		start, frozen := time.Now(), atomic.Int64{}
		now := func() time.Time { return time.Now().Add(time.Duration(frozen.Load())) }
		s := serving(t, func(c *Config) {
			c.Now, c.Uptime = now, func() time.Duration { return now().Sub(start) }
		})
		key := s.key(t, "shop", "read")
		ada, bob := s.enter(t, "ada"), s.enter(t, "bob")
		for range 10 {
			for _, token := range []string{ada, bob} {
				do(t, s.bench, "POST", "/admin/users/heartbeat", nil, bearing(token)).wants(200)
			}
			time.Sleep(time.Minute)
		}
		time.Sleep(time.Second / 2) // not when anything is to be done
		frozen.Store(int64(20 * time.Minute))
		if status := s.gateAsks(t, key); status != 409 {
			t.Errorf("after it the gate answers with %d", status)
		}
		s.wantsOnly(t, ada)
	})
}

// wantsOnly has one person send heartbeats, and checks that the other, who does not, counts
// until all had the time to, and no longer.
func (s *served) wantsOnly(t *testing.T, token string) {
	t.Helper()
	for _, want := range []int{2, 2, 1, 1, 1} {
		if n := s.headcount(t); n != want {
			t.Errorf("%d people count, want %d", n, want)
		}
		do(t, s.bench, "POST", "/admin/users/heartbeat", nil, bearing(token)).wants(200)
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
	}
	s.stop()
	<-s.ended
}

func TestADeploymentWaitsForThoseWhoWereThereWhenTheServerStopped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		key := s.key(t, "shop", "read")
		ada := s.enter(t, "ada")
		s.enter(t, "bob") // who goes home meanwhile
		s.stop()
		<-s.ended
		time.Sleep(22 * time.Minute)

		again := servingOn(t, s.store)
		if status := again.gateAsks(t, key); status != 409 {
			t.Fatalf("after the start the gate answers with %d", status)
		}
		time.Sleep(time.Minute)
		do(t, again.bench, "POST", "/admin/users/heartbeat", nil, bearing(ada)).wants(200)
		time.Sleep(time.Minute - time.Second)
		if n := again.headcount(t); n != 2 {
			t.Errorf("%d people count after a minute", n)
		}
		if at := again.samples(t); len(at) != 0 {
			t.Errorf("people were counted for the history at %v, though nobody knew who is there", at)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := again.headcount(t); n != 1 {
			t.Errorf("%d people count when all had the time to come back", n)
		}
		time.Sleep(5 * time.Minute)
		if status := again.gateAsks(t, key); status != 200 {
			t.Errorf("when ada has left too the gate answers with %d", status)
		}
		time.Sleep(5 * time.Minute) // nobody is left in a sample

		again.stop()
		<-again.ended
		time.Sleep(22 * time.Minute)
		third := servingOn(t, s.store)
		if status := third.gateAsks(t, key); status != 409 || third.headcount(t) != 0 {
			t.Errorf("after a stop with nobody there the gate answers with %d", status)
		}
		everybodyIsHeard()
		if status := third.gateAsks(t, key); status != 200 {
			t.Errorf("and when nobody was heard of, with %d", status)
		}
		third.stop()
		<-third.ended
	})
}

func TestAStopTellsWhoHadGoneBefore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		ada := s.enter(t, "ada")
		s.enter(t, "bob") // who goes home
		restarts := func(at string, after time.Duration, want int) {
			t.Helper()
			s.stop()
			<-s.ended
			time.Sleep(after)
			s = servingOn(t, s.store)
			synctest.Wait() // it knows since when it did not run
			if n := s.headcount(t); n != want {
				t.Errorf("after a stop %s %d people count, want %d", at, n, want)
			}
		}
		time.Sleep(4 * time.Minute)
		do(t, s.bench, "POST", "/admin/users/heartbeat", nil, bearing(ada)).wants(200)
		time.Sleep(90 * time.Second)
		restarts("when one has gone", 10*time.Second, 1)
		everybodyIsHeard()
		restarts("for long", 22*time.Minute, 1)
		time.Sleep(20 * time.Second)
		restarts("before everybody could come back", 5*time.Second, 1)
		everybodyIsHeard()
		if n := s.headcount(t); n != 0 {
			t.Errorf("%d people count when all had the time to come back", n)
		}
		s.stop()
		<-s.ended
	})
}

func TestADeploymentWaitsForThoseWhoseHeartbeatsWereRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		key := s.key(t, "shop", "read")
		ada := s.enter(t, "ada")
		time.Sleep(time.Minute + time.Second/2) // not when anything is to be done
		synctest.Wait()
		taken, err := sql.Open("sqlite", "file:"+filepath.Join(s.folder, sqldb.FileName))
		s.must(t, err)
		defer taken.Close()
		conn, err := taken.Conn(t.Context())
		s.must(t, err)
		defer conn.Close()
		exec := func(statement string) {
			t.Helper()
			_, err := conn.ExecContext(t.Context(), statement)
			s.must(t, err)
		}
		before := s.samples(t)
		exec(`BEGIN IMMEDIATE`)
		for range 8 { // beyond the online window
			do(t, s.bench, "POST", "/admin/users/heartbeat", nil, bearing(ada)).wants(503)
			if status := s.gateAsks(t, key); status != 409 {
				t.Fatalf("while the database is taken the gate answers with %d", status)
			}
			time.Sleep(time.Minute)
		}
		exec(`ROLLBACK`)
		bob := s.enter(t, "bob")
		do(t, s.bench, "POST", "/admin/users/heartbeat", nil, bearing(bob)).wants(200)
		for range 23 {
			time.Sleep(5 * time.Second)
			if n := s.headcount(t); n != 2 {
				t.Fatalf("%d people count before all had the time to be heard of again", n)
			}
		}
		if after := s.samples(t); !slices.Equal(after, before) {
			t.Errorf("people were counted for the history at %v, before at %v", after, before)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := s.headcount(t); n != 1 {
			t.Errorf("%d people count after that", n)
		}

		exec(`BEGIN IMMEDIATE`)
		do(t, s.bench, "POST", "/admin/users/heartbeat", nil, bearing(bob)).wants(503) // and he goes
		time.Sleep(8 * time.Minute)
		if status := s.gateAsks(t, key); status != 409 {
			t.Errorf("while the database is taken again the gate answers with %d", status)
		}
		exec(`ROLLBACK`)
		time.Sleep(2*time.Minute + 10*time.Second)
		if status := s.gateAsks(t, key); status != 200 {
			t.Errorf("when nobody comes back the gate answers with %d", status)
		}
		s.stop()
		<-s.ended
	})
}

func TestTheGateDoubtsWhoCameWhileNothingCouldBeRecorded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		read, shop := s.key(t, "ops", "read"), s.key(t, "shop", "sessions")
		everybodyIsHeard()
		s.doubts(t, read, "", "clear")
		taken, err := sql.Open("sqlite", "file:"+filepath.Join(s.folder, sqldb.FileName))
		s.must(t, err)
		defer taken.Close()
		conn, err := taken.Conn(t.Context())
		s.must(t, err)
		defer conn.Close()
		_, err = conn.ExecContext(t.Context(), `BEGIN IMMEDIATE`)
		s.must(t, err)
		do(t, s.bench, "POST", "/admin/sessions", `{"user":{"id":"bob"},"session_token":"`+stranger+`"}`, bearing(shop)).wants(503)
		for range 2 {
			do(t, s.bench, "POST", "/admin/users/heartbeat", `{"sessionToken":"`+stranger+`"}`).wants(503)
			time.Sleep(time.Minute)
		}
		if got := s.doubts(t, read, "", "caution"); fmt.Sprint(got) != "[unheard  outage]" {
			t.Errorf("it doubts %q", got)
		}
		_, err = conn.ExecContext(t.Context(), `ROLLBACK`)
		s.must(t, err)
		time.Sleep(time.Minute)
		if got := s.doubts(t, read, "", "caution"); fmt.Sprint(got) != "[unheard  outage]" {
			t.Errorf("before bob had the time to be heard of it doubts %q", got)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		s.doubts(t, read, "", "clear")
		s.stop()
		s.must(t, <-s.ended)
	})
}
