package cli

import (
	"context"
	"net"
	"testing"
	"time"

	"rollcall/server"
	"rollcall/server/api"
	"rollcall/server/client"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/storetest"
	"rollcall/ui"
)

// serving starts a server on an empty store, and returns a client that may do everything.
func serving(t *testing.T) *client.Client {
	t.Helper()
	opened := storetest.Open(t, t.TempDir(), presence.DefaultRules())
	scopes, err := store.ParseScopes([]string{"admin"})
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := opened.CreateKey(t.Context(), time.Now(), store.ActorCLI, "wiki", "", scopes)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Store: opened, Assets: ui.Static, Heartbeat: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ctx, ln) }()
	c := client.New("http://"+ln.Addr().String(), key)
	t.Cleanup(func() {
		c.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestNoNewsIsMissedBetweenTheListAndTheFeed(t *testing.T) {
	c := serving(t)
	for _, name := range []string{"while nobody followed", "while somebody does"} {
		page, err := c.Online(t.Context(), client.OnlineFilter{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Login(t.Context(), api.LoginReport{User: api.UserInput{ID: name}}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		next := awaitNews(t.Context(), c, page.Cursor)
		if took := time.Since(began); took > lookAgain/2 || next == page.Cursor {
			t.Errorf("%s: told after %s, from %q to %q", name, took, page.Cursor, next)
		}
		quiet, cancel := context.WithTimeout(t.Context(), askRest)
		if again := awaitNews(quiet, c, next); quiet.Err() == nil {
			t.Errorf("%s: what was told is told again, from %q to %q", name, next, again)
		}
		cancel()
	}
}
