package ui_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// firefox is a Firefox with a new profile, which is told what to do by WebDriver BiDi.
type firefox struct {
	t    *testing.T
	conn *websocket.Conn
	last int // number of the last command
}

var speaksBiDi = regexp.MustCompile(`WebDriver BiDi listening on (ws://\S+)`)

// newFirefox starts one. Where there is none the test is skipped, unless
// TEST_BROWSER=required makes that a failure.
func newFirefox(t *testing.T) *firefox {
	t.Helper()
	path, err := exec.LookPath("firefox-esr")
	if err != nil {
		path, err = exec.LookPath("firefox")
	}
	if err != nil {
		missing(t, "Firefox", "TEST_BROWSER")
	}
	cmd := exec.Command(path, "--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", t.TempDir())
	lines := startReading(t, cmd)
	t.Cleanup(func() {
		for lines.Scan() { // until it has ended
		}
		_ = cmd.Wait() // its status says nothing of what is tested
	})
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	f := &firefox{t: t}
	for f.conn == nil && lines.Scan() {
		if match := speaksBiDi.FindStringSubmatch(lines.Text()); match != nil {
			f.connect(match[1] + "/session")
		}
	}
	late.Stop()
	if f.conn == nil {
		t.Fatal("Firefox did not start")
	}
	t.Cleanup(func() { f.do("browser.close", map[string]any{}, nil) })
	f.do("session.new", map[string]any{"capabilities": map[string]any{}}, nil)
	return f
}

func (f *firefox) connect(address string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, address, nil)
	if err != nil {
		f.t.Fatal("talking to Firefox:", err)
	}
	conn.SetReadLimit(1 << 20)
	f.conn = conn
}

// do gives a command and waits for its result, which goes to result unless that is nil.
func (f *firefox) do(method string, params, result any) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	f.last++
	if err := wsjson.Write(ctx, f.conn, map[string]any{"id": f.last, "method": method, "params": params}); err != nil {
		f.t.Fatalf("%s: %v", method, err)
	}
	for {
		var answer struct {
			ID             int
			Error, Message string
			Result         json.RawMessage
		}
		if err := wsjson.Read(ctx, f.conn, &answer); err != nil {
			f.t.Fatalf("%s: %v", method, err)
		}
		switch {
		case answer.ID != f.last: // an event
		case answer.Error != "":
			f.t.Fatalf("%s: %s: %s", method, answer.Error, answer.Message)
		case result == nil:
			return
		default:
			if err := json.Unmarshal(answer.Result, result); err != nil {
				f.t.Fatalf("%s: %v", method, err)
			}
			return
		}
	}
}

// open opens an address in a new tab.
func (f *firefox) open(url string) *firefoxTab {
	f.t.Helper()
	tab := &firefoxTab{firefox: f}
	f.do("browsingContext.create", map[string]any{"type": "tab"}, tab)
	f.do("browsingContext.navigate", map[string]any{"context": tab.Context, "url": url, "wait": "complete"}, nil)
	return tab
}

type firefoxTab struct {
	*firefox
	Context string
}

// eval runs a script and returns its value as text.
func (f *firefoxTab) eval(script string) string {
	f.t.Helper()
	var got struct {
		Type             string
		Result           struct{ Value string }
		ExceptionDetails struct{ Text string }
	}
	f.do("script.evaluate", map[string]any{"expression": "String(" + script + ")", "target": map[string]any{"context": f.Context}, "awaitPromise": false}, &got)
	if got.Type != "success" {
		f.t.Fatalf("%s: %s", script, got.ExceptionDetails.Text)
	}
	return got.Result.Value
}

// close closes the tab as its cross does.
func (f *firefoxTab) close() {
	f.t.Helper()
	f.do("browsingContext.close", map[string]any{"context": f.Context}, nil)
}

// TestAClosingTabOfFirefoxSaysGoodbye has an application of another site, whose only tab is closed: with it goes the
// process that runs its scripts, and with that every request that was not on its way.
func TestAClosingTabOfFirefoxSaysGoodbye(t *testing.T) {
	s := newStage(t, scriptTag)
	s.host = strings.Replace(s.host, "127.0.0.1", "localhost", 1)
	s.in.stop()
	s.in.again(t, "--allow-origin", s.host)
	f := newFirefox(t)
	session := login(t, s.backend, "ada", "Ada")
	blank := f.open(s.host + "/favicon.ico") // without the script
	blank.eval(`localStorage.setItem('accessToken', '` + session.Token + `')`)
	blank.close()
	for i := range 10 {
		from := time.Now()
		tab := f.open(s.host + []string{"/", "/?a=query"}[i%2])
		s.arrives("a heartbeat", from, message.heartbeat)
		from = time.Now()
		tab.close()
		s.arrives("a goodbye", from, message.goodbye)
	}
}

// arrives waits for a message of a kind after a moment.
func (s *stage) arrives(what string, from time.Time, kind func(message) bool) {
	s.t.Helper()
	for len(s.wire.since(from, kind)) == 0 {
		if time.Since(from) > patience {
			s.t.Fatal(what, "did not arrive")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestARouteBringsTheTokenInFirefoxToo(t *testing.T) {
	a := newApplication(t, renewing)
	f := newFirefox(t)
	from := time.Now()
	tab := f.open(a.host + "/login?user=ada")
	a.arrives("a heartbeat", from, message.heartbeat)
	from = time.Now()
	tab.close()
	a.arrives("a goodbye", from, message.goodbye)
	from = time.Now()
	tab = f.open(a.host + "/logout")
	for asked, _ := a.count(); asked < 2; asked, _ = a.count() {
		time.Sleep(20 * time.Millisecond)
	}
	if state := tab.eval(`rollcall.state`); len(a.wire.since(from, message.heartbeat)) > 0 {
		t.Errorf("a heartbeat of nobody, in the state %s", state)
	}
}
