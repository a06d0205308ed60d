package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"rollcall/server"
	"rollcall/server/live"
	"rollcall/server/metrics"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/ui"
)

// inPostgres stands for a data folder where the sessions are kept there.
const inPostgres = "in PostgreSQL"

// startRollcall starts the server whose figures are wanted.
func startRollcall(o options) (*subject, error) {
	data, remove := o.data, ""
	if o.postgres {
		data = inPostgres
	}
	if data == "" {
		folder, err := os.MkdirTemp("", "rollcall-loadgen-")
		if err != nil {
			return nil, err
		}
		data, remove = folder, folder
	}
	s, err := start(rollcall, nil, data)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(remove))
	}
	s.remove, s.data = remove, data
	if o.data != "" {
		s.disk = o.data
	}
	return s, nil
}

// restart has the server know nothing but what is in its data folder.
func (s *subject) restart() error {
	folder := s.remove
	s.remove = ""
	if err := s.stop(); err != nil {
		return err
	}
	fresh, err := start(rollcall, nil, s.data)
	s.remove = folder
	if err == nil {
		s.ready, s.process, s.pid, s.hold = fresh.ready, fresh.process, fresh.pid, fresh.hold
	}
	return err
}

// serveRollcall is the whole server as users run it.
func serveRollcall(ctx context.Context, data string) error {
	cfg, words := store.Config{Path: data}, "the whole server, on SQLite"
	var err error
	if data == inPostgres {
		words = "the whole server, on PostgreSQL"
		var remove func()
		if cfg.Database, remove, err = startPostgres(); err != nil {
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
	_, key, err := st.CreateKey(ctx, time.Now(), store.ActorSystem, "load", "", store.Scopes{store.ScopeSessions, store.ScopeRead, store.ScopeAdmin})
	if err != nil {
		return err
	}
	sockets := live.DefaultLimits()
	sockets.PerKey, sockets.PerNetwork = sockets.All, sockets.All // all panels are ours
	srv, err := server.New(server.Config{Store: st, Assets: ui.Static, Heartbeat: time.Minute, Meters: meters, Sockets: sockets,
		Log: zerolog.New(os.Stderr).Level(zerolog.WarnLevel)})
	if err != nil {
		return err
	}
	ln, err := listen(ready{Key: key, Words: words})
	if err != nil {
		return err
	}
	return srv.Serve(ctx, ln)
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
