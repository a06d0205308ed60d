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
	"rollcall/store/sqldb"
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
	cutNothing  = iota
	cutRequest  // once
	cutWaiting  // once
	cutAnswer   // once
	cutTimeline // once, where the server is asked for its own
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
			} else if bytes.Contains(text, []byte("pg_walfile_name")) && c.cut.CompareAndSwap(cutTimeline, cutNothing) {
				return
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

func TestALoginWhoseAnswerWasLostIsTheSameWhenItIsReportedAgain(t *testing.T) {
	c, address := newCutter(t, NewServer(t))
	s := OpenConfig(t, store.Config{Database: address, Rules: presence.DefaultRules()})
	LogIn(t, s, Start, "ada") // the connection is known to be good

	report := func(id string) (store.LoginResult, error) {
		return s.Login(t.Context(), Start, Shop, store.Login{User: store.UserInput{ID: id}, Token: "the token of " + id + " itself"})
	}
	for _, lost := range []struct {
		what    string
		cut     int32
		created bool // by the second report
	}{{"the answer", cutAnswer, false}, {"the request", cutRequest, true}} {
		c.cut.Store(lost.cut)
		if _, err := report(lost.what); !errors.Is(err, sqldb.ErrUnavailable) {
			t.Errorf("where %s was lost nobody knows, but: %v", lost.what, err)
		}
		if c.cut.Load() != cutNothing {
			t.Fatal("nothing was cut")
		}
		if again, err := report(lost.what); err != nil || again.Created != lost.created {
			t.Errorf("after %s was lost: created %v, %v", lost.what, again.Created, err)
		}
	}
	if n, err := s.CountSessions(t.Context(), after(1), store.SessionFilter{}); err != nil || n != 3 {
		t.Errorf("%d are logged in, %v; want ada and two more", n, err)
	}
}

// TestAReplicaThatIsLostInATransactionCostsTheOthersNoWrite has a replica of
// which nothing more comes while it has the turn to write, as where its machine has
// lost its power: the server does not notice by itself.
func TestAReplicaThatIsLostInATransactionCostsTheOthersNoWrite(t *testing.T) {
	server := NewServer(t)
	c, address := newCutter(t, server)
	lost := OpenConfig(t, store.Config{Database: address, Rules: presence.DefaultRules()})
	other := OpenConfig(t, store.Config{Database: server.URL("public"), Rules: presence.DefaultRules()})
	LogIn(t, other, Start, "ada")

	done := make(chan struct{})
	c.before = func() {
		defer close(done)
		if _, err := other.Login(t.Context(), after(1), Shop, store.Login{User: store.UserInput{ID: "bob"}}); err != nil { // sooner than a turn is given up
			t.Errorf("while the lost one has the turn: %v", err)
		}
	}
	c.cut.Store(cutRequest)
	if _, err := lost.Login(t.Context(), Start, Shop, store.Login{User: store.UserInput{ID: "cy"}}); !errors.Is(err, sqldb.ErrUnavailable) {
		t.Errorf("the login of the lost one: %v", err)
	}
	<-done
	LogIn(t, lost, after(2), "dan")              // when it is back
	wantOnline(t, other, after(2), "dan", "bob") // as a login that is followed by no heartbeat, ada counts no longer
}

// TestNoOtherEraBeginsWhereTheConnectionIsLostAgain has it lost while the server is asked
// whether it is still on the same line of commits.
func TestNoOtherEraBeginsWhereTheConnectionIsLostAgain(t *testing.T) {
	server := NewServer(t)
	c, address := newCutter(t, server)
	s := OpenConfig(t, store.Config{Database: address, Rules: presence.DefaultRules()})
	db := server.Open(t, "public")
	defer db.Close()
	listener := func(before int) (pid int) {
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
			_ = db.QueryRow(`SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND pid <> $1`, before).Scan(&pid)
			if pid != 0 {
				return pid
			}
		}
		t.Fatal("nobody listens")
		return 0
	}
	first := listener(0)
	era := s.DB().Timeline()
	c.cut.Store(cutTimeline)
	ExecSQL(t, db, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'`)
	listener(first)
	if c.cut.Load() != cutNothing {
		t.Fatal("nothing was cut")
	}
	if now := s.DB().Timeline(); now != era {
		t.Errorf("era %d became %d where only connections were lost", era, now)
	}
}
