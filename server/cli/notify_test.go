package cli_test

import (
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/store/sqldb"
)

// notified is what stands in for systemd: the socket that it hands to a service.
type notified struct {
	t    *testing.T
	conn *net.UnixConn
}

func notifySocket(t *testing.T, name string) *notified {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &notified{t: t, conn: conn}
}

// hears returns the next datagram, "" where there is none for so long.
func (n *notified) hears(within time.Duration) string {
	n.t.Helper()
	text := make([]byte, 4096)
	if err := n.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		n.t.Fatal(err)
	}
	size, err := n.conn.Read(text)
	if err != nil && !os.IsTimeout(err) {
		n.t.Fatal(err)
	}
	return string(text[:max(size, 0)])
}

// awaits waits until it is told news, skipping what tells nothing but life.
func (n *notified) awaits(news string) {
	n.t.Helper()
	for {
		switch got := strings.TrimPrefix(n.hears(patience), "WATCHDOG=1\n"); got {
		case news:
			return
		case "WATCHDOG=1":
		default:
			n.t.Fatalf("systemd is told %q, want %q", got, news)
		}
	}
}

func TestSystemdIsToldHowTheServerIs(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("systemd is part of Linux only")
	}
	for kind, name := range map[string]string{"a path": filepath.Join(t.TempDir(), "notify"), "an abstract name": fmt.Sprintf("@rollcall-test-%d", os.Getpid())} {
		t.Run(kind, func(t *testing.T) {
			systemd, folder := notifySocket(t, name), t.TempDir()
			t.Setenv("NOTIFY_SOCKET", name)
			t.Setenv("WATCHDOG_USEC", "150000")
			cmd, url := startServer(t, folder)
			systemd.awaits("READY=1\nSTATUS=nobody online")
			answer, err := http.Get(url + "/readyz")
			if err != nil || answer.StatusCode != 200 {
				t.Fatalf("it was said to be ready: %v", err)
			}
			answer.Body.Close()
			withUser(t, folder, "ada", nil)
			systemd.awaits("STATUS=1 person online")
			withUser(t, folder, "bob", nil)
			systemd.awaits("STATUS=2 people online")
			for range 3 {
				if got := systemd.hears(patience); got != "WATCHDOG=1" {
					t.Errorf("where nothing changes, systemd is told %q", got)
				}
			}
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			systemd.awaits("STOPPING=1")
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// holdWrites keeps all others from writing to the database in folder.
func holdWrites(t *testing.T, folder string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, sqldb.FileName)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	return func() { db.Close() }
}

func TestAWriterThatIsStuckIsNotSaidToLive(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("systemd is part of Linux only")
	}
	socket, folder := filepath.Join(t.TempDir(), "notify"), t.TempDir()
	systemd := notifySocket(t, socket)
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "150000")
	startServer(t, folder)
	systemd.awaits("READY=1\nSTATUS=nobody online")
	release := holdWrites(t, folder)
	silent := false
	for began := time.Now(); !silent && time.Since(began) < patience; {
		silent = systemd.hears(500*time.Millisecond) == ""
	}
	if !silent {
		t.Error("systemd is told all is well")
	}
	release()
	systemd.awaits("WATCHDOG=1")
}

// withHangup starts what the test starts with SIGHUP as a shell would. Below nohup it is ignored, also by whatever is
// started; a signal that somebody waits for here is not.
func withHangup(t *testing.T) {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(heard) })
}

func TestAServiceIsNotEndedBySIGHUP(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGHUP")
	}
	withHangup(t)
	cmd, url, log := startLogging(t, t.TempDir())
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for log.Scan() && !strings.Contains(log.Text(), "SIGHUP") {
	}
	if err := log.Err(); err != nil || log.Text() == "" {
		t.Fatalf("the log ends: %v", err)
	}
	answer, err := http.Get(url + "/readyz")
	if err != nil || answer.StatusCode != 200 {
		t.Fatalf("after SIGHUP: %v", err)
	}
	answer.Body.Close()
}

func TestANewServerWaitsForTheOldOne(t *testing.T) {
	folder := t.TempDir()
	old, _, said := startLogging(t, folder)
	next := command(t, "serve", "--listen", "127.0.0.1:0", "--data", folder, "--log-format", "json", "--wait-for-lock", "1m")
	log := startReading(t, next)
	for log.Scan() && !strings.Contains(log.Text(), "waiting for another server") {
	}
	if err := old.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for said.Scan() { // to the end, so that it is not held up
	}
	for log.Scan() {
		if listening.MatchString(log.Text()) {
			return
		}
	}
	t.Error("the new server did not start")
}

func TestWithoutSystemdNobodyIsTold(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	cmd, _ := startServer(t, t.TempDir())
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
