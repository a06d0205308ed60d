//go:build postgres

package server

import (
	"context"
	"database/sql"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

// These tests run by the real clock, on a database that several servers share.

const (
	soon    = time.Second      // for what one server does to be seen on another
	agreed  = 5 * time.Second  // for all to be as one again after the database was away
	patient = 20 * time.Second // far beyond what anything else here takes
)

// replica is one of several servers on the database at url.
func replica(t *testing.T, url string) *served {
	t.Helper()
	s := servingOn(t, storetest.OpenConfig(t, store.Config{Database: url, Rules: presence.DefaultRules()}))
	t.Cleanup(func() {
		s.stop()
		<-s.ended
	})
	return s
}

// hears fails unless these are the next messages, soon.
func (r *reader) hears(want ...string) {
	r.t.Helper()
	r.hearsWithin(soon, want...)
}

func (r *reader) hearsWithin(limit time.Duration, want ...string) {
	r.t.Helper()
	late := time.After(limit)
	for len(want) > 0 {
		select {
		case got := <-r.read:
			switch {
			case got.err != nil:
				r.t.Fatalf("waiting for %v: %v", want, got.err)
			case got.event.Type == "gate":
			case got.event.String() != want[0]:
				r.t.Fatalf("it tells %v, want %v", got.event, want)
			default:
				want = want[1:]
			}
		case <-late:
			r.t.Fatalf("within %v it does not tell %v", limit, want)
		}
	}
}

// eventually repeats a question until the answer is yes.
func eventually(t *testing.T, what string, within time.Duration, yes func() bool) {
	t.Helper()
	for begun := time.Now(); !yes(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > within {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

func TestWhatOneServerDoesHoldsOnAnotherAtOnce(t *testing.T) {
	url := storetest.Config(t, t.TempDir()).Database
	a, b := replica(t, url), replica(t, url)
	key := a.key(t, "shop", "read", "sessions")
	r, _ := b.follow(t, "", bearing(key))
	_, token := a.person(t, key, "ada")
	r.hears("online ada")
	do(t, b.bench, "POST", "/admin/users/heartbeat", `{"page":"/basket"}`, bearing(token)).wants(200)
	r.hears("updated ada")
	do(t, a.bench, "POST", "/admin/sessions/end", map[string]string{"session_token": token}, bearing(key)).wants(200)
	do(t, b.bench, "POST", "/admin/users/heartbeat", nil, bearing(token)).refuses(404, "session_ended")
	r.hears("session_ended ada logout", "offline ada logout")

	keys, err := a.store.Keys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	if _, err := a.store.DeleteKey(t.Context(), a.now(), store.ActorCLI, keys[0].ID, false); err != nil {
		t.Fatal(err)
	}
	do(t, b.bench, "GET", "/admin/users/online", nil, bearing(key)).refuses(401, "unauthenticated")
	ended := make(chan struct{})
	go func() {
		r.closedWith(websocket.StatusPolicyViolation, "unauthenticated")
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(soon):
		t.Fatalf("the feed of a key that was deleted elsewhere goes on after %v", soon)
	}
}

func TestWhoIsErasedOnOneServerIsGoneFromAnother(t *testing.T) {
	url := storetest.Config(t, t.TempDir()).Database
	a, b := replica(t, url), replica(t, url)
	key := a.key(t, "shop", "admin")
	r, hello := b.follow(t, "", bearing(key))
	a.person(t, key, "ada")
	a.person(t, key, "bob")
	r.hears("online ada", "online bob")
	do(t, a.bench, "POST", "/admin/users/ada/erase", `{"confirm":"ada"}`, bearing(key)).wants(200)
	r.hears("offline ada user_deleted")
	late, _ := b.follow(t, "?since="+hello.Cursor, bearing(key))
	late.hears("reset") // rather than what there was to tell of her
	b.person(t, key, "cleo")
	r.hears("online cleo")
}

func (b *bench) ready(t *testing.T) bool {
	return do(t, b, "GET", "/readyz", nil).Code == http.StatusOK
}

func TestServersGoOnWhenTheDatabaseWasAway(t *testing.T) {
	database := storetest.NewServer(t)
	a, b := replica(t, database.URL("public")), replica(t, database.URL("public"))
	key := a.key(t, "shop", "read", "sessions")
	_, token := a.person(t, key, "ada")
	r, _ := a.follow(t, "", bearing(key))
	ops := a.key(t, "ops", "admin")
	ada, _, err := a.visits(t, bearing(token))
	if err != nil {
		t.Fatal(err)
	}
	ada.next() // no notices

	for round := range 3 {
		database.Stop()
		eventually(t, "readiness turns red", agreed, func() bool { return !a.ready(t) && !b.ready(t) })
		for range 20 {
			for path, method := range map[string]string{"/admin/users/heartbeat": "POST", "/admin/users/online": "GET", "/admin/gate": "GET", "/readyz": "GET"} {
				credential := key
				if method == "POST" {
					credential = token
				}
				got := do(t, a.bench, method, path, nil, bearing(credential))
				got.refuses(503, "unavailable")
				if got.Header().Get("Retry-After") == "" {
					t.Errorf("%s %s: no Retry-After", method, path)
				}
			}
		}
		if status, _ := a.get(t, "/healthz"); status != 200 {
			t.Errorf("the process does not live: %d", status)
		}
		time.Sleep(2 * time.Second) // in which the jobs of every second run, and fail
		if err := database.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "readiness turns green", agreed, func() bool { return a.ready(t) && b.ready(t) })
		do(t, b.bench, "POST", "/admin/users/heartbeat", nil, bearing(token)).wants(200)
		b.person(t, key, "user"+string(rune('a'+round)))
		r.hearsWithin(agreed, "online user"+string(rune('a'+round))) // on the socket from before
		b.announces(t, ops, `{"message":"it is over"}`)
		for event := r.next(); event.Type != "notice"; event = r.next() {
		}
		if got := ada.next(); got != "notices"+strings.Repeat(" it is over", round+1) {
			t.Errorf("on the connection from before: %s", got)
		}
		for name, s := range map[string]*served{"a": a, "b": b} {
			eventually(t, "server "+name+" tells that it is over", patient, func() bool { return len(s.lines("is back")) == round+1 })
			if away := s.lines("out of reach"); len(away) != round+1 {
				t.Errorf("server %s says %d times that it is away after %d times: %v", name, len(away), round+1, away)
			}
			if failed := append(s.lines(`"level":"error"`), s.lines(`"level":"warn"`)...); len(failed) != round+1 {
				t.Errorf("the log of server %s: %s", name, s.logs)
			}
		}
	}
}

func TestAServerIsNotReadyWhereTheDatabaseIsReadOnly(t *testing.T) {
	database := storetest.NewServer(t)
	s := replica(t, database.URL("public"))
	key := s.key(t, "shop", "read", "sessions")
	shell, err := sql.Open("pgx", database.URL("public"))
	if err != nil {
		t.Fatal(err)
	}
	defer shell.Close()
	set := func(readOnly string) {
		for _, statement := range []string{`ALTER SYSTEM SET default_transaction_read_only = ` + readOnly, `SELECT pg_reload_conf()`} {
			if _, err := shell.ExecContext(context.Background(), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !s.ready(t) {
		t.Fatal("it is not ready")
	}
	set("on")
	eventually(t, "readiness turns red", agreed, func() bool { return !s.ready(t) })
	do(t, s.bench, "GET", "/admin/users/online", nil, bearing(key)).wants(200)
	do(t, s.bench, "POST", "/admin/sessions", `{"user":{"id":"ada"}}`, bearing(key)).refuses(503, "unavailable")
	set("off")
	eventually(t, "readiness turns green", agreed, func() bool { return s.ready(t) })
	s.person(t, key, "ada")
	eventually(t, "it is told", patient, func() bool { return len(s.lines("is back")) == 1 })
	if away := s.lines("out of reach"); len(away) != 1 {
		t.Errorf("the log: %s", s.logs)
	}
}

// TestReplicasGoByTheClockOfTheDatabase has one on a machine whose clock is a month ahead.
func TestReplicasGoByTheClockOfTheDatabase(t *testing.T) {
	url := storetest.Config(t, t.TempDir()).Database
	open := func() *store.Store {
		return storetest.OpenConfig(t, store.Config{Database: url, Rules: presence.DefaultRules()})
	}
	a := servingOn(t, open())
	key := a.key(t, "shop", "read", "sessions", "admin")
	_, token := a.person(t, key, "ada")

	const off = 31 * 24 * time.Hour // when every login has ended and is past retention
	var by atomic.Int64
	by.Store(int64(off))
	b := servingOn(t, open(), func(c *Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(by.Load())) }
		began := time.Now()
		c.Uptime = func() time.Duration { return time.Since(began) }
	})
	agree := func() {
		t.Helper()
		if differ := b.now().Sub(a.now()).Abs(); differ > time.Minute {
			t.Errorf("the replicas differ by %v", differ)
		}
		do(t, b.bench, "POST", "/admin/users/cleanup-sessions", nil, bearing(key)).wants(200)
		do(t, b.bench, "POST", "/admin/users/heartbeat", nil, bearing(token)).wants(200)
		for _, s := range []*served{a, b} {
			if users := do(t, s.bench, "GET", "/admin/users/online", nil, bearing(key)).wants(200)["users"].([]any); len(users) != 1 {
				t.Errorf("%d are online", len(users))
			}
		}
	}
	eventually(t, "it is served", patient, func() bool { return len(b.lines("by PostgreSQL's clock")) == 1 })
	if b.now(); b.Server.clock.Skewed() {
		t.Error("that was a step of the clock")
	}
	agree()
	by.Store(0) // somebody has set it
	b.now()     // notices, if no job of the server has by now
	if err := b.Server.clock.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	agree()
	if n := len(b.lines("nobody is turned offline")); n != 2 || !b.Server.clock.Skewed() { // for the step, and for taking it back
		t.Errorf("that it is lenient is told %d times: %s", n, b.logs)
	}
	if err := b.Server.clock.Sync(t.Context()); err != nil || len(b.lines("nobody is turned offline")) != 2 {
		t.Errorf("%v, and it is told again: %s", err, b.logs)
	}
	for _, s := range []*served{a, b} {
		s.stop()
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
	}
}
