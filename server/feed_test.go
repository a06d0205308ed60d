package server

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"rollcall/store"
)

func TestAReaderThatComesBackMissesNothing(t *testing.T) {
	onAFeed(t, func(t *testing.T, s *served, r *reader) {
		key := bearing(s.key(t, "panel", "read"))
		s.enter(t, "ada")
		r.tells("online ada")
		_, hello := s.follow(t, "", key)
		bob := s.enter(t, "bob")
		r.tells("online bob")
		s.beat(t, bob, store.Beat{Page: text("/b")})
		r.tells("updated bob")

		again, _ := s.follow(t, "?since="+hello.Cursor, key)
		again.tells("online bob", "updated bob")
		for _, unknown := range []string{"", "x", "elsewhere.1", hello.Cursor[:len(hello.Cursor)-1] + "99", hello.Cursor[:len(hello.Cursor)-1] + "-1"} {
			lost, _ := s.follow(t, "?since="+unknown, key)
			lost.tells("reset")
		}
		fresh, _ := s.follow(t, "", key)
		fresh.tells()
	})
}

func TestWhereTheFeedCanNotTellItAllTheListIsReadAgain(t *testing.T) {
	t.Run("too much at once", func(t *testing.T) {
		onAFeed(t, func(t *testing.T, s *served, r *reader) {
			s.sql(t, `INSERT INTO users (id, created_at, updated_at)
				WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 501) SELECT 'u' || i, 0, 0 FROM n`)
			s.sql(t, fmt.Sprintf(`INSERT INTO user_sessions (id, user_id, app, token_sha256, last_activity_at, created_at, expires_at)
				SELECT rowid, id, 'shop', randomblob(32), %[1]d, %[1]d, %[1]d + 86400000 FROM (SELECT row_number() OVER () AS rowid, id FROM users WHERE id LIKE 'u%%')`,
				s.now().UnixMilli()))
			r.tells("reset")
			s.enter(t, "ada")
			r.tells("online ada")
			if e := s.live.hub.counts; e.Available != 502 {
				t.Errorf("afterwards it counts %+v", e)
			}
		})
	})
	t.Run("a log that was trimmed meanwhile", func(t *testing.T) {
		onAFeed(t, func(t *testing.T, s *served, r *reader) {
			s.sql(t, `INSERT INTO changes (user_id) VALUES ('ada'), ('bob'), ('cleo'); DELETE FROM changes WHERE user_id <> 'cleo'`)
			r.tells("reset")
			s.enter(t, "ada")
			r.tells("online ada")
		})
	})
	t.Run("a crowd, of which it only tells that it moves", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			s := serving(t)
			s.live.hub.limit = 2
			for _, id := range []string{"ada", "bob", "cleo"} {
				s.enter(t, id)
			}
			r, _ := s.follow(t, "", bearing(s.key(t, "panel", "read")))
			s.enter(t, "dan")
			r.tells("reset")
			s.enter(t, "eve")
			r.tells()
			time.Sleep(10 * time.Second)
			s.enter(t, "fay")
			r.tells("reset")
			s.stop()
			s.must(t, <-s.ended)
		})
	})
}

func TestAReaderThatStallsIsCutOffAndHurtsNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		key := bearing(s.key(t, "panel", "read"))
		_, _, err := s.dial(t, "", key) // reads nothing
		s.must(t, err)
		r, _ := s.follow(t, "", key)
		s.enter(t, "ada")
		r.tells("online ada")
		time.Sleep(writeWait)
		synctest.Wait()
		if n := s.live.watchers.count(); n != 1 {
			t.Errorf("%d readers are left", n)
		}
		s.stop()
		s.must(t, <-s.ended)
	})
}

func TestAReaderTooFarBehindIsNotCaughtUp(t *testing.T) {
	f := newFeed()
	f.begin()
	slow, _, _ := f.enter("")
	quick := slow
	for n := range 5 * keptEvents {
		f.publish(func(cursor string) []byte { return []byte(cursor) })
		events, _, ok := f.after(&quick)
		if !ok || len(events) != 1 || string(events[0]) != quick.String() {
			t.Fatalf("event %d: %q, %v", n, events, ok)
		}
		if n == keptEvents-1 {
			late := slow
			if events, _, ok := f.after(&late); !ok || len(events) != keptEvents {
				t.Fatalf("%d events, %v, of those that are kept", len(events), ok)
			}
		}
	}
	if _, _, ok := f.after(&slow); ok || slow.seen != 0 {
		t.Error("a reader who misses events does not notice")
	}
	f.begin()
	if _, _, ok := f.after(&quick); ok || quick.seen != 0 {
		t.Error("a reader of the epoch before does not notice")
	}
	if events, _, ok := f.after(&quick); !ok || len(events) != 0 {
		t.Error("nor can it go on")
	}
}

func TestStrangersDoNotCrowdOutWhoeverSaysWhoTheyAre(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		for range maxPendingAuth {
			s.live.pendingAuth <- struct{}{}
		}
		conn, _, err := s.dial(t, "")
		s.must(t, err)
		listen(t, conn).closedWith(websocket.StatusTryAgainLater, "too_many_watchers")
		s.follow(t, "", bearing(s.key(t, "panel", "read")))
		s.stop()
		s.must(t, <-s.ended)
	})
}

func TestAReaderThatIsGoneWithoutAWordIsNoticed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		key := bearing(s.key(t, "panel", "read"))
		conn, _, err := s.dial(t, "", key)
		s.must(t, err)
		if _, _, err := conn.Read(t.Context()); err != nil { // its hello, and then nothing more
			t.Fatal(err)
		}
		r, _ := s.follow(t, "", key)
		time.Sleep(pingEvery + pongWait + time.Second)
		synctest.Wait()
		if n := s.live.watchers.count(); n != 1 {
			t.Errorf("%d readers are left", n)
		}
		r.tells()
		s.stop()
		s.must(t, <-s.ended)
	})
}
