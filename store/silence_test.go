//go:build postgres

package store_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// quietWire leads to a database by the network, and can fall silent as that does
// when a machine is gone: nothing arrives, and nobody says so.
type quietWire struct {
	ln net.Listener
	mu sync.RWMutex // held while it is silent
}

// wire leads to the database at an address of storetest's.
func wire(t *testing.T, address string) (*quietWire, string) {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := parsed.Query()
	socket := filepath.Join(q.Get("host"), ".s.PGSQL.5432")
	w := &quietWire{}
	if w.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	go w.accept(socket)
	t.Cleanup(func() { w.ln.Close() })
	parsed.Host = w.ln.Addr().String()
	parsed.RawQuery = url.Values{"search_path": {q.Get("search_path")}, "sslmode": {"disable"}}.Encode()
	return w, parsed.String()
}

func (w *quietWire) accept(socket string) {
	for {
		near, err := w.ln.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("unix", socket)
		if err != nil {
			near.Close()
			continue
		}
		go w.carry(near, far)
		go w.carry(far, near)
	}
}

func (w *quietWire) carry(from, to net.Conn) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		w.mu.RLock() // here it waits while there is silence
		_, failed := to.Write(buffer[:n])
		w.mu.RUnlock()
		if err != nil || failed != nil {
			return
		}
	}
}

func TestADatabaseThatFallsSilentIsOutOfReach(t *testing.T) {
	w, address := wire(t, Config(t, t.TempDir()).Database)
	s := OpenConfig(t, store.Config{Database: address, Rules: presence.DefaultRules()})
	token := LogIn(t, s, Start, "ada").Token
	w.mu.Lock()
	silent := true
	defer func() {
		if silent {
			w.mu.Unlock()
		}
	}()
	impatient, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := s.DB().CanWrite(impatient); err == nil {
		t.Error("it is said to be well")
	}
	begun := time.Now()
	if _, err := s.Touch(t.Context(), Start.Add(time.Minute), token, store.Beat{}); !errors.Is(err, sqldb.ErrUnavailable) {
		t.Errorf("a heartbeat is told %v", err)
	}
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("after %v", took)
	}
	w.mu.Unlock()
	silent = false
	if _, err := s.Touch(t.Context(), Start.Add(time.Minute), token, store.Beat{}); err != nil {
		t.Errorf("when it is back, a heartbeat is told %v", err)
	}
	if err := s.DB().CanWrite(t.Context()); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

func TestAServerIsNotEndedBecauseItsDatabaseIsAway(t *testing.T) {
	server := NewServer(t)
	s := OpenConfig(t, store.Config{Database: server.URL("public"), Rules: presence.DefaultRules()})
	server.Stop()
	if err := s.DB().WriterAlive(t.Context()); err != nil {
		t.Errorf("a writer that waits for its database is said to be stuck: %v", err)
	}
	if err := s.DB().CanWrite(t.Context()); !errors.Is(err, sqldb.ErrUnavailable) {
		t.Errorf("of a database that is away it is said: %v", err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); s.DB().CanWrite(t.Context()) != nil; {
		if time.Now().After(deadline) {
			t.Fatal("it does not come back")
		}
	}
}
