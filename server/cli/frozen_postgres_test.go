//go:build postgres && unix

package cli_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

// A replica is stopped (SIGSTOP) while PostgreSQL has a transaction of its open: what it has
// locked, the others need.

// held is for how long they may be held up, at most, and with much else to do here: it was 8 s.
const held = 5 * time.Second

const (
	turnToWrite = `SELECT pid FROM pg_locks WHERE locktype = 'relation' AND granted AND mode = 'ExclusiveLock' AND relation = 'drain'::regclass`
	turnToClean = `SELECT pid FROM pg_locks WHERE locktype = 'relation' AND granted AND mode = 'ExclusiveLock' AND relation = 'cleanup_turn'::regclass`
)

func TestAFrozenReplicaDoesNotKeepOthersFromWriting(t *testing.T) {
	frozen, other, shell := twoReplicas(t)
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	acknowledged := make(chan string, 1<<16)
	for n := range 8 {
		go func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				if session, err := frozen.logIn(fmt.Sprint("user-", n, "-", i)); err == nil {
					acknowledged <- session.ID
				}
			}
		}()
	}
	if _, err := other.logIn("first"); err != nil { // and that its key is in use is noted
		t.Fatal(err)
	}
	thaw := frozen.freeze(t, shell, turnToWrite)
	var logins sync.WaitGroup
	for n := range 8 {
		logins.Go(func() {
			if _, err := other.logIn(fmt.Sprint("other-", n)); err != nil {
				t.Errorf("a login at the other replica: %v", err)
			}
		})
	}
	logins.Wait()
	before := len(acknowledged)
	thaw()
	for deadline := time.Now().Add(patience); len(acknowledged) == before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it writes nothing any more")
		}
	}
	for range len(acknowledged) {
		if id := <-acknowledged; storetest.Number(t, shell, `SELECT COUNT(*) FROM user_sessions WHERE id = `+id) != 1 {
			t.Errorf("session %s was acknowledged and is not there", id)
		}
	}
}

func TestAFrozenReplicaDoesNotKeepOthersFromCleaningUp(t *testing.T) {
	frozen, other, shell := twoReplicas(t)
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	go func() {
		for {
			select {
			case <-done:
				return
			default:
				_ = frozen.cleanUp()
			}
		}
	}()
	defer frozen.freeze(t, shell, turnToClean)()
	if err := other.cleanUp(); err != nil {
		t.Errorf("a cleanup at the other replica: %v", err)
	}
}

// runningReplica is a server of its own process.
type runningReplica struct {
	cmd      *exec.Cmd
	url, key string
}

// ask sends a request once; the client of our own would try again.
func (r runningReplica) ask(path, body string, answer any) error {
	asked, err := http.NewRequest("POST", r.url+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	asked.Header.Set("Authorization", "Bearer "+r.key)
	asked.Header.Set("Content-Type", "application/json")
	got, err := (&http.Client{Timeout: held}).Do(asked)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	said, err := io.ReadAll(got.Body)
	if got.StatusCode >= 300 {
		return fmt.Errorf("%s: %s", got.Status, said)
	}
	return errors.Join(err, json.Unmarshal(said, answer))
}

func (r runningReplica) logIn(user string) (api.Session, error) {
	var login api.Login
	err := r.ask("/admin/sessions", `{"user":{"id":"`+user+`"}}`, &login)
	return login.Session, err
}

func (r runningReplica) cleanUp() error {
	return r.ask("/admin/users/cleanup-sessions", "{}", new(any))
}

// twoReplicas starts two servers on one database, which the shell looks into.
func twoReplicas(t *testing.T) (a, b runningReplica, shell *sql.DB) {
	t.Helper()
	folder := t.TempDir()
	cfg := storetest.Config(t, folder)
	cfg.Rules = presence.DefaultRules()
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := s.CreateKey(t.Context(), time.Now(), store.ActorSystem, "shop", "", store.Scopes{store.ScopeAdmin, store.ScopeSessions})
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	start := func() runningReplica {
		cmd, url, said := startServing(t, "--database", cfg.Database)
		go drain(said)
		return runningReplica{cmd, url, key}
	}
	return start(), start(), storetest.Shell(t, folder)
}

// freeze stops the replica while it has a lock, whose holders a query returns, and returns what
// lets it go on.
func (r runningReplica) freeze(t *testing.T, shell *sql.DB, holders string) (thaw func()) {
	t.Helper()
	thaw = func() { _ = r.cmd.Process.Signal(syscall.SIGCONT) }
	holds := func(more string) bool {
		return storetest.Number(t, shell, `SELECT COUNT(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND pid IN (`+holders+`)`+more) > 0
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); thaw() {
		if err := r.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		for holds("") { // unless PostgreSQL has yet to read what came before
			if holds(` AND state_change < clock_timestamp() - INTERVAL '200 ms'`) {
				return thaw
			}
		}
	}
	t.Fatal("it never has the lock")
	return nil
}
