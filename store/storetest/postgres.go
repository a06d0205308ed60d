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
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // for Shell

	"rollcall/store"
)

// Postgres tells whether this build knows PostgreSQL. Then stores are kept there
// unless a test asks for a file.
const Postgres = true

// shared is the server of all tests of a package.
var shared = sync.OnceValues(func() (*Server, error) { return start("-c", "fsync=off", "-c", "full_page_writes=off") })

var (
	schemas  sync.Map // folder -> name of the schema that stands for it
	numbered atomic.Int64
)

// database returns a schema, empty when it is first asked for, of the shared
// server as it is addressed. Each folder has its own.
func database(t testing.TB, folder string) string {
	t.Helper()
	server, err := shared()
	if err != nil {
		t.Fatal("PostgreSQL is needed: ", err)
	}
	name, known := schemas.LoadOrStore(folder, fmt.Sprint("test", numbered.Add(1)))
	if !known {
		admin := server.Open(t, "postgres")
		if _, err := admin.Exec(`CREATE SCHEMA ` + name.(string)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			schemas.Delete(folder)
			admin := server.Open(t, "postgres")
			defer admin.Close()
			if _, err := admin.Exec(`DROP SCHEMA ` + name.(string) + ` CASCADE`); err != nil {
				t.Error(err)
			}
		})
		admin.Close()
	}
	return server.URL(name.(string))
}

// Config says where the database is that stands for folder.
func Config(t testing.TB, folder string) store.Config {
	t.Helper()
	return store.Config{Database: database(t, folder)}
}

// Shell opens the database that stands for folder as psql would.
func Shell(t testing.TB, folder string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", database(t, folder))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

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
	t.Cleanup(func() { _ = s.Remove() })
	return s
}

// StartServer is NewServer outside a test. It ends with Remove, or with the process.
func StartServer() (*Server, error) { return start() }

// Remove stops the server for good.
func (s *Server) Remove() error {
	s.Stop()
	return os.RemoveAll(s.folder)
}

func start(settings ...string) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, settings: settings}
	if s.folder, err = os.MkdirTemp("", "rollcall-postgres-"); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 { // as whom it refuses to run
		if err := s.dropRoot(); err != nil {
			return nil, err
		}
	}
	// Another language than C, so that nothing depends on that the database has none.
	initdb := s.command("initdb", "--pgdata", filepath.Join(s.folder, "data"), "--username=rollcall", "--auth=trust", "--encoding=UTF8",
		"--locale-provider=icu", "--icu-locale=en", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return s, s.Start()
}

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

const startTimeout = 30 * time.Second

// untilClosed runs a server until what it reads is closed, which happens too
// when the tests are killed.
const untilClosed = `"$@" & read -r _; kill -QUIT $!; wait`

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
	s.run = exec.Command("sh", append([]string{"-c", untilClosed, "postgres", filepath.Join(s.bin, "postgres"), "-D", filepath.Join(s.folder, "data"),
		"-c", "listen_addresses=", "-c", "unix_socket_directories=" + s.folder, "-c", "max_connections=200"}, s.settings...)...)
	s.run.Dir, s.run.SysProcAttr = s.folder, &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	s.run.Stdin, s.run.Stdout, s.run.Stderr, s.stop = reads, log, log, writes
	if err := s.run.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(startTimeout); ; {
		out, err := s.command("pg_isready", "--host", s.folder).CombinedOutput()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("starting: %w\n%s", err, out)
		}
	}
}

// Stop ends the server at once, as a crash of it would; its data stays.
func (s *Server) Stop() {
	s.stop.Close()
	_ = s.run.Wait()
}

// Shutdown lets the server end in order, as its operator would.
func (s *Server) Shutdown() error {
	out, err := s.command("pg_ctl", "stop", "--mode=fast", "--pgdata", filepath.Join(s.folder, "data")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("stopping: %w\n%s", err, out)
	}
	s.Stop()
	return nil
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

// Each runs f as a subtest with an empty store of every database in this build.
func Each(t *testing.T, f func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, OpenFile(t, t.TempDir(), store.DefaultRules())) })
	t.Run("postgres", func(t *testing.T) { f(t, New(t)) })
}
