package server

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"rollcall/store"
)

// reader is an open live feed.
type reader struct {
	t    testing.TB
	conn *websocket.Conn
	read chan outcome
}

// outcome is a message, or why there is none any more.
type outcome struct {
	event event
	err   error
}

// listen reads all that comes, because a read that is given up ends the socket.
func listen(t testing.TB, conn *websocket.Conn) *reader {
	r := &reader{t: t, conn: conn, read: make(chan outcome, 10000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, text, err := conn.Read(context.Background())
			var e event
			if err == nil {
				e, err = parseEvent(text)
			}
			if r.read <- (outcome{e, err}); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = conn.CloseNow()
		<-done
	})
	return r
}

// event is a message of the feed as tests look at it.
type event struct {
	Type, Cursor, Reason string
	UserID               string `json:"user_id"`
	User                 struct{ ID, Name, Status, Page string }
	Session              struct{ ID, App string }
	Counts               struct{ Available, Busy, Away int }

	entry onlineUser // the user in full
}

// String is what is news in an event.
func (e event) String() string {
	return strings.Join(strings.Fields(fmt.Sprint(e.Type, " ", e.User.ID, e.UserID, " ", e.Reason)), " ")
}

// dial asks for the feed; opts adjust the request's head.
func (s *served) dial(t testing.TB, query string, opts ...func(*http.Request)) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	head := &http.Request{Header: http.Header{}}
	for _, opt := range opts {
		opt(head)
	}
	return websocket.Dial(t.Context(), "http://localhost/admin/users/online/live"+query,
		&websocket.DialOptions{HTTPClient: s.client, HTTPHeader: head.Header})
}

// follow opens the feed and reads its hello.
func (s *served) follow(t testing.TB, query string, opts ...func(*http.Request)) (*reader, event) {
	t.Helper()
	conn, res, err := s.dial(t, query, opts...)
	if err != nil {
		t.Fatal(err)
	}
	answered.Store("GET /admin/users/online/live "+fmt.Sprint(res.StatusCode), true)
	r := listen(t, conn)
	hello := r.next()
	if hello.Type != "hello" {
		t.Fatalf("the first message is %v", hello)
	}
	return r, hello
}

// next waits for a message.
func (r *reader) next() event {
	r.t.Helper()
	got := <-r.read
	if got.err != nil {
		r.t.Fatal(got.err)
	}
	return got.event
}

// parseEvent fails where a message is not as documented.
func parseEvent(text []byte) (e event, err error) {
	var value any
	doc, err := document()
	if err == nil {
		err = errors.Join(json.Unmarshal(text, &e), json.Unmarshal(text, &value))
	}
	if err == nil {
		err = doc.Components.Schemas["LiveMessage"].Value.VisitJSON(value)
	}
	if err == nil {
		err = json.Unmarshal(text, &struct{ User *onlineUser }{&e.entry})
	}
	if err != nil {
		err = fmt.Errorf("%w in %s", err, text)
	}
	return e, err
}

// tells fails unless the next messages are these, and there is no other.
func (r *reader) tells(want ...string) {
	r.t.Helper()
	time.Sleep(2 * time.Second) // of the test's time: nothing takes longer
	synctest.Wait()
	got := []string{}
	for len(r.read) > 0 {
		got = append(got, r.next().String())
	}
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		r.t.Fatal(diff)
	}
}

// closedWith waits until the server closes the feed.
func (r *reader) closedWith(code websocket.StatusCode, reason string) {
	r.t.Helper()
	for got := range r.read {
		var closed websocket.CloseError
		if errors.As(got.err, &closed) {
			if closed.Code != code || closed.Reason != reason {
				r.t.Errorf("closed with %d %q, want %d %q", closed.Code, closed.Reason, code, reason)
			}
			return
		}
		if got.err != nil {
			r.t.Fatalf("waiting for the end: %v", got.err)
		}
	}
}

var shopBackend = store.By{App: "shop", Grant: store.AccessAdmin}

// enter logs somebody in and returns the token.
func (s *served) enter(t testing.TB, id string) string {
	t.Helper()
	result, err := s.store.Login(t.Context(), s.now(), shopBackend, store.Login{User: store.UserInput{ID: id}})
	if err != nil {
		t.Fatal(err)
	}
	return result.Token
}

func (s *served) beat(t testing.TB, token string, beat store.Beat) {
	t.Helper()
	if _, err := s.store.Touch(t.Context(), s.now(), token, beat); err != nil {
		t.Fatal(err)
	}
}

// onAFeed runs a test on a server with a reader that may see everything.
func onAFeed(t *testing.T, f func(t *testing.T, s *served, r *reader)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := serving(t)
		key := s.key(t, "panel", "read")
		r, _ := s.follow(t, "", bearing(key))
		f(t, s, r)
		s.stop()
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
	})
}

func text(page string) *string { return &page }

func TestTheFeedTellsWhatChangesAndNothingElse(t *testing.T) {
	onAFeed(t, func(t *testing.T, s *served, r *reader) {
		ada := s.enter(t, "ada")
		r.tells("online ada")
		s.beat(t, ada, store.Beat{Page: text("/orders")})
		r.tells("updated ada")
		time.Sleep(time.Minute)
		s.beat(t, ada, store.Beat{Page: text("/orders"), Idle: time.Minute})
		r.tells() // she is still there, on the same page
		s.beat(t, ada, store.Beat{Page: text("/orders"), Idle: 5 * time.Minute})
		r.tells("updated ada") // away
		second := s.enter(t, "ada")
		r.tells("updated ada") // a second session, and available by it
		if _, err := s.store.EndByToken(t.Context(), s.now(), "shop", second, store.EndLogout); err != nil {
			t.Fatal(err)
		}
		r.tells("session_ended ada logout", "updated ada")
		if _, err := s.store.PutUser(t.Context(), s.now(), shopBackend, store.UserInput{ID: "ada", Name: text("Ada")}); err != nil {
			t.Fatal(err)
		}
		r.tells("updated ada")
		if _, err := s.store.PutUser(t.Context(), s.now(), shopBackend, store.UserInput{ID: "ada", Name: text("Ada")}); err != nil {
			t.Fatal(err)
		}
		r.tells()
	})
}

func TestTheFeedTellsEachDepartureOnceAndWhy(t *testing.T) {
	onAFeed(t, func(t *testing.T, s *served, r *reader) {
		ada, bob := s.enter(t, "ada"), s.enter(t, "bob")
		s.enter(t, "cleo")
		dan := s.enter(t, "dan")
		r.tells("online ada", "online bob", "online cleo", "online dan")

		s.beat(t, ada, store.Beat{Leaving: true})
		r.tells() // she may come back
		time.Sleep(13 * time.Second)
		r.tells("offline ada left")

		if _, err := s.store.EndByToken(t.Context(), s.now(), "shop", bob, store.EndLogout); err != nil {
			t.Fatal(err)
		}
		r.tells("session_ended bob logout", "offline bob logout")

		if _, err := s.store.DeleteUser(t.Context(), shopBackend, "dan"); err != nil {
			t.Fatal(err)
		}
		r.tells("session_ended dan user_deleted", "offline dan user_deleted")
		if _, err := s.store.Touch(t.Context(), s.now(), dan, store.Beat{}); !errors.Is(err, store.ErrSessionEnded) {
			t.Fatal(err)
		}
		r.tells()

		time.Sleep(4*time.Minute + 35*time.Second)
		r.tells("offline cleo timed_out")
		s.beat(t, ada, store.Beat{})
		r.tells("online ada")
	})
}

func TestWhoeverChangesAllTheTimeIsToldOfLessOften(t *testing.T) {
	onAFeed(t, func(t *testing.T, s *served, r *reader) {
		ada := s.enter(t, "ada")
		r.tells("online ada")
		start := len(r.read)
		for n := range 50 {
			s.beat(t, ada, store.Beat{Page: text(fmt.Sprint("/", n))})
			time.Sleep(60 * time.Millisecond)
		}
		time.Sleep(lookEvery)
		synctest.Wait()
		told, last := len(r.read)-start, event{}
		for len(r.read) > 0 {
			last = r.next()
		}
		if told < 3 || told > 7 || last.User.Page != "/49" {
			t.Errorf("of 50 pages in 3 s %d are told, the last is %s", told, last.User.Page)
		}
		r.tells()
	})
}

func TestAReloadAnnouncesNothing(t *testing.T) {
	onAFeed(t, func(t *testing.T, s *served, r *reader) {
		ada := s.enter(t, "ada")
		r.tells("online ada")
		for range 5 {
			s.beat(t, ada, store.Beat{Leaving: true})
			time.Sleep(8 * time.Second)
			s.beat(t, ada, store.Beat{})
			r.tells()
		}
	})
}

func TestWhatTheSqlite3ShellDoesIsToldToo(t *testing.T) {
	onAFeed(t, func(t *testing.T, s *served, r *reader) {
		s.enter(t, "ada")
		r.tells("online ada")
		s.sql(t, `UPDATE users SET name = 'Ada'`)
		r.tells("updated ada")
		s.sql(t, `UPDATE user_sessions SET is_active = false, ended_at = 1, end_reason = 'revoked'`)
		r.tells("session_ended ada revoked", "offline ada revoked")
	})
}

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

// sql writes into the database behind the server's back.
func (s *served) sql(t testing.TB, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.folder, store.FileName)+"?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
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
		synctest.Test(t, func(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) {
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

func TestAStepOfTheClockTurnsNobodyOffline(t *testing.T) {
	for _, test := range []struct {
		name string
		step time.Duration
		told []string
	}{
		{"forward", 40 * time.Minute, []string{"offline bob timed_out", "reset"}}, // after five minutes by any clock
		{"back", -40 * time.Minute, []string{"reset"}},                            // when the clock is trusted again
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var by atomic.Int64
				s := serving(t, func(c *Config) {
					c.Now = func() time.Time { return time.Now().Add(time.Duration(by.Load())) }
					c.Uptime = func() time.Duration { return time.Since(start) }
				})
				ada := s.enter(t, "ada")
				s.enter(t, "bob") // who is not heard of again
				r, _ := s.follow(t, "", bearing(s.key(t, "panel", "read")))
				r.tells()
				by.Store(int64(test.step))
				r.tells("reset")
				for range 9 {
					time.Sleep(time.Minute)
					s.beat(t, ada, store.Beat{})
					if page, err := s.store.Online(t.Context(), s.now(), store.OnlineFilter{Limit: 10}); err != nil || !shows(page, "ada") {
						t.Fatalf("ada is not online: %v %v", page, err)
					}
				}
				time.Sleep(time.Minute)
				s.beat(t, ada, store.Beat{})
				r.tells(test.told...)
				page, err := s.store.Online(t.Context(), s.now(), store.OnlineFilter{Limit: 10})
				s.must(t, err)
				if !shows(page, "ada") || shows(page, "bob") {
					t.Errorf("two online windows later there are %v", page.People)
				}
				for range 40 { // until a clock that was set back has caught up
					time.Sleep(time.Minute)
					s.beat(t, ada, store.Beat{})
					if page, err := s.store.Online(t.Context(), s.now(), store.OnlineFilter{Limit: 10}); err != nil || shows(page, "bob") {
						t.Fatalf("at %v there are %v, %v", s.now(), page.People, err)
					}
				}
				s.stop()
				s.must(t, <-s.ended)
			})
		})
	}
}

func shows(page store.OnlinePage, id string) bool {
	return slices.ContainsFunc(page.People, func(p store.OnlinePerson) bool { return p.ID == id })
}
