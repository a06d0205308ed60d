//go:build postgres

package storetest

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Pooler starts a PgBouncer in front of s, in one of its modes, with settings such as
// "server_login_retry = 1" and its defaults otherwise, and returns what the address of a schema is
// behind it. Where there is none the test is skipped, unless TEST_PROXY=required makes that a failure.
func (s *Server) Pooler(t testing.TB, mode string, settings ...string) (address func(schema string) string) {
	t.Helper()
	const program = "/usr/sbin/pgbouncer"
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("TEST_PROXY") == "required" {
			t.Fatal("PgBouncer is needed: ", err)
		}
		t.Skip("no PgBouncer")
	}
	dir := filepath.Join(s.folder, "pooler-"+mode)
	users, config := filepath.Join(dir, "users"), filepath.Join(dir, "pgbouncer.ini")
	err := os.Mkdir(dir, 0o777)
	if err == nil {
		err = os.Chmod(dir, 0o777) // for the other user
	}
	if err == nil {
		err = os.WriteFile(users, []byte("\"rollcall\" \"\"\n"), 0o644)
	}
	if err == nil {
		err = os.WriteFile(config, fmt.Appendf(nil, "[databases]\n* = host=%s\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = %s\nauth_type = trust\nauth_file = %s\npool_mode = %s\n%s\n",
			s.folder, dir, users, mode, strings.Join(settings, "\n")), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	said := new(strings.Builder)
	run := exec.Command(program, config)
	run.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Pdeathsig: syscall.SIGKILL}
	run.Stdout, run.Stderr = said, said
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = run.Process.Kill()
		_ = run.Wait()
		if t.Failed() {
			t.Logf("PgBouncer said:\n%s", said)
		}
	})
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, ".s.PGSQL.6432")); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("PgBouncer does not start: %s", said)
		}
	}
	return func(schema string) string {
		return strings.Replace(s.URL(schema), url.QueryEscape(s.folder), url.QueryEscape(dir), 1) + "&port=6432"
	}
}
