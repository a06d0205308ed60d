package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

// reader is an open live feed.
type reader struct {
	t    testing.TB
	conn *websocket.Conn
	read chan outcome
	gate bool // tests look at what the gate says, too
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
	Level                string
	UserID               string `json:"user_id"`
	Directory            string
	User                 struct{ ID, Directory, Name, Status, Page string }
	Session              struct{ ID, App string }
	Counts               api.Counts
	Notice               struct{ Message string }
	Withdrawn            string

	entry api.Person // the user in full
}

// String is what is news in an event.
func (e event) String() string {
	words := fmt.Sprint(e.Type, " ", e.User.ID, e.UserID, " ", e.Reason)
	if e.Type == "gate" {
		words += e.Level
	}
	return strings.Join(strings.Fields(words), " ")
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
		err = json.Unmarshal(text, &struct{ User *api.Person }{&e.entry})
	}
	if level := string(presence.Counts(e.Counts).Level(0)); err == nil && e.Level != level && (e.Level != "" || e.User.ID != "") {
		err = fmt.Errorf("the level beside the counts is not %s", level)
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
		if e := r.next(); e.Type != "gate" || r.gate {
			got = append(got, e.String())
		}
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

var shopBackend = store.By{App: "shop", Directory: "shop", Grant: store.AccessAdmin}

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
	bubble(t, func(t *testing.T) {
		s := serving(t)
		everybodyIsHeard()
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
		if _, err := s.store.EndByToken(t.Context(), s.now(), "shop", second, presence.EndLogout); err != nil {
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

		if _, err := s.store.EndByToken(t.Context(), s.now(), "shop", bob, presence.EndLogout); err != nil {
			t.Fatal(err)
		}
		r.tells("session_ended bob logout", "offline bob logout")

		if _, err := s.store.DeleteUser(t.Context(), s.now(), shopBackend, "dan"); err != nil {
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
		time.Sleep(time.Second)
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

// sql writes into the database behind the server's back.
func (s *served) sql(t testing.TB, statement string) {
	t.Helper()
	shell := storetest.ShellFile(t, s.folder, "&_pragma=foreign_keys(1)")
	if _, err := shell.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	shell.Close() // inside the test's bubble
}

func TestAnotherDeviceOrPlaceIsNews(t *testing.T) {
	onAFeed(t, func(t *testing.T, s *served, r *reader) {
		s.enter(t, "ada")
		r.tells("online ada")
		s.sql(t, `INSERT INTO user_agents (id, user_agent) VALUES (77, 'Firefox')`)
		for _, change := range []string{`user_sessions SET user_agent_id = 77`, `user_agents SET device_type = 'tablet'`, `user_agents SET device_os = 'Plan 9'`,
			`user_agents SET device_browser = 'Mothra'`, `user_sessions SET location = 'Tokyo'`} {
			s.sql(t, `UPDATE `+change)
			r.tells("updated ada")
		}
	})
}
