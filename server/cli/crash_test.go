package cli_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/server/api"
	"rollcall/server/client"
	"rollcall/store"
	"rollcall/store/storetest"
)

// ledger is what one writer was told by the server: what was acknowledged must
// be found after a crash, what was still under way may be.
type ledger struct {
	alive    map[string]time.Time // token of an acknowledged session -> the end it was last promised
	ids      map[string]string    // token -> session id
	ended    []string             // tokens whose end was acknowledged
	doubtful map[string]bool      // tokens with an end under way when the server died
}

func newLedgers(n int) []*ledger {
	all := make([]*ledger, n)
	for i := range all {
		all[i] = &ledger{alive: map[string]time.Time{}, ids: map[string]string{}, doubtful: map[string]bool{}}
	}
	return all
}

// TestNothingAcknowledgedIsLostToKills kills the server under load, again and
// again on the same data folder, and holds the database against the ledgers.
func TestNothingAcknowledgedIsLostToKills(t *testing.T) {
	const kills, writers = 30, 8
	folder := filepath.Join(t.TempDir(), "data")
	key := adminKey(t, folder)
	seed := rand.Uint64()
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	ledgers := newLedgers(writers)
	var acknowledged atomic.Int64
	for kill := range kills {
		cmd, url := startServer(t, folder)
		enough := acknowledged.Load() + 100 + random.Int64N(400)
		dead := make(chan struct{})
		var wg sync.WaitGroup
		for w, book := range ledgers {
			source := rand.New(rand.NewPCG(seed, uint64(kill*writers+w)+1))
			wg.Go(func() {
				asked := client.New(url, key)
				defer asked.Close()
				for n := 0; ; n++ {
					if err := book.write(t, asked, source, fmt.Sprintf("user-%d-%d-%d", kill, w, n)); err != nil {
						<-dead // nothing but the kill may fail a call
						return
					}
					if acknowledged.Add(1) == enough {
						_ = cmd.Process.Kill()
						_ = cmd.Wait()
						close(dead)
					}
				}
			})
		}
		wg.Wait()
		compare(t, folder, ledgers)
	}
	t.Logf("%d writes acknowledged over %d kills", acknowledged.Load(), kills)
}

// write does one random write and enters its acknowledgement.
func (b *ledger) write(t *testing.T, asked *client.Client, random *rand.Rand, id string) error {
	token, known := b.any()
	switch dice := random.IntN(10); {
	case dice < 3 || !known:
		login, err := asked.Login(t.Context(), api.LoginReport{User: api.UserInput{ID: id}})
		if err != nil {
			return err
		}
		session := login.Session
		b.alive[session.Token], b.ids[session.Token] = session.ExpiresAt.Time, session.ID
	case dice < 8:
		answer, err := asked.Heartbeat(t.Context(), token, api.Heartbeat{})
		if err != nil {
			return err
		}
		b.alive[token] = answer.Session.ExpiresAt.Time
	default:
		b.doubtful[token] = true
		delete(b.alive, token)
		if err := end(t, asked, token, b.ids[token], dice == 8); err != nil {
			return err
		}
		delete(b.doubtful, token)
		b.ended = append(b.ended, token)
	}
	return nil
}

func end(t *testing.T, asked *client.Client, token, id string, logout bool) error {
	if logout {
		_, err := asked.EndSession(t.Context(), token)
		return err
	}
	return asked.Revoke(t.Context(), id)
}

// any returns some session that is alive.
func (b *ledger) any() (token string, ok bool) {
	for token := range b.alive {
		return token, true
	}
	return "", false
}

// compare opens the database as the next server will.
func compare(t *testing.T, folder string, ledgers []*ledger) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: folder, Schema: storetest.Schema(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now := time.Now()
	for _, book := range ledgers {
		for token, promised := range book.alive {
			found, err := s.Authenticate(t.Context(), now, token)
			if err != nil {
				t.Errorf("an acknowledged session: %v", err)
			} else if found.Session.ExpiresAt.Before(promised) {
				t.Errorf("a session ends at %v, a heartbeat was told %v", found.Session.ExpiresAt, promised)
			}
		}
		for _, token := range book.ended {
			if _, err := s.Authenticate(t.Context(), now, token); !errors.Is(err, store.ErrSessionEnded) {
				t.Errorf("an ended session is back: %v", err)
			}
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// TestADrainOutlivesKills kills the server in the middle of a drain, and while that
// ends the sessions: what it was to end, the next start does, and nobody gets in.
func TestADrainOutlivesKills(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	key := adminKey(t, folder)
	cmd, url := startServer(t, folder)
	asked := client.New(url, key)
	defer asked.Close()
	book := newLedgers(1)[0]
	for n := range 300 {
		login, err := asked.Login(t.Context(), api.LoginReport{User: api.UserInput{ID: fmt.Sprint("user-", n)}})
		if err != nil {
			t.Fatal(err)
		}
		book.ended = append(book.ended, login.Session.Token)
	}
	begun, err := asked.BeginDrain(t.Context(), api.DrainInput{Message: "Moving house", EndSessionsInMS: new(int64(1500))})
	if err != nil {
		t.Fatal(err)
	}
	for time.Until(begun.EndSessionsAt.Time) > 0 { // a start before the time, killed again
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		cmd, _ = startServer(t, folder)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	_, url = startServer(t, folder)
	again := client.New(url, key)
	defer again.Close()
	for deadline := time.Now().Add(patience); ; {
		d, err := again.Drain(t.Context())
		if err != nil || !d.Draining || d.Message != "Moving house" || !d.EndSessionsAt.Equal(begun.EndSessionsAt.Time) {
			t.Fatalf("after the kills it is %+v, %v", d, err)
		}
		if d.SessionsEndedAt != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the sessions never ended")
		}
	}
	compare(t, folder, []*ledger{book})
	err = again.MayLogin(t.Context(), api.UserInput{ID: "late"})
	if !errors.Is(err, &client.Error{Code: "draining"}) {
		t.Errorf("somebody may come in: %v", err)
	}
}

func adminKey(t *testing.T, folder string) string {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: folder, Schema: storetest.Schema(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, key, err := s.CreateKey(t.Context(), time.Now(), store.ActorSystem, "shop", "", store.Scopes{store.ScopeAdmin})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// startServer starts `rollcall serve` and returns once it listens.
func startServer(t *testing.T, folder string) (*exec.Cmd, string) {
	t.Helper()
	cmd, url, _ := startLogging(t, folder)
	return cmd, url
}

// startLogging is startServer with what the server has to say from then on.
func startLogging(t *testing.T, folder string) (*exec.Cmd, string, *bufio.Scanner) {
	t.Helper()
	return startServing(t, "--data", folder)
}

// startServing is startLogging for data wherever the flags say.
func startServing(t *testing.T, data ...string) (*exec.Cmd, string, *bufio.Scanner) {
	t.Helper()
	cmd := command(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--log-format", "json"}, data...)...)
	log := startReading(t, cmd)
	for log.Scan() {
		if match := listening.FindStringSubmatch(log.Text()); match != nil {
			return cmd, match[1], log
		}
	}
	t.Fatal("the server did not start")
	return nil, "", nil
}

// startReading starts a command, which ends with the test, and returns its standard error line by line.
func startReading(t *testing.T, cmd *exec.Cmd) *bufio.Scanner {
	t.Helper()
	return bufio.NewScanner(startPiped(t, cmd))
}

// startPiped is startReading with the pipe itself.
func startPiped(t *testing.T, cmd *exec.Cmd) io.ReadCloser {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return stderr
}
