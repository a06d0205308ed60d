package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gorilla/mux"
)

// subject is a server under load.
type subject struct {
	ready
	name    string
	players []*player
	process *exec.Cmd      // nil where it is not ours
	pid     int            // 0 where it is not ours
	hold    io.WriteCloser // what it reads: it ends when this is closed, which happens too when this process is killed
	remove  string         // folder to remove at the end
	disk    string         // a folder on the device that it writes to
	data    string         // its data folder
	before  use
	since   time.Time
}

// ready is what a server says once it takes requests, as its only line.
type ready struct {
	URL   string `json:"url"`
	Key   string `json:"key,omitempty"`
	Words string `json:"words"` // what it is
}

// start starts this program once more to be that server. The tokens are of the
// sessions that it should know of.
func start(name string, tokens []string, args ...string) (*subject, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &subject{name: name, disk: os.TempDir(), process: exec.Command(self, append([]string{"serve", name}, args...)...)}
	s.process.Stderr = os.Stderr
	if s.hold, err = s.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	s.pid = s.process.Process.Pid
	_, err = io.WriteString(s.hold, strings.Join(append(tokens[:len(tokens):len(tokens)], "", ""), "\n"))
	if err == nil {
		err = json.NewDecoder(out).Decode(&s.ready)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s did not start: %w", name, err), s.stop())
	}
	return s, nil
}

func (s *subject) stop() error {
	if s.process == nil {
		return nil
	}
	s.hold.Close()
	err := s.process.Wait()
	if s.remove != "" {
		err = errors.Join(err, os.RemoveAll(s.remove))
	}
	return err
}

// Who can be started, by the names that they have in what is printed.
const (
	rollcall = "rollcall"
	nothing  = "nothing"
	original = "original"
	redis    = "redis"
)

// serve is one of the servers, until what it reads is closed.
func serve(args []string) error {
	in := bufio.NewReader(os.Stdin)
	tokens, err := readTokens(in)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, in)
		stop()
	}()
	switch args[0] {
	case rollcall:
		return serveRollcall(ctx, args[1])
	case nothing:
		return serveBare(ctx, "a bare router with one route that does nothing", doNothing)
	case original:
		return serveOriginal(ctx, tokens)
	case redis:
		return serveRedis(ctx)
	}
	return fmt.Errorf("%s is not known", args[0])
}

// readTokens reads a token a line, up to an empty one.
func readTokens(in *bufio.Reader) (tokens []string, err error) {
	for {
		line, err := in.ReadString('\n')
		if err != nil || line == "\n" {
			return tokens, err
		}
		tokens = append(tokens, strings.TrimSuffix(line, "\n"))
	}
}

// serveBare serves heartbeats and nothing else, with as little as a program in Go
// can have around its handler.
func serveBare(ctx context.Context, words string, beat http.HandlerFunc) error {
	router := mux.NewRouter()
	router.HandleFunc(heartbeat, beat).Methods(http.MethodPost)
	ln, err := listen(ready{Words: words})
	if err != nil {
		return err
	}
	web := &http.Server{Handler: router}
	context.AfterFunc(ctx, func() { web.Close() })
	if err := web.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// listen takes a free port and says that requests may come.
func listen(r ready) (net.Listener, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r.URL = "http://" + ln.Addr().String()
	return ln, json.NewEncoder(os.Stdout).Encode(r)
}

func doNothing(w http.ResponseWriter, _ *http.Request) { succeed(w, `{"success":true}`) }

func succeed(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, body)
}

// bearer is the token that a request brings.
func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}
