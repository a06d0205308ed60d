//go:build postgres

package store_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// cutter stands between a store and its server, and can cut a connection at the
// commit: before it reaches the server, while that works at it, or before the answer
// reaches the store.
type cutter struct {
	t      *testing.T
	server string // socket
	listen net.Listener
	cut    atomic.Int32
	before func()     // runs before a cut request is noticed; may be nil
	busy   sync.Mutex // held meanwhile: no other connection gets through
}

const (
	cutNothing = iota
	cutRequest // once
	cutWaiting // once
	cutAnswer  // once
)

const cancelRequest = 80877102 // what a connection begins with that is to interrupt another

func newCutter(t *testing.T, server *Server) (*cutter, string) {
	folder := t.TempDir()
	listen, err := net.Listen("unix", filepath.Join(folder, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listen.Close() })
	c := &cutter{t: t, server: filepath.Join(server.Folder(), ".s.PGSQL.5432"), listen: listen}
	go func() {
		for {
			client, err := listen.Accept()
			if err != nil {
				return
			}
			go c.serve(client)
		}
	}()
	return c, "postgres://rollcall@/postgres?" + url.Values{"host": {folder}, "sslmode": {"disable"}}.Encode()
}

// serve passes messages on. Of those of the store it looks for the execution of
// the statement COMMIT; see chapter 55 of PostgreSQL's manual.
func (c *cutter) serve(client net.Conn) {
	defer client.Close()
	c.busy.Lock()
	server, err := net.Dial("unix", c.server)
	c.busy.Unlock()
	if err != nil {
		return
	}
	defer server.Close()
	answered := make(chan struct{})
	var swallow atomic.Bool
	go func() {
		defer close(answered)
		defer client.Close()
		buffer := make([]byte, 1<<16)
		for {
			n, err := server.Read(buffer)
			if err != nil || swallow.Load() { // whose first bytes say that it is done
				return
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	var commit []byte               // name of the statement on this connection
	var leave bool                  // as soon as the commit is on its way
	for header := 4; ; header = 5 { // the first message has no type
		head := make([]byte, header)
		if _, err := io.ReadFull(client, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[header-4:])-4)
		if _, err := io.ReadFull(client, body); err != nil {
			return
		}
		if header == 4 && binary.BigEndian.Uint32(body) == cancelRequest { // which is lost too
			return
		}
		switch head[0] {
		case 'P': // name, text
			if name, text, _ := bytes.Cut(body, []byte{0}); bytes.HasPrefix(text, []byte("COMMIT\x00")) {
				commit = append([]byte{0}, name...)
			}
		case 'B': // portal, name
			if commit != nil && bytes.HasPrefix(body, append(commit, 0)) {
				if c.cut.CompareAndSwap(cutRequest, cutNothing) {
					if c.before != nil {
						c.busy.Lock()
						c.before()
						c.busy.Unlock()
					}
					return
				}
				leave = c.cut.CompareAndSwap(cutWaiting, cutNothing)
				swallow.Store(c.cut.CompareAndSwap(cutAnswer, cutNothing))
			}
		}
		if _, err := server.Write(append(head, body...)); err != nil || leave && head[0] == 'S' { // for: that was all
			return
		}
	}
}

func TestACommitWhoseAnswerWasLostIsKnownAllTheSame(t *testing.T) {
	c, address := newCutter(t, NewServer(t))
	s := OpenConfig(t, store.Config{Database: address, Rules: presence.DefaultRules()})
	login(t, s, Start, "ada") // the connection is known to be good

	c.cut.Store(cutAnswer)
	bob := login(t, s, Start, "bob")
	if c.cut.Load() != cutNothing {
		t.Fatal("nothing was cut")
	}
	if _, err := s.Authenticate(t.Context(), Start, bob.Token); err != nil {
		t.Errorf("a login that was acknowledged: %v", err)
	}

	c.cut.Store(cutRequest)
	if _, err := s.Login(t.Context(), Start, shop, store.Login{User: store.UserInput{ID: "cy"}}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a login that never reached the server: %v", err)
	}
	login(t, s, after(1), "dan")
	if n, err := s.CountSessions(t.Context(), after(1), store.SessionFilter{}); err != nil || n != 3 {
		t.Errorf("%d are logged in, %v; want ada, bob and dan", n, err)
	}
}

func TestACommitThatGoesOnWithoutTheConnectionIsWaitedFor(t *testing.T) {
	server := NewServer(t)
	c, address := newCutter(t, server)
	s := OpenConfig(t, store.Config{Database: address, Rules: presence.DefaultRules()})
	login(t, s, Start, "ada")

	db := server.Open(t, "public")
	defer db.Close()
	execSQL(t, db, `CREATE FUNCTION wait() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END'`)
	execSQL(t, db, `CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON changes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()`)
	held, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Rollback()
	if _, err := held.Exec(`SELECT pg_advisory_xact_lock(1)`); err != nil {
		t.Fatal(err)
	}

	c.cut.Store(cutWaiting)
	told := make(chan error, 1)
	go func() {
		_, err := s.Login(t.Context(), Start, shop, store.Login{User: store.UserInput{ID: "bob"}})
		told <- err
	}()
	// The one at its commit, the other asking what became of it.
	for waiting := int64(0); waiting < 2; {
		waiting = number(t, db, `SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'advisory'`)
		select {
		case err := <-told:
			t.Fatalf("told %v while the commit goes on", err)
		default:
		}
	}
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-told; err != nil {
		t.Errorf("a login that was committed: %v", err)
	}
}

// TestATransactionIsNotTakenForAnother: a server that crashes may give the number
// of a transaction, of which nothing had reached its disk, to the next one.
func TestATransactionIsNotTakenForAnother(t *testing.T) {
	server := NewServer(t)
	c, address := newCutter(t, server)
	s := OpenConfig(t, store.Config{Database: address, Rules: presence.DefaultRules()})
	login(t, s, Start, "ada")

	done := make(chan struct{})
	c.before = func() {
		defer close(done)
		server.Stop()
		if err := server.Start(); err != nil {
			t.Error(err)
		}
		db := server.Open(t, "public")
		defer db.Close()
		for range 20 {
			if _, err := db.Exec(`INSERT INTO settings (name, value) VALUES ('other', 0) ON CONFLICT (name) DO UPDATE SET value = settings.value + 1`); err != nil {
				t.Error(err)
			}
		}
	}
	c.cut.Store(cutRequest)
	if _, err := s.Login(t.Context(), Start, shop, store.Login{User: store.UserInput{ID: "bob"}}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a login that was lost with the server: %v", err)
	}
	<-done
	if n, err := s.CountSessions(t.Context(), after(1), store.SessionFilter{}); err != nil || n != 1 {
		t.Errorf("%d are logged in, %v; want ada", n, err)
	}
}

// TestAReplicaThatIsLostInATransactionStopsTheOthersOnlyForAWhile has a replica of
// which nothing more comes while it has the turn to write, as where its machine has
// lost its power: the server does not notice by itself.
func TestAReplicaThatIsLostInATransactionStopsTheOthersOnlyForAWhile(t *testing.T) {
	server := NewServer(t)
	c, address := newCutter(t, server)
	lost := OpenConfig(t, store.Config{Database: address, Rules: presence.DefaultRules()})
	other := OpenConfig(t, store.Config{Database: server.URL("public"), Rules: presence.DefaultRules()})
	login(t, other, Start, "ada")

	done := make(chan struct{})
	c.before = func() {
		defer close(done)
		began := time.Now()
		_, err := other.Login(t.Context(), after(1), shop, store.Login{User: store.UserInput{ID: "bob"}})
		if !errors.Is(err, store.ErrBusy) {
			t.Errorf("while the lost one has the turn: %v", err)
		}
		for errors.Is(err, store.ErrBusy) && time.Since(began) < 30*time.Second {
			_, err = other.Login(t.Context(), after(1), shop, store.Login{User: store.UserInput{ID: "bob"}})
		}
		if err != nil {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		t.Logf("others write again after %v", time.Since(began).Round(time.Second))
	}
	c.cut.Store(cutRequest)
	if _, err := lost.Login(t.Context(), Start, shop, store.Login{User: store.UserInput{ID: "cy"}}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("the login of the lost one: %v", err)
	}
	<-done
	login(t, lost, after(2), "dan") // when it is back
	wantOnline(t, other, after(3), "dan", "bob", "ada")
}
