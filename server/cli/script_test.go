package cli_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"rollcall/server/api"
	"rollcall/server/cli"
	"rollcall/server/client"
	"rollcall/store/storetest"
)

// The scripts in testdata run the command as its users do: a process with flags, an environment
// and a data folder. Beside testscript's own commands they have those in commands below.

const schemaVariable = "SCHEMA_FILE" // tells the process, which runs elsewhere, where schema.sql is

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"rollcall": func() {
			schema, err := os.ReadFile(os.Getenv(schemaVariable))
			if err != nil {
				panic(err)
			}
			os.Exit(cli.Main(string(schema)))
		},
	})
}

func TestScripts(t *testing.T) {
	schema, err := filepath.Abs("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                commands,
		Condition:           holds,
		Deadline:            time.Now().Add(10 * patience), // of all together: a server that should have refused to start runs for ever
		Setup: func(env *testscript.Env) error {
			env.Setenv(schemaVariable, schema)
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else each process takes a second to end under the race detector
			env.Values[serverKey{}] = new(*running)
			env.Values[databaseKey{}] = func() string { return storetest.Config(t, env.WorkDir).Database }
			return nil
		},
	})
}

// holds tells whether a condition of a script is true: [postgres], of this build, or that a
// program is installed.
func holds(condition string) (bool, error) {
	if condition == "postgres" {
		return storetest.Postgres, nil
	}
	return installed(condition)
}

// installed is the condition [curl]. A machine may lack it, but not where changes are checked.
func installed(program string) (bool, error) {
	_, err := exec.LookPath(program)
	if err != nil && os.Getenv("CI") != "true" {
		return false, nil
	}
	return err == nil, err
}

var commands = map[string]func(*testscript.TestScript, bool, []string){
	"serve":      serve,
	"quit":       quit,
	"kill9":      kill9,
	"exits":      exits,
	"capture":    capture,
	"eventually": eventually,
	"occupy":     occupy,
	"sql":        execSQL,
	"login":      login,
	"alike":      alike,
	"beat":       beat,
	"busy":       busy,
	"scrape":     scrape,
	"database":   database,
	"send":       send,
	"readme":     readme,
	"stranger":   stranger,
}

type serverKey struct{}

type databaseKey struct{}

// database makes an empty database and sets DATABASE to its address, which holds a password.
func database(ts *testscript.TestScript, _ bool, _ []string) {
	address := ts.Value(databaseKey{}).(func() string)()
	ts.Setenv("DATABASE", strings.Replace(address, "@", ":canary-password@", 1))
}

// running is the script's server in the background.
type running struct {
	cmd    *exec.Cmd
	output lines
	ended  chan struct{}
}

// lines collects what a process writes and tells when a line matches.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{} // receives after every line
}

func (l *lines) read(r io.Reader) {
	for scanner := bufio.NewScanner(r); scanner.Scan(); {
		l.mu.Lock()
		l.text.WriteString(scanner.Text() + "\n")
		l.mu.Unlock()
		l.more <- struct{}{}
	}
	close(l.more)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var (
	listening = regexp.MustCompile(`(?m)^.*"url":"([^"]*)".*"listening".*$|panel +(\S+)/login#`)
	measured  = regexp.MustCompile(`"address":"([^"]*)".*"serving metrics"`)
	setUpLink = regexp.MustCompile(`(?m)^ +set up +(\S+)$`)
)

const patience = 30 * time.Second // far beyond what anything here takes

// serve starts `rollcall ARGS` and waits until it says where it listens. It sets URL, and SETUP to
// the set-up link.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: serve ARGS")
	}
	path, err := exec.LookPath("rollcall")
	ts.Check(err)
	server := &running{cmd: exec.Command(path, args...), ended: make(chan struct{})}
	*ts.Value(serverKey{}).(**running) = server
	server.output.more = make(chan struct{}, 10000)
	server.cmd.Dir = ts.MkAbs(".")
	server.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), schemaVariable + "=" + ts.Getenv(schemaVariable), "TMPDIR=" + ts.Getenv("TMPDIR")}
	stderr, err := server.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(server.cmd.Start())
	go func() {
		server.output.read(stderr)
		_ = server.cmd.Wait() // its state tells
		close(server.ended)
	}()
	ts.Defer(func() {
		_ = server.cmd.Process.Kill() // usually stopped already
		<-server.ended
	})
	awaitStart(ts, server)
}

func awaitStart(ts *testscript.TestScript, server *running) {
	deadline := time.After(patience)
	for {
		select {
		case _, ok := <-server.output.more:
			if match := listening.FindStringSubmatch(server.output.String()); match != nil {
				ts.Setenv("URL", match[1]+match[2])
				ts.Setenv("SETUP", "")
				if link := setUpLink.FindStringSubmatch(server.output.String()); link != nil {
					ts.Setenv("SETUP", link[1])
				}
				return
			}
			if !ok {
				ts.Fatalf("the server ended: %s", &server.output)
			}
		case <-deadline:
			ts.Fatalf("the server did not start: %s", &server.output)
		}
	}
}

// quit sends SIGTERM and expects a clean end within ten seconds. What the server wrote to stderr
// goes to the file server.log.
func quit(ts *testscript.TestScript, _ bool, _ []string) {
	server := *ts.Value(serverKey{}).(**running)
	ts.Check(server.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-server.ended:
	case <-time.After(10 * time.Second):
		ts.Fatalf("the server did not stop: %s", &server.output)
	}
	if code := server.cmd.ProcessState.ExitCode(); code != 0 {
		ts.Fatalf("exit code %d: %s", code, &server.output)
	}
	ts.Check(os.WriteFile(ts.MkAbs("server.log"), []byte(server.output.String()), 0o600))
}

// kill9 ends the server as a power cut would.
func kill9(ts *testscript.TestScript, _ bool, _ []string) {
	server := *ts.Value(serverKey{}).(**running)
	ts.Check(server.cmd.Process.Kill())
	<-server.ended
}

// exits runs a program and expects an exit code and, on failure, one line on stderr:
// exits CODE PROGRAM ARGS.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
	if said := ts.ReadFile("stderr"); code != 0 && (strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "rollcall: ")) {
		ts.Fatalf("not one line of ours: %s", said)
	}
}

// capture puts the last command's stdout, which must be a single line, into a variable.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	text, ended := strings.CutSuffix(ts.ReadFile("stdout"), "\n")
	if !ended || text == "" || strings.Contains(text, "\n") {
		ts.Fatalf("stdout is not a single line: %q", text)
	}
	ts.Setenv(args[0], text)
}

// eventually repeats a program until its stdout matches: eventually PATTERN PROGRAM ARGS.
func eventually(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile("(?m)" + args[0])
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		ts.Check(ts.Exec(args[1], args[2:]...))
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("%s never said %s", args[1], args[0])
}

// occupy makes sure that something listens on an address: this process, if nobody else does.
func occupy(ts *testscript.TestScript, _ bool, args []string) {
	ln, err := net.Listen("tcp", args[0])
	if err == nil {
		ts.Defer(func() { ln.Close() })
	} else if !errors.Is(err, syscall.EADDRINUSE) {
		ts.Check(err)
	}
}

// execSQL changes a database behind the program's back: sql FILE STATEMENT.
func execSQL(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", "file:"+ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(args[1])
	ts.Check(err)
}

// login reports a login by KEY: login ID NAME ORGANIZATION [ROLE]. A \e in the name is the escape
// character. It sets TOKEN.
func login(ts *testscript.TestScript, _ bool, args []string) {
	c := client.New(ts.Getenv("URL"), ts.Getenv("KEY"))
	defer c.Close()
	name := strings.ReplaceAll(args[1], `\e`, "\x1b")
	user := api.UserInput{ID: args[0], Name: &name, Organization: &args[2]}
	if len(args) > 3 {
		user.Role = &args[3]
	}
	reported, err := c.Login(context.Background(), api.LoginReport{User: user})
	ts.Check(err)
	ts.Setenv("TOKEN", reported.Session.Token)
}

// beat sends a heartbeat of TOKEN from a page: beat PAGE.
func beat(ts *testscript.TestScript, neg bool, args []string) {
	c := client.New(ts.Getenv("URL"), "")
	defer c.Close()
	_, err := c.Heartbeat(context.Background(), ts.Getenv("TOKEN"), api.Heartbeat{Page: &args[0]})
	if (err != nil) != neg {
		ts.Fatalf("heartbeat: %v", err)
	}
}

// send asks the server as a browser or a proxy would, and prints the answer:
// send METHOD PATH HEADER... [BODY].
func send(ts *testscript.TestScript, _ bool, args []string) {
	body := ""
	if last := len(args) - 1; strings.HasPrefix(args[last], "{") {
		args, body = args[:last], args[last]
	}
	r, err := http.NewRequest(args[0], ts.Getenv("URL")+args[1], strings.NewReader(body))
	ts.Check(err)
	r.Header.Set("Content-Type", "application/json")
	for _, header := range args[2:] {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	_, err = io.Copy(ts.Stdout(), answer.Body)
	ts.Check(err)
}

// stranger starts another service that answers everything with a status and a body, and sends a
// redirect to URL. It sets STRANGER to its address: stranger STATUS BODY.
func stranger(ts *testscript.TestScript, _ bool, args []string) {
	status, err := strconv.Atoi(args[0])
	ts.Check(err)
	there := ts.Getenv("URL")
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status >= 300 && status <= 399 {
			w.Header().Set("Location", there+r.URL.Path)
		}
		w.WriteHeader(status)
		io.WriteString(w, args[1])
	}))
	ts.Defer(service.Close)
	ts.Setenv("STRANGER", service.URL)
}

// busy says by KEY that somebody must not be interrupted: busy ID TEXT.
func busy(ts *testscript.TestScript, _ bool, args []string) {
	c := client.New(ts.Getenv("URL"), ts.Getenv("KEY"))
	defer c.Close()
	_, err := c.SetStatus(context.Background(), args[0], api.StatusInput{Status: "busy", Text: args[1]})
	ts.Check(err)
}

// scrape reads the running server's metrics into the file metrics.
func scrape(ts *testscript.TestScript, _ bool, _ []string) {
	server := *ts.Value(serverKey{}).(**running)
	address := measured.FindStringSubmatch(server.output.String())
	if address == nil {
		ts.Fatalf("no metrics are served: %s", &server.output)
	}
	answer, err := http.Get("http://" + address[1] + "/metrics")
	ts.Check(err)
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("metrics"), page, 0o600))
}

// readme makes a file of the README's block of shell commands that holds a text: readme TEXT FILE.
func readme(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile("../../README.md")
	ts.Check(err)
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(text, -1) {
		if strings.Contains(string(block[1]), args[0]) {
			ts.Check(os.WriteFile(ts.MkAbs(args[1]), block[1], 0o600))
			ts.Check(os.Chmod(ts.MkAbs("deploy.sh"), 0o700))
			return
		}
	}
	ts.Fatalf("the README has no shell commands with %s", args[0])
}
