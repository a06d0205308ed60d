//go:build postgres

package store_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

var restarts = flag.Int("restarts", 4, "how often the PostgreSQL server is restarted under load")

// agreeWithin is how long replicas may take after a restart to agree again.
const agreeWithin = 5 * time.Second

// diary is what one caller was told of its sessions.
type diary struct {
	n        int
	sessions []*written
}

type written struct {
	token    string
	id       int64
	beat     time.Time // of the last heartbeat that was acknowledged
	ended    bool      // acknowledged
	doubtful bool      // its end was asked for, and nobody knows
}

// caller logs in, sends heartbeats and logs out, at any of the replicas, until ctx
// ends; what fails it asks for again, as an application does.
type caller struct {
	name     string
	replicas []*store.Store
	diary    diary
	acked    *atomic.Int64
	failed   *atomic.Int64
	goal     atomic.Pointer[goal] // never nil
	over     chan struct{}        // closed when it has come to its end
	problem  error
}

// goal is so much that is to be acknowledged before the test goes on.
type goal struct {
	missing atomic.Int64
	reached chan struct{}
}

// aim sets the next goal.
func (c *caller) aim() {
	g := &goal{reached: make(chan struct{})}
	g.missing.Store(20)
	c.goal.Store(g)
}

// arrive waits until the goal is reached, or will not be.
func (c *caller) arrive() {
	select {
	case <-c.goal.Load().reached:
	case <-c.over:
	}
}

func (c *caller) run(ctx context.Context) {
	defer close(c.over)
	for ctx.Err() == nil && c.problem == nil {
		c.diary.n++
		now := Start.Add(time.Duration(c.diary.n) * time.Millisecond)
		s := c.replicas[rand.IntN(len(c.replicas))]
		var open []*written
		for _, w := range c.diary.sessions {
			if !w.ended && !w.doubtful {
				open = append(open, w)
			}
		}
		switch {
		case len(open) < 3:
			c.LogIn(s, now)
		case rand.IntN(10) == 0:
			c.end(s, now, open[rand.IntN(len(open))])
		default:
			c.beat(s, now, open[rand.IntN(len(open))])
		}
	}
}

func (c *caller) LogIn(s *store.Store, now time.Time) {
	w := &written{token: fmt.Sprintf("token-of-%s-%06d-of-its-own", c.name, len(c.diary.sessions)), beat: now}
	in := store.Login{User: store.UserInput{ID: c.name}, Token: w.token}
	for {
		result, err := s.Login(context.Background(), now, Shop, in)
		if c.noted(err) {
			w.id = result.ID
			c.diary.sessions = append(c.diary.sessions, w)
			return
		}
		if c.problem != nil {
			return
		}
	}
}

func (c *caller) beat(s *store.Store, now time.Time, w *written) {
	_, err := s.Touch(context.Background(), now, w.token, store.Beat{})
	if c.noted(err) {
		w.beat = now
	}
}

func (c *caller) end(s *store.Store, now time.Time, w *written) {
	_, err := s.EndByToken(context.Background(), now, "shop", w.token, presence.EndLogout)
	w.ended = c.noted(err)
	w.doubtful = !w.ended
}

// noted tells whether something was acknowledged. What else than the database's
// absence keeps it from that is a problem.
func (c *caller) noted(err error) bool {
	switch {
	case err == nil:
		c.acked.Add(1)
		if g := c.goal.Load(); g.missing.Add(-1) == 0 {
			close(g.reached)
		}
		return true
	case errors.Is(err, sqldb.ErrUnavailable), errors.Is(err, sqldb.ErrBusy):
		c.failed.Add(1)
	default:
		c.problem = err
	}
	return false
}

// siege is load on replicas of a server that is restarted.
type siege struct {
	*testing.T
	server   *Server
	replicas []*store.Store
	callers  []*caller
	acked    atomic.Int64
	failed   atomic.Int64
}

func newSiege(t *testing.T, options string) *siege {
	server := NewServer(t)
	return besiege(t, server, server.URL("public")+options)
}

func besiege(t *testing.T, server *Server, address string) *siege {
	g := &siege{T: t, server: server}
	for range 2 {
		g.replicas = append(g.replicas, OpenConfig(t, store.Config{Database: address, Rules: presence.DefaultRules()}))
	}
	for i := range 8 {
		g.callers = append(g.callers, &caller{name: fmt.Sprint("caller", i), replicas: g.replicas, acked: &g.acked, failed: &g.failed})
	}
	return g
}

// round lets the callers work, takes the server away and brings it back. It
// returns what went wrong for a caller besides that.
func (g *siege) round(stop func() error) error { return g.without(stop, g.server.Start) }

func (g *siege) without(stop, start func() error) error {
	for _, c := range g.callers {
		c.aim()
	}
	ctx, end := context.WithCancel(g.Context())
	var working sync.WaitGroup
	for _, c := range g.callers {
		c.over = make(chan struct{})
		working.Go(func() { c.run(ctx) })
	}
	for _, c := range g.callers {
		c.arrive()
	}
	if err := stop(); err != nil {
		g.Fatal(err)
	}
	back := make(chan error)
	go func() { back <- start() }()
	for failed := g.failed.Load(); g.failed.Load() < failed+20; { // requests that come while it is away are answered
		if err := g.replicas[0].DB().CanWrite(ctx); err == nil {
			break // it was quick
		}
	}
	if err := <-back; err != nil {
		g.Fatal(err)
	}
	g.progress()
	end()
	working.Wait()
	for _, c := range g.callers {
		if c.problem != nil {
			return fmt.Errorf("%s: %w", c.name, c.problem)
		}
	}
	return nil
}

// progress waits until every caller was acknowledged some things more.
func (g *siege) progress() {
	for _, c := range g.callers {
		c.aim()
	}
	for _, c := range g.callers {
		c.arrive()
	}
}

// lost counts what was acknowledged and is not there, or is there twice.
func (g *siege) lost() (lost int) {
	db := g.server.Open(g, "public")
	defer db.Close()
	for _, c := range g.callers {
		for _, w := range c.diary.sessions {
			var active bool
			var activity int64
			err := db.QueryRow(`SELECT is_active, last_activity_at FROM user_sessions WHERE id = $1`, w.id).Scan(&active, &activity)
			switch {
			case err != nil, w.ended && active, !w.ended && !w.doubtful && !active, activity < w.beat.UnixMilli():
				lost++
			}
		}
		if n := Number(g, db, `SELECT COUNT(*) FROM user_sessions WHERE user_id = $1`, c.name); n != int64(len(c.diary.sessions)) {
			lost++
		}
	}
	return lost
}

// agree fails unless the replicas tell the same and hear of each other again.
func (g *siege) agree() {
	began := time.Now()
	a, b := g.replicas[0], g.replicas[1]
	now := Start.Add(time.Hour)
	token := fmt.Sprintf("token-of-a-visitor-after-%d", g.acked.Load())
	result, err := a.Login(g.Context(), now, Shop, store.Login{User: store.UserInput{ID: "visitor"}, Token: token})
	if err != nil {
		g.Fatal(err)
	}
	for drain(b) {
	}
	if _, err := a.EndByID(g.Context(), now, "", result.ID, presence.EndRevoked); err != nil {
		g.Fatal(err)
	}
	select {
	case <-b.DB().Changed():
	case <-time.After(agreeWithin):
		g.Fatalf("a replica hears nothing of the other after %v", time.Since(began))
	}
	if _, err := b.Authenticate(g.Context(), now, token); !errors.Is(err, store.ErrSessionEnded) {
		g.Errorf("a revocation does not reach the other replica: %v", err)
	}
	if was, is := fmt.Sprint(OnlineIDs(g, a, now)), fmt.Sprint(OnlineIDs(g, b, now)); was != is {
		g.Errorf("one replica has %s, the other %s", was, is)
	}
	first, err := a.LastChange(g.Context())
	if last, err2 := b.LastChange(g.Context()); err != nil || err2 != nil || first != last {
		g.Errorf("the replicas have read up to %d (%v) and %d (%v)", first, err, last, err2)
	}
}

func TestNothingAcknowledgedIsLostWhenTheServerRestarts(t *testing.T) {
	g := newSiege(t, "")
	for n := range *restarts {
		stop := func() error { g.server.Stop(); return nil }
		if n%2 == 1 {
			stop = g.server.Shutdown
		}
		if err := g.round(stop); err != nil {
			t.Fatal(err)
		}
		g.agree()
		if lost := g.lost(); lost > 0 {
			t.Fatalf("after restart %d %d of %d acknowledged changes are lost or there twice", n+1, lost, g.acked.Load())
		}
	}
	db := g.server.Open(t, "public")
	defer db.Close()
	if n := Number(t, db, `SELECT COUNT(*) - COUNT(DISTINCT session_id) FROM changes WHERE session_id IS NOT NULL`); n != 0 {
		t.Errorf("%d ends were told twice", n)
	}
	if n := Number(t, db, `SELECT MAX(seq) - MIN(seq) + 1 - COUNT(*) FROM changes`); n != 0 {
		t.Errorf("the log has %d holes", n)
	}
	t.Logf("%d restarts, %d acknowledged, %d refused, 0 lost", *restarts, g.acked.Load(), g.failed.Load())
}

func TestNothingAcknowledgedIsLostWhenAStandbyTakesOver(t *testing.T) {
	first := NewServer(t)
	second := first.Standby(t)
	address := url.Values{"host": {first.Folder() + "," + second.Folder()}, "port": {"5432,5432"}, "target_session_attrs": {"read-write"}}
	g := besiege(t, first, "postgres://rollcall@/postgres?"+address.Encode())
	err := g.without(func() error { first.Stop(); return nil }, second.Promote)
	if err != nil {
		t.Fatal(err)
	}
	g.server = second
	g.agree()
	if lost := g.lost(); lost > 0 {
		t.Errorf("%d of %d acknowledged changes are lost or there twice", lost, g.acked.Load())
	}
	t.Logf("%d acknowledged, %d refused, 0 lost", g.acked.Load(), g.failed.Load())
}

// TestWithoutWaitingForTheDiskARestartLosesWhatWasAcknowledged is the control: a
// setting in which the test before must fail.
func TestWithoutWaitingForTheDiskARestartLosesWhatWasAcknowledged(t *testing.T) {
	g := newSiege(t, "&synchronous_commit=off")
	for range 10 {
		err := g.round(func() error { g.server.Stop(); return nil })
		if errors.Is(err, store.ErrSessionEnded) || g.lost() > 0 {
			return // a session that somebody was told of is not there
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Error("nothing was lost")
}

// TestAnotherEraBeginsWhereAStandbyLacksTheLastCommits has one that was away while
// the server that it replaces wrote its last: numbers of changes that were read are
// given to others.
func TestAnotherEraBeginsWhereAStandbyLacksTheLastCommits(t *testing.T) {
	first := NewServer(t)
	second := first.Standby(t)
	address := url.Values{"host": {first.Folder() + "," + second.Folder()}, "port": {"5432,5432"}, "target_session_attrs": {"read-write"}}
	s := OpenConfig(t, store.Config{Database: "postgres://rollcall@/postgres?" + address.Encode(), Rules: presence.DefaultRules()})
	LogIn(t, s, Start, "ada")
	db := first.Open(t, "public")
	for _, statement := range []string{`ALTER SYSTEM SET synchronous_standby_names = ''`, `SELECT pg_reload_conf()`} {
		ExecSQL(t, db, statement)
	}
	if err := second.Shutdown(); err != nil {
		t.Fatal(err)
	}
	LogIn(t, s, Start, "bob") // whom only the first knows
	read, err := s.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ExecSQL(t, db, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'`)
	db.Close()
	era := s.DB().Timeline()
	LogIn(t, s, Start, "bob")
	if now := s.DB().Timeline(); now != era {
		t.Errorf("era %d became %d where only a connection was lost", era, now)
	}

	first.Stop()
	if err := errors.Join(second.Start(), second.Promote()); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for s.DB().Timeline() == era && time.Now().Before(deadline) {
		drain(s)
		select {
		case <-s.DB().Changed():
		case <-time.After(time.Second):
		}
	}
	if s.DB().Timeline() == era {
		t.Fatal("no other era has begun")
	}
	_, err = s.Login(t.Context(), Start, Shop, store.Login{User: store.UserInput{ID: "cy"}})
	for errors.Is(err, sqldb.ErrUnavailable) { // by a connection from before
		_, err = s.Login(t.Context(), Start, Shop, store.Login{User: store.UserInput{ID: "cy"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	last, err := s.LastChange(t.Context())
	for errors.Is(err, sqldb.ErrUnavailable) {
		last, err = s.LastChange(t.Context())
	}
	if err != nil || last > read {
		t.Errorf("change %d, %v: what was read up to %d is there", last, err, read)
	}
	left := second.Open(t, "public")
	defer left.Close()
	if n := Number(t, left, `SELECT COUNT(*) FROM user_sessions WHERE user_id IN ('ada', 'cy')`); n != 2 || Number(t, left, `SELECT COUNT(*) FROM user_sessions`) != 2 {
		t.Errorf("%d of ada and cy are there, or bob is too", n)
	}
}
