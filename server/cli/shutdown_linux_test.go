package cli_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/server/api"
	"rollcall/server/client"
	"rollcall/store/sqldb"
	"rollcall/store/storetest"
)

// stopWithin is what README and the unit of systemd promise.
const stopWithin = 10 * time.Second

// TestAServerStopsInTimeWhateverIsUnderWay sends SIGTERM while something is under way that takes minutes: the
// disk answers each call late.
func TestAServerStopsInTimeWhateverIsUnderWay(t *testing.T) {
	needsStrace(t)
	const reads, writes = "pread64:delay_enter=2000", "pwrite64:delay_enter=5000"
	for name, c := range map[string]struct {
		slow  string
		begin func(t *testing.T, s slowServer)
	}{
		"a database is written anew": {writes, func(t *testing.T, s slowServer) {
			s.ask("POST", "/admin/users/eve/erase", `{"confirm":"eve"}`)
			s.untilWritesWait(t)
		}},
		"many rows are read": {reads, func(t *testing.T, s slowServer) {
			for range 4 {
				s.ask("GET", "/admin/sessions?q=nobody", "")
			}
			s.untilAnswered(t, "/healthz")
		}},
		"somebody loads down slowly": {reads, func(t *testing.T, s slowServer) {
			s.ask("GET", "/admin/users/robot/export", "")
			s.untilAnswered(t, "/healthz")
		}},
		"all of it is checked": {reads, func(t *testing.T, s slowServer) { // by the job too, as after any unclean stop
			s.ask("GET", "/admin/doctor", "")
			s.untilAnswered(t, "/healthz")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startSlow(t, c.slow)
			c.begin(t, s)
			began := time.Now()
			if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- s.cmd.Wait() }()
			select {
			case err := <-ended:
				if err != nil {
					t.Error("it ended by ", err)
				}
				t.Log("after ", time.Since(began))
				intact(t, filepath.Join(s.data, sqldb.FileName))
			case <-time.After(stopWithin):
				_ = s.cmd.Process.Signal(syscall.SIGQUIT)
				t.Fatalf("it has not ended within %v", stopWithin)
			}
		})
	}
}

// slowServer is a server whose disk is slow.
type slowServer struct {
	cmd            *exec.Cmd
	data, url, key string
	ctx            context.Context
}

func startSlow(t *testing.T, fault string) slowServer {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	s := slowServer{data: data, key: adminKey(t, data), ctx: t.Context()}
	fillSessions(t, data, 60_000)
	// A log that was left behind has the server check its database.
	if err := os.WriteFile(filepath.Join(data, sqldb.FileName+"-wal"), make([]byte, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd, url, said := startLogging(t, data)
	s.cmd, s.url = cmd, url
	inject(t, cmd.Process.Pid, fault)
	go drain(said)
	return s
}

// fillSessions adds sessions of a robot, and a person of whom nothing else is known.
func fillSessions(t *testing.T, data string, n int) {
	t.Helper()
	shell := storetest.ShellFile(t, data, "")
	storetest.ExecSQL(t, shell, `INSERT INTO users (id, created_at, updated_at) VALUES ('robot', 1, 1), ('eve', 1, 1)`)
	storetest.ExecSQL(t, shell, `
		WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $1)
		INSERT INTO user_sessions (id, user_id, app, token_sha256, page, last_activity_at, created_at, expires_at)
		SELECT n, 'robot', 'shop', randomblob(32), hex(randomblob(100)), n, n, $2 FROM n`, n, time.Now().Add(time.Hour).UnixMilli())
	if err := shell.Close(); err != nil {
		t.Fatal(err)
	}
}

// ask begins a request whose answer nobody waits for or reads.
func (s slowServer) ask(method, path, body string) {
	r, err := http.NewRequestWithContext(s.ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	r.Header.Set("Content-Type", "application/json")
	go func() {
		answer, err := http.DefaultClient.Do(r)
		if err == nil {
			<-s.ctx.Done()
			answer.Body.Close()
		}
	}()
}

func (s slowServer) untilAnswered(t *testing.T, path string) {
	t.Helper()
	answer, err := http.Get(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
}

// untilWritesWait returns once a login is not answered.
func (s slowServer) untilWritesWait(t *testing.T) {
	t.Helper()
	asked := client.New(s.url, s.key, client.WithTimeout(2*time.Second))
	defer asked.Close()
	for n, end := 0, time.Now().Add(patience); time.Now().Before(end); n++ {
		_, err := asked.Login(t.Context(), api.LoginReport{User: api.UserInput{ID: fmt.Sprint("writer-", n)}})
		var late *url.Error
		if errors.As(err, &late) && late.Timeout() || errors.Is(err, context.DeadlineExceeded) {
			return
		}
	}
	t.Fatal("the database is not written anew")
}
