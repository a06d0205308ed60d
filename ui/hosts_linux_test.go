package ui_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A framework is what an application is written in that has dropped in our files for it. Its small application in
// testdata/hosts has for all frameworks the same addresses, forms and people, so that the same life is played in each.
type framework struct {
	name    string
	needs   []string          // programs
	files   map[string]string // of ours: where in the application each goes
	prepare string            // a command that makes it ready to run; "" for none
	start   string            // the command that runs it, at $PORT
	test    string            // the command that runs the application's own tests; "" where its framework has no way to

	scripts        string // that its pages need beside ours, for the content security policy
	forgetful      bool   // it knows nothing of the request before
	movesItself    bool   // its pages change by a router of its own, and not by htmx or Turbo
	unawareOfPeers bool   // it does not tell who has connected, only what X-Forwarded-For says
}

var frameworks = []framework{
	{name: "express", needs: []string{"node"}, files: map[string]string{"express/rollcall.cjs": ".", "express/rollcall.d.cts": "."}, start: "node app.mjs",
		test: "node test.mjs && npx tsc --noEmit --strict --module nodenext types.mts"},
	{name: "go", needs: []string{"go"}, files: map[string]string{"go/rollcall.go": "rollcall", "go/call.go": "rollcall"}, prepare: "go build -o app .", start: "./app", test: "go test ."},
	{name: "django", needs: []string{"/usr/bin/python3"}, files: map[string]string{"django/rollcall.py": "project", "django/rollcall_calls.py": "project"},
		prepare: "/usr/bin/python3 manage.py migrate", start: "/usr/bin/python3 manage.py runserver --noreload $PORT", test: "/usr/bin/python3 manage.py test tests"},
	{name: "php", needs: []string{"php"}, files: map[string]string{"php/rollcall.php": ".", "php/rollcall_pages.php": "."}, prepare: "mkdir sessions", forgetful: true,
		start: "env PHP_CLI_SERVER_WORKERS=3 php -d session.save_path=sessions -S 127.0.0.1:$PORT index.php"},
	{name: "laravel", needs: []string{"php"}, files: map[string]string{"laravel/RollcallServiceProvider.php": "app/Providers", "php/rollcall.php": "app"},
		prepare: "touch storage/database.sqlite", forgetful: true,
		start: "env PHP_CLI_SERVER_WORKERS=3 php -S 127.0.0.1:$PORT index.php", test: "php tests.php"},
	{name: "rails", needs: []string{"puma"}, files: map[string]string{"rails/rollcall.rb": "lib", "rails/rollcall_controller.rb": "app/controllers",
		"rails/rollcall_helpers.rb": "app/controllers/concerns"}, start: "env RAILS_ENV=production puma --quiet -t 3:3 -b tcp://127.0.0.1:$PORT", test: "env RAILS_ENV=test ruby test.rb"},
	{name: "next", needs: []string{"node"}, files: map[string]string{"next/rollcall.ts": "."}, prepare: "npx next build",
		start: "node ../node_modules/next/dist/bin/next start -H 127.0.0.1 -p $PORT", scripts: "'self' 'nonce-n0nce' ", movesItself: true, unawareOfPeers: true},
}

// TestHosts plays the life of people in an application of each framework, before and behind a browser.
func TestHosts(t *testing.T) {
	if os.Getenv("TEST_HOSTS") != "required" {
		t.Skip("the tests with the real frameworks run with TEST_HOSTS=required")
	}
	folder := hostFolder(t)
	for _, f := range frameworks {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, f, folder)
			for _, c := range lives {
				if c.only != nil && !c.only(f) {
					continue
				}
				t.Run(c.fact, func(t *testing.T) { c.play(h.newLife(t, c.settings...)) })
			}
			if f.test != "" {
				t.Run("the application's own tests do not reach Rollcall", func(t *testing.T) { h.newLife(t).ownTests() })
			}
		})
	}
}

// hostFolder is a copy of testdata/hosts with what npm installs.
func hostFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("testdata/hosts")); err != nil {
		t.Fatal(err)
	}
	run(t, folder, nil, "npm ci --no-audit --no-fund --ignore-scripts")
	return folder
}

// run runs a command of the shell to its end.
func run(t *testing.T, folder string, environment []string, command string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), environment...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

// host is a running application, a proxy in front of it, and the address of Rollcall that it knows, behind which a
// Rollcall of each life is.
type host struct {
	framework
	folder      string
	environment []string
	direct      string // the application's own address
	front       *entrance
	stranger    *entrance // a proxy that the application does not trust
	rollcall    *gateway
	data        string // of a Rollcall that has its keys and nothing else
	admin       string // a key
	root        *tab   // the browser
	output      *output
}

// Where the proxy that the application trusts connects from, and one that it does not.
const proxyAddress, strangerAddress = "127.0.0.2", "127.0.0.3"

func newHost(t *testing.T, f framework, folder string) *host {
	t.Helper()
	for _, program := range f.needs {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("there is no %s on this machine", program)
		}
	}
	h := &host{framework: f, folder: filepath.Join(folder, f.name), rollcall: newGateway(t), output: &output{}}
	empty := serve(t)
	key := empty.command(t, "key", "create", "--app", f.name, "--scope", "sessions")
	h.admin = empty.command(t, "key", "create", "--app", "tests", "--scope", "admin")
	for file, to := range f.files {
		fetch(t, empty.url+"/clients/"+file, filepath.Join(h.folder, to, path.Base(file)))
	}
	empty.stop()
	h.data = empty.data
	h.direct = "http://" + unusedAddress(t)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(h.direct, "http://"))
	h.environment = []string{"PORT=" + port, "TRUSTED_PROXY=" + proxyAddress, "ROLLCALL_URL=" + h.rollcall.url, "ROLLCALL_KEY=" + key, "ROLLCALL_TRUSTED_PROXIES=" + proxyAddress, "NEXT_TELEMETRY_DISABLED=1"}
	if f.prepare != "" {
		run(t, h.folder, h.environment, f.prepare)
	}
	h.run(t)
	modules := filepath.Join(folder, "node_modules")
	h.front, h.stranger = newEntrance(t, h.direct, proxyAddress, modules), newEntrance(t, h.direct, strangerAddress, modules)
	h.root = browser(t)
	return h
}

// fetch stores what an address has in a file.
func fetch(t *testing.T, address, file string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(address, res.Status, err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// run starts the application, waits until it answers, and ends it with the test.
func (h *host) run(t *testing.T) {
	t.Helper()
	cmd := exec.Command("sh", "-c", "exec "+h.start)
	cmd.Dir, cmd.Env = h.folder, append(os.Environ(), h.environment...)
	cmd.Stdout, cmd.Stderr = h.output, h.output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // and what it has started
		<-ended
	})
	for since := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		res, err := http.Get(h.direct + "/reset")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ended:
			t.Fatalf("%s has ended:\n%s", h.start, h.output.since(0))
		default:
		}
		if time.Since(since) > 2*patience {
			t.Fatalf("%s does not answer: %v\n%s", h.start, err, h.output.since(0))
		}
	}
}

// unusedAddress is one of this machine that nobody listens at.
func unusedAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// output keeps what an application writes to its log.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Len()
}

func (o *output) since(from int) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()[from:]
}

// lines counts the lines with a word since then.
func (o *output) lines(from int, word string) (n int) {
	for lines := bufio.NewScanner(strings.NewReader(o.since(from))); lines.Scan(); {
		if strings.Contains(lines.Text(), word) {
			n++
		}
	}
	return n
}
