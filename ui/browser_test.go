package ui_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"rollcall/server/client"
)

// patience is far beyond what anything here takes.
const patience = 30 * time.Second

var scratch string // removed when the tests end

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "rollcall-ui-test-"); err != nil {
		panic(err)
	}
	// The parallel tests wait more than they work. Another -parallel still counts.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(scratch)
	os.Exit(code)
}

// binary is the program as users build it.
var binary = sync.OnceValues(func() (string, error) { return build("rollcall") })

func build(name string, flags ...string) (string, error) {
	path := filepath.Join(scratch, name)
	args := append([]string{"build", "-o", path}, flags...)
	out, err := exec.Command("go", append(args, "rollcall")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building: %w\n%s", err, out)
	}
	return path, nil
}

// instance is a running `rollcall serve`.
type instance struct {
	url, setup string
	address    string // where it listens, whatever its url is
	data       string
	stop       func() // before the test ends
}

var (
	listening = regexp.MustCompile(`"address":"([^"]*)","url":"([^"]*)".*"listening"`)
	setUp     = regexp.MustCompile(`^ +set up +(\S+)$`)
)

// serve starts the built binary on an empty data folder.
func serve(t *testing.T, args ...string) instance {
	t.Helper()
	return start(t, binary, filepath.Join(t.TempDir(), "data"), "127.0.0.1:0", args...)
}

// again starts a stopped instance once more, with its data and at its address.
func (in instance) again(t *testing.T, args ...string) instance {
	t.Helper()
	return start(t, binary, in.data, strings.TrimPrefix(in.url, "http://"), args...)
}

func start(t *testing.T, program func() (string, error), data, address string, args ...string) instance {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"serve", "--listen", address, "--data", data, "--log-format", "json"}, args...)
	cmd := exec.Command(path, args...)
	lines := startReading(t, cmd)
	in := instance{data: data, stop: sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		for lines.Scan() { // until it has ended
		}
		if err := cmd.Wait(); err != nil {
			t.Error("the server ended with", err)
		}
	})}
	t.Cleanup(in.stop)
	for lines.Scan() {
		if match := setUp.FindStringSubmatch(lines.Text()); match != nil {
			in.setup = match[1]
		}
		if match := listening.FindStringSubmatch(lines.Text()); match != nil {
			in.address, in.url = match[1], match[2]
			return in
		}
	}
	t.Fatal("the server did not start")
	return in
}

// startReading starts a command and returns its standard error line by line.
func startReading(t *testing.T, cmd *exec.Cmd) *bufio.Scanner {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return bufio.NewScanner(stderr)
}

// command runs the binary on the instance's data folder and returns its stdout.
func (in instance) command(t *testing.T, args ...string) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append(args, "--data", in.data)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("rollcall %s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

// backend is an application that reports logins.
func (in instance) backend(t *testing.T, app, scopes string) *client.Client {
	t.Helper()
	c := client.New(in.url, in.command(t, "key", "create", "--app", app, "--scope", scopes))
	t.Cleanup(c.Close)
	return c
}

var chromium = sync.OnceValues(func() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
})

// tab is a page in a browser profile of its own.
type tab struct {
	t    *testing.T
	ctx  context.Context
	stop context.CancelFunc

	mu       sync.Mutex
	problems []string // what the browser complained about
}

// browser returns a tab in a new profile of a browser with these further options. Where there is no browser the test is
// skipped, unless TEST_BROWSER=required makes that a failure.
func browser(t *testing.T, further ...chromedp.ExecAllocatorOption) *tab {
	t.Helper()
	path, err := chromium()
	if err != nil {
		missing(t, "Chromium", "TEST_BROWSER")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 860),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(opts, further...)...)
	t.Cleanup(stop)
	return newTab(t, alloc)
}

// missing ends a test for which there is no such program on this machine.
func missing(t *testing.T, program, variable string) {
	t.Helper()
	if os.Getenv(variable) == "required" {
		t.Fatalf("there is no %s on this machine", program)
	}
	t.Skipf("there is no %s on this machine", program)
}

func newTab(t *testing.T, parent context.Context, opts ...chromedp.ContextOption) *tab {
	t.Helper()
	b := &tab{t: t}
	b.ctx, b.stop = chromedp.NewContext(parent, append(opts, chromedp.WithListener(b.listen))...)
	t.Cleanup(b.stop)
	// Without a limit on its time: the browser lives as long as the first call's context.
	if err := chromedp.Do(b.ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal("starting the browser:", err)
	}
	b.show() // on a busy machine a new window does not always have the focus
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, problem := range b.problems {
			t.Error("the browser says:", problem)
		}
	})
	return b
}

// another opens a further tab of the same profile, in a window of its own.
func (b *tab) another() *tab {
	b.t.Helper()
	return newTab(b.t, b.ctx)
}

// command is a command of the DevTools protocol whose answer does not matter.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (v chromedp.Void, err error) {
		_, err = cdp.Call(ctx, t, c, params)
		return v, err
	}
}

// listen collects script errors and refusals of the content security policy.
// Answers that are errors belong to what is tested.
func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, describe(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			b.problems = append(b.problems, fmt.Sprint("console.error: ", string(e.Args[0].Value)))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			b.problems = append(b.problems, e.Entry.Text)
		}
	}
}

func describe(e *runtime.ExceptionDetails) string {
	if e.Exception != nil {
		return e.Text + " " + e.Exception.Description
	}
	return e.Text
}

func (b *tab) run(doing string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatalf("%s: %v\n%s", doing, err, b.shown())
	}
}

// shown is what the page says, for the report of a failure.
func (b *tab) shown() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText + "\n" +
		(document.querySelector('online-users-panel')?.shadowRoot.firstElementChild?.innerText ?? '')`))
	return text
}

func (b *tab) open(url string) {
	b.t.Helper()
	b.run("opening "+url, chromedp.Navigate(url))
}

// panel is the shadow root of the page's panel, in scripts.
const panel = `document.querySelector('online-users-panel').shadowRoot`

// until waits for a JavaScript expression to be true, in whatever page the tab
// is by then: a poll that a navigation ends begins anew.
func (b *tab) until(expression string) {
	b.t.Helper()
	condition := `(() => { try { return Boolean(` + expression + `) } catch { return false } })()`
	poll := chromedp.Poll[bool](condition, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(patience))
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, poll)
		if err == nil {
			return
		}
		if ctx.Err() != nil || errors.Is(err, chromedp.ErrPollingTimeout) {
			b.t.Fatalf("waiting until %s: %v\n%s", expression, err, b.shown())
		}
	}
}

// eval runs a script and returns its value as text.
func (b *tab) eval(script string) string {
	b.t.Helper()
	return value(b, "running "+script, chromedp.Evaluate[string](`String(`+script+`)`))
}

func value[T any](b *tab, doing string, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", doing, err, b.shown())
	}
	return got
}

func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.arrived(selector)
	b.until(`(e => (e.focus(), e === document.activeElement))(document.querySelector('` + selector + `'))`)
	b.run("typing into "+selector, chromedp.KeyEvent(text))
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.arrived(selector)
	b.run("clicking "+selector, chromedp.Click(selector, chromedp.NodeVisible))
}

// arrived waits until an element is shown on a page that has loaded. One that is
// found while the page is loading may be another by the time that it is used.
func (b *tab) arrived(selector string) {
	b.t.Helper()
	b.until(`document.readyState === 'complete' && document.querySelector('` + selector + `').checkVisibility()`)
}

// clickIn clicks a part of the panel.
func (b *tab) clickIn(selector string) {
	b.t.Helper()
	b.until(panel + `.querySelector('` + selector + `')`)
	b.eval(panel + `.querySelector('` + selector + `').click()`)
}

const password = "correct horse battery staple"

// setUpAccount makes the first account by the link from the terminal.
func (b *tab) setUpAccount(in instance) {
	b.t.Helper()
	b.open(in.setup)
	b.fill(`#name`, "root")
	b.fill(`#password`, password)
	b.click(`button[type=submit]`)
	b.until(`document.querySelector('online-users-panel')`)
}
