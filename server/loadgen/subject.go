package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"rollcall/server"
	"rollcall/server/metrics"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/ui"
)

// subjectEnv tells a copy of this program to be the server, on that data folder,
// or with inPostgres there.
const (
	subjectEnv = "ROLLCALL_LOADGEN_SUBJECT"
	inPostgres = "in PostgreSQL"
)

// subject is the server under load.
type subject struct {
	url, key string
	process  *exec.Cmd // nil where it is not ours
	remove   string    // folder to remove at the end
	before   use
	since    time.Time
}

// startSubject starts this program once more as the server.
func startSubject(ctx context.Context, o options) (*subject, error) {
	s := &subject{}
	data := o.data
	if o.postgres {
		data = inPostgres
	}
	if data == "" {
		folder, err := os.MkdirTemp("", "rollcall-loadgen-")
		if err != nil {
			return nil, err
		}
		data, s.remove = folder, folder
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s.process = exec.CommandContext(ctx, self)
	s.process.Cancel = func() error { return s.process.Process.Signal(syscall.SIGTERM) }
	s.process.Env = append(os.Environ(), subjectEnv+"="+data)
	s.process.Stderr = os.Stderr
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	// Its first line says where it is and with which key.
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the server did not start: %w", err), s.stop())
	}
	s.url, s.key, _ = strings.Cut(strings.TrimSpace(line), " ")
	return s, nil
}

func (s *subject) stop() error {
	if s.process == nil {
		return nil
	}
	_ = s.process.Process.Signal(os.Interrupt)
	err := s.process.Wait()
	if s.remove != "" {
		err = errors.Join(err, os.RemoveAll(s.remove))
	}
	return err
}

// serveSubject is the whole server as users run it, with one more handler.
func serveSubject(data string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg := store.Config{Path: data}
	mounted := map[string]http.Handler{"/noop": http.HandlerFunc(doNothing)}
	var err error
	if data == inPostgres {
		var remove func()
		if cfg.Database, mounted["/each/"], remove, err = startPostgres(ctx); err != nil {
			return err
		}
		defer remove()
	} else if cfg.Schema, err = readSchema(); err != nil {
		return err
	}
	meters := metrics.New()
	cfg.Rules, cfg.OnCommit = presence.DefaultRules(), meters.Commit
	st, err := store.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	_, key, err := st.CreateKey(ctx, time.Now(), store.ActorSystem, "load", store.Scopes{store.ScopeSessions, store.ScopeRead})
	if err != nil {
		return err
	}
	srv, err := server.New(server.Config{Store: st, Assets: ui.Static, Heartbeat: time.Minute, Meters: meters,
		Log:   zerolog.New(os.Stderr).Level(zerolog.WarnLevel),
		Mount: mounted})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s %s\n", ln.Addr(), key)
	return srv.Serve(ctx, ln)
}

func doNothing(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"success":true}`)
}

// readSchema finds schema.sql from anywhere in the source tree, which is the
// only place where this program is of use.
func readSchema() (string, error) {
	folder, err := os.Getwd()
	for err == nil {
		text, readErr := os.ReadFile(filepath.Join(folder, "schema.sql"))
		if readErr == nil {
			return string(text), nil
		}
		if folder == filepath.Dir(folder) {
			return "", errors.New("run this inside the source tree: schema.sql is not found")
		}
		folder = filepath.Dir(folder)
	}
	return "", err
}
