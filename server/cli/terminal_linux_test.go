package cli_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rollcall/server/api"
	"rollcall/server/client"
)

// terminal is a process at a pseudo-terminal, as a person would sit before it.
type terminal struct {
	t      *testing.T
	cmd    *exec.Cmd
	screen *os.File
	shown  strings.Builder
}

// atTerminal starts `rollcall ARGS` in folder.
func atTerminal(t *testing.T, folder string, env []string, args ...string) *terminal {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	number, err := unix.IoctlGetUint32(int(screen.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 60})
	}
	if err == nil { // Fd made it blocking; reads need a deadline
		err = unix.SetNonblock(int(screen.Fd()), true)
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	schema, _ := filepath.Abs("../../schema.sql")
	cmd := exec.Command("rollcall", args...)
	cmd.Dir, cmd.Env = folder, append(env, "PATH="+os.Getenv("PATH"), schemaVariable+"="+schema, "TERM=xterm")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = line, line, line
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true} // Ctrl-C reaches it
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return &terminal{t: t, cmd: cmd, screen: screen}
}

// await reads until the screen shows a match, and returns its first group.
func (term *terminal) await(pattern string) string {
	term.t.Helper()
	wanted := regexp.MustCompile(pattern)
	buffer := make([]byte, 4096)
	for deadline := time.Now().Add(patience); ; {
		if match := wanted.FindStringSubmatch(term.shown.String()); match != nil {
			return match[len(match)-1]
		}
		if err := term.screen.SetReadDeadline(deadline); err != nil {
			term.t.Fatal(err)
		}
		n, err := term.screen.Read(buffer)
		term.shown.Write(buffer[:n])
		if err != nil {
			term.t.Fatalf("%v, before %s was shown: %q", err, pattern, &term.shown)
		}
	}
}

func (term *terminal) enter(keys string) {
	if _, err := term.screen.WriteString(keys); err != nil {
		term.t.Fatal(err)
	}
}

// echoes tells whether the terminal shows what is typed.
func (term *terminal) echoes() bool {
	state, err := unix.IoctlGetTermios(int(term.screen.Fd()), unix.TCGETS)
	if err != nil {
		term.t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// ends waits for the process and returns its exit code.
func (term *terminal) ends() int {
	_ = term.cmd.Wait()
	return term.cmd.ProcessState.ExitCode()
}

func TestAPasswordIsAskedForTwiceAndNotShown(t *testing.T) {
	term := atTerminal(t, t.TempDir(), nil, "account", "create", "ann")
	term.await("at least 15 characters")
	term.enter("correct horse battery\n")
	term.await("same again")
	term.enter("correct horse battery\n")
	term.await("ann may sign in as admin")
	if code := term.ends(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(term.shown.String(), "horse") {
		t.Errorf("the password is on the screen: %q", &term.shown)
	}
}

func TestTwoDifferentPasswordsAreRefused(t *testing.T) {
	term := atTerminal(t, t.TempDir(), nil, "account", "create", "ann")
	term.await("at least 15 characters")
	term.enter("correct horse battery\n")
	term.await("same again")
	term.enter("correct horse buttery\n")
	term.await("rollcall: the two passwords differ")
	if code := term.ends(); code != 1 {
		t.Errorf("exit code %d", code)
	}
}

func TestCtrlCAtThePromptTurnsTheEchoOn(t *testing.T) {
	term := atTerminal(t, t.TempDir(), nil, "account", "create", "ann")
	term.await("at least 15 characters")
	if term.echoes() {
		t.Error("the terminal would show the password")
	}
	term.enter("\x03")
	term.await("rollcall: no password was entered")
	if code := term.ends(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if !term.echoes() {
		t.Error("the terminal shows nothing that is typed any more")
	}
}

func TestASignalAtThePromptTurnsTheEchoOn(t *testing.T) {
	term := atTerminal(t, t.TempDir(), nil, "account", "create", "ann")
	term.await("at least 15 characters")
	if err := term.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := term.ends(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if !term.echoes() {
		t.Error("the terminal shows nothing that is typed any more")
	}
}

func TestCtrlCWhereAnErasureIsToBeConfirmed(t *testing.T) {
	term := atTerminal(t, t.TempDir(), []string{"ROLLCALL_URL=http://127.0.0.1:1", "ROLLCALL_KEY=rck_any"}, "erase", "ada")
	term.await("Type the id again: ")
	term.enter("\x03")
	term.await("rollcall: nothing was erased")
	if code := term.ends(); code != 1 {
		t.Errorf("exit code %d", code)
	}
}

func TestATerminalThatIsClosedEndsTheServerWell(t *testing.T) {
	withHangup(t)
	term := atTerminal(t, t.TempDir(), nil, "--listen", "127.0.0.1:0")
	term.await(`  set up  (\S+)\r\n`)
	if err := term.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if code := term.ends(); code != 0 {
		t.Errorf("exit code %d: %q", code, &term.shown)
	}
}

func TestTheBannerAtATerminal(t *testing.T) {
	folder := t.TempDir()
	term := atTerminal(t, folder, nil, "--listen", "127.0.0.1:0")
	base := term.await(`rollcall \S+\r\n  panel   (http://127\.0\.0\.1:\d+)\r\n  data    \./data\r\n`)
	link := term.await(`  set up  (\S+)\r\n`)
	if !regexp.MustCompile(`^` + regexp.QuoteMeta(base) + `/setup#\S+$`).MatchString(link) {
		t.Errorf("the link is %s", link)
	}
	c := client.New(base, "")
	defer c.Close()
	if err := c.Health(t.Context()); err != nil {
		t.Error(err)
	}
	term.enter("\x03")
	if code := term.ends(); code != 0 {
		t.Errorf("exit code %d after Ctrl-C: %q", code, &term.shown)
	}
}

// withServer starts a server, and returns a client of it with the variables by which commands ask it.
func withServer(t *testing.T) (server *terminal, c *client.Client, env []string) {
	t.Helper()
	folder := t.TempDir()
	server = atTerminal(t, folder, nil, "--listen", "127.0.0.1:0", "--heartbeat", "1s")
	base := server.await(`panel   (\S+)\r\n`)
	key := atTerminal(t, folder, nil, "key", "create", "--app", "wiki", "--scope", "admin")
	secret := key.await(`(rck_\S+)\r\n`)
	c = client.New(base, secret)
	t.Cleanup(c.Close)
	env = []string{"ROLLCALL_URL=" + base, "ROLLCALL_KEY=" + secret}
	atTerminal(t, folder, env, "gate", "--wait", "30s").await(`Clear`) // when whoever is there had the time to be heard of
	return server, c, env
}

// comes has somebody log in whose page is heard of, and returns the token.
func comes(t *testing.T, c *client.Client, id, name string) string {
	t.Helper()
	login, err := c.Login(t.Context(), api.LoginReport{User: api.UserInput{ID: id, Name: &name}})
	if err == nil {
		_, err = c.Heartbeat(t.Context(), login.Session.Token, api.Heartbeat{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return login.Session.Token
}

func TestWhoAtATerminal(t *testing.T) {
	folder := t.TempDir()
	_, c, env := withServer(t)
	comes(t, c, "7", "Ada "+strings.Repeat("Long ", 20))

	who := atTerminal(t, folder, env, "who")
	line := who.await(`\n(Ada [^\r]*)\r\n`)
	if !strings.Contains(line, "\x1b[32mavailable\x1b[0m") {
		t.Errorf("no colour in %q", line)
	}
	if width := len([]rune(strings.NewReplacer("\x1b[32m", "", "\x1b[0m", "").Replace(line))); width > 60 {
		t.Errorf("%d columns at a terminal of 60: %q", width, line)
	}
	plain := atTerminal(t, folder, append(env, "NO_COLOR=1"), "who")
	if line := plain.await(`\n(Ada [^\r]*)\r\n`); strings.Contains(line, "\x1b") {
		t.Errorf("colour in spite of NO_COLOR: %q", line)
	}
}

func TestWhoWatchesUntilCtrlC(t *testing.T) {
	server, c, env := withServer(t)
	who := atTerminal(t, t.TempDir(), env, "who", "--watch")
	who.await(`Nobody is online`)
	token := comes(t, c, "ada", "ada")
	who.await(`\x1b\[H1 online: 1 available\r\n(?s:.*)ada `)
	if _, err := c.EndSession(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	who.await(`(?s)ada .*Nobody is online`)
	server.enter("\x03")
	doubt := who.await(`\r\x1b\[K(Not updated since \d\d:\d\d:\d\d: asking [^\r]*)\r\x1b\[KNot`)
	if columns := len([]rune(doubt)); columns > 59 { // else the line wraps, and is below the list once more each time
		t.Errorf("%d columns at a terminal of 60: %q", columns, doubt)
	}
	who.enter("\x03")
	if code := who.ends(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
}

func TestCtrlCEndsTheWaitWithALine(t *testing.T) {
	_, c, env := withServer(t)
	comes(t, c, "7", "Ada")
	for _, test := range []struct {
		args []string
		last string
	}{
		{[]string{"gate", "--wait", "20m"}, "stopped waiting"},
		{[]string{"gate", "--wait", "20m", "--json"}, "stopped waiting"},
		{[]string{"drain", "--message", "Moving", "--until-clear"}, "stopped waiting; logins are refused until rollcall drain --open"},
	} {
		term := atTerminal(t, t.TempDir(), env, test.args...)
		term.await(`Waiting for 1 person: Ada\r\n`)
		term.enter("\x03")
		term.await(`rollcall: .*\r\n`)
		if code := term.ends(); code != 1 {
			t.Errorf("%v: exit code %d", test.args, code)
		}
		if want := "Waiting for 1 person: Ada\r\n^Crollcall: " + test.last + "\r\n"; term.shown.String() != want {
			t.Errorf("%v: the screen shows %q, want %q", test.args, &term.shown, want)
		}
	}
}

func TestASecondCtrlCEndsAtOnce(t *testing.T) {
	term := atTerminal(t, t.TempDir(), nil, "--listen", "127.0.0.1:0")
	address := term.await(`panel   http://(\S+)\r\n`)
	slow, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	// The server answers "Continue" when it waits for the body, which never comes.
	fmt.Fprintf(slow, "POST /admin/users/heartbeat HTTP/1.1\r\nHost: %s\r\nContent-Length: 9\r\n"+
		"Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n", address)
	if _, err := slow.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	term.enter("\x03")
	for { // until it has heard that
		conn, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		conn.Close()
	}
	told := time.Now()
	term.enter("\x03")
	term.ends()
	if took := time.Since(told); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
	if status := term.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() {
		t.Errorf("it ended as if nothing was cut short: %v", term.cmd.ProcessState)
	}
}
