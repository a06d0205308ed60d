//go:build postgres

package storetest

import (
	"cmp"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Server is a PostgreSQL server of the tests' own: on a socket in a new folder,
// run by a user that is not root. It ends with the tests, whatever ends them.
type Server struct {
	bin, folder string
	settings    []string
	run         *exec.Cmd
	stop        *os.File // the other end of what it reads
	as          *syscall.Credential
}

// NewServer starts a server whose data survives that of its process.
func NewServer(t testing.TB) *Server {
	t.Helper()
	s, err := StartServer()
	if err != nil {
		t.Fatal("PostgreSQL is needed: ", err)
	}
	t.Cleanup(s.Remove)
	return s
}

// StartServer is NewServer outside a test. It ends with Remove, or with the process.
func StartServer() (*Server, error) { return start() }

// Standby starts a server that follows s, and on which every commit of s waits
// from now on.
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	b, err := newServer(s.settings)
	if err != nil {
		t.Fatal(err)
	}
	err = b.tell("pg_basebackup", "--pgdata", b.data(), "--host", s.folder, "--username=rollcall", "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
	if err == nil {
		err = b.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Remove)
	db := s.Open(t, "public")
	defer db.Close()
	for _, statement := range []string{`ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	for waits := false; !waits; {
		if err := db.QueryRow(`SELECT EXISTS (SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync')`).Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// Promote makes a standby the server that takes writes.
func (s *Server) Promote() error { return s.tell("pg_ctl", "promote", "--wait", "--pgdata", s.data()) }

func start(settings ...string) (*Server, error) {
	s, err := newServer(settings)
	if err != nil {
		return nil, err
	}
	// Another language than C, so that nothing depends on that the database has none.
	err = s.tell("initdb", "--pgdata", s.data(), "--username=rollcall", "--auth=trust", "--encoding=UTF8",
		"--locale-provider=icu", "--icu-locale=en", "--no-sync")
	if err != nil {
		return nil, err
	}
	return s, s.Start()
}

// newServer makes the folder of a server.
func newServer(settings []string) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, settings: settings}
	if s.folder, err = os.MkdirTemp("", "rollcall-postgres-"); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 { // as whom it refuses to run
		err = s.dropRoot()
	}
	return s, err
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// programs finds the newest server where Debian keeps it, or else in PATH.
func programs() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })), nil
	}
	path, err := exec.LookPath("postgres")
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	return filepath.Dir(path), err
}

func (s *Server) dropRoot() error {
	other, err := user.Lookup("postgres")
	if err != nil {
		if other, err = user.Lookup("nobody"); err != nil {
			return err
		}
	}
	uid, _ := strconv.ParseUint(other.Uid, 10, 32)
	gid, _ := strconv.ParseUint(other.Gid, 10, 32)
	s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(s.folder, int(uid), int(gid))
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = s.folder, &syscall.SysProcAttr{Credential: s.as}
	return cmd
}

// tell runs one of PostgreSQL's programs.
func (s *Server) tell(name string, args ...string) error {
	out, err := s.command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

const startTimeout = 30 * time.Second

// untilClosed runs a server until what it reads is closed, which happens too
// when the tests are killed. Then its data goes, unless that is to stay.
const untilClosed = `"$@" & read -r stay; kill -QUIT $!; wait; [ "$stay" ] || rm -r "$PWD"`

// Start starts the server and returns once it answers.
func (s *Server) Start() error {
	reads, writes, err := os.Pipe()
	if err != nil {
		return err
	}
	defer reads.Close()
	log, err := os.OpenFile(filepath.Join(s.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	s.run = exec.Command("sh", append([]string{"-c", untilClosed, "postgres", filepath.Join(s.bin, "postgres"), "-D", s.data(),
		"-c", "listen_addresses=", "-c", "unix_socket_directories=" + s.folder, "-c", "max_connections=200"}, s.settings...)...)
	s.run.Dir, s.run.SysProcAttr = s.folder, &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	s.run.Stdin, s.run.Stdout, s.run.Stderr, s.stop = reads, log, log, writes
	if err := s.run.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(startTimeout); ; {
		err := s.tell("pg_isready", "--host", s.folder)
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// Stop ends the server at once, as a crash of it would; its data stays.
func (s *Server) Stop() {
	_, _ = s.stop.WriteString("stay\n")
	s.stop.Close()
	_ = s.run.Wait()
}

// Shutdown lets the server end in order, as its operator would.
func (s *Server) Shutdown() error {
	err := s.tell("pg_ctl", "stop", "--mode=fast", "--pgdata", s.data())
	s.Stop()
	return err
}

// Remove stops the server for good.
func (s *Server) Remove() {
	s.Stop()
	os.RemoveAll(s.folder)
}

// Folder is where the server's socket is.
func (s *Server) Folder() string { return s.folder }

// URL is where the schema of that name is.
func (s *Server) URL(schema string) string {
	q := url.Values{"host": {s.folder}, "search_path": {schema}}
	return "postgres://rollcall@/postgres?" + q.Encode()
}

// Open opens a schema as psql would.
func (s *Server) Open(t testing.TB, schema string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", s.URL(schema))
	if err != nil {
		t.Fatal(err)
	}
	return db
}
