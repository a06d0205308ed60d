package live

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"rollcall/server/api"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	"rollcall/store/storetest"
)

// In these tests time stands still unless every goroutine waits for it.

// pipes is a listener without a network, which such time needs.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	p <- there
	return here, nil
}

func (p pipes) Close() error { close(p); return nil }

func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// running is a hub that runs, with a server for its sockets: anybody with a session may follow.
type running struct {
	*testing.T
	*Hub
	client *http.Client
	away   atomic.Bool // the database, for whoever asks who may follow
}

func newHub(st *store.Store) *Hub {
	return New(Config{Store: st, Now: time.Now, Log: zerolog.Nop(), Troubles: &web.Troubles{Log: zerolog.Nop()}})
}

// withHub runs f by the clock of the test; change is made before the hub runs.
func withHub(t *testing.T, change func(*Hub), f func(*running)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(storetest.OpenFile(t, t.TempDir(), presence.DefaultRules()))
		change(h)
		r := &running{T: t, Hub: h}
		follow := func(ctx context.Context, token string) (Follower, error) {
			if r.away.Load() {
				return Follower{}, sqldb.ErrUnavailable
			}
			person, err := h.store.Authenticate(ctx, h.now(), token)
			return Follower{Person: &person}, err
		}
		serve := func(open func(http.ResponseWriter, *http.Request, string, Follow) error) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if err := open(w, r, r.Header.Get("Authorization"), follow); err != nil {
					w.WriteHeader(web.Explain(err).Status)
				}
			}
		}
		mux := http.NewServeMux()
		mux.Handle("/list", serve(h.ServeList))
		mux.Handle("/own", serve(h.ServeOwn))
		ln, server := make(pipes), &http.Server{Handler: mux}
		ended := make(chan struct{}, 2)
		ctx, stop := context.WithCancel(t.Context())
		go func() { h.Run(ctx); ended <- struct{}{} }()
		go func() { _ = server.Serve(ln); ended <- struct{}{} }()
		transport := &http.Transport{DialContext: ln.dial}
		r.client = &http.Client{Transport: transport}
		f(r)
		stop()
		h.Stop()
		transport.CloseIdleConnections()
		server.Close()
		<-ended
		<-ended
	})
}

func (r *running) enter(id string) (token string) {
	r.Helper()
	name := "Canary of " + id
	result, err := r.store.Login(r.Context(), r.now(), store.By{App: "shop", Grant: store.AccessAdmin}, store.Login{User: store.UserInput{ID: id, Name: &name}})
	if err != nil {
		r.Fatal(err)
	}
	return result.Token
}

// open opens a socket, of which all messages are read into the channel.
func (r *running) open(path, token string) (messages chan api.Event, closed chan error) {
	r.Helper()
	head := http.Header{}
	if token != "" {
		head.Set("Authorization", token)
	}
	conn, _, err := websocket.Dial(r.Context(), "http://localhost"+path, &websocket.DialOptions{HTTPClient: r.client, HTTPHeader: head})
	if err != nil {
		r.Fatal(err)
	}
	messages, closed = make(chan api.Event, 1000), make(chan error, 1)
	go func() {
		for {
			_, text, err := conn.Read(context.Background())
			var e api.Event
			if err == nil {
				err = json.Unmarshal(text, &e)
			}
			if err != nil {
				closed <- err
				return
			}
			messages <- e
		}
	}()
	return messages, closed
}

// tells fails unless these are the next messages, besides those about the gate.
func (r *running) tells(messages chan api.Event, want ...string) {
	r.Helper()
	time.Sleep(2 * time.Second)
	synctest.Wait()
	got := []string{}
	for len(messages) > 0 {
		e := <-messages
		words := []string{e.Type, e.UserID, e.Reason}
		if e.User != nil {
			words[1] = e.User.ID
		}
		if e.Type != "gate" {
			got = append(got, strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), " "))
		}
	}
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		r.Fatal(diff)
	}
}

func asItIs(*Hub) {}
