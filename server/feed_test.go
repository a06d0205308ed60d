package server

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

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
			if e := r.next(); e.String() != "online ada" || e.Counts.Available != 502 {
				t.Errorf("afterwards is told %+v", e)
			}
			r.tells()
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
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := s.live.Stats().Sockets; n != 1 {
			t.Errorf("%d readers are left", n)
		}
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
		time.Sleep(41 * time.Second) // a ping, and a pong that does not come
		synctest.Wait()
		if n := s.live.Stats().Sockets; n != 1 {
			t.Errorf("%d readers are left", n)
		}
		r.tells()
		s.stop()
		s.must(t, <-s.ended)
	})
}
