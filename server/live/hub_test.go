package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
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

func TestOfACrowdIsOnlyToldThatItMoves(t *testing.T) {
	withHub(t, func(h *Hub) { h.tracker.limit = 2 }, func(r *running) {
		ada := r.enter("ada")
		r.enter("bob")
		r.enter("cleo")
		list, _ := r.open("/list", ada)
		r.tells(list, "hello")
		r.enter("dan")
		r.tells(list, "reset")
		r.enter("eve")
		r.tells(list)
		time.Sleep(10 * time.Second)
		r.enter("fay")
		r.tells(list, "reset")
	})
}

func TestACrowdIsJudgedAnewAsItGrowsAndShrinks(t *testing.T) {
	withHub(t, func(h *Hub) { h.tracker.limit = 2 }, func(r *running) {
		list, _ := r.open("/list", r.enter("ada"))
		r.tells(list, "hello")
		r.enter("bob")
		r.tells(list, "online bob")
		r.enter("cleo")
		r.tells(list, "reset")
		if _, err := r.store.DeleteUser(r.Context(), r.now(), store.By{App: "shop", Grant: store.AccessAdmin}, "cleo"); err != nil {
			r.Fatal(err)
		}
		time.Sleep(judgeEvery)
		synctest.Wait()
		for len(list) > 0 { // the last of the crowd
			<-list
		}
		r.enter("bob") // with a second session
		r.tells(list, "updated bob")
		r.enter("dan")
		r.tells(list, "reset")
	})
}

func TestWhatWasNotToldInTimeIsTakenBackOnTheFeed(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		list, _ := r.open("/list", r.enter("ada"))
		r.tells(list, "hello")
		r.enter("bob")
		time.Sleep(tellEvery / 5)
		for _, status := range []presence.Status{presence.StatusBusy, ""} {
			var err error
			if status == "" {
				err = r.store.ClearStatus(r.Context(), "bob", "shop")
			} else {
				err = r.store.SetStatus(r.Context(), r.now(), "bob", presence.Claim{App: "shop", Status: status})
			}
			if err != nil {
				r.Fatal(err)
			}
			time.Sleep(tellEvery / 5) // in which somebody may read the list
		}
		r.tells(list, "online bob", "updated bob")
	})
}

func TestACrowdThatIsNotLookedAtOneByOneIsToldOfAllTheSame(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		var wg sync.WaitGroup
		for i := range maxChanges + 1 {
			wg.Go(func() { r.enter(fmt.Sprint("user", i)) })
		}
		ada := r.enter("ada")
		wg.Wait()
		list, _ := r.open("/list", ada)
		r.tells(list, "hello")
		r.enter("bob")
		r.enter("user7") // with a second session
		if _, err := r.store.DeleteUser(r.Context(), r.now(), store.By{App: "shop", Grant: store.AccessAdmin}, "user8"); err != nil {
			r.Fatal(err)
		}
		r.tells(list, "session_ended user8 user_deleted", "online bob", "updated user7", "offline user8 user_deleted")
		if n := r.tracker.counts.People(); n != maxChanges+2 {
			r.Errorf("it counts %d", n)
		}
	})
}

// dialList opens the list with a session's token, and reads nothing of it.
func (r *running) dialList(token string) *websocket.Conn {
	r.Helper()
	conn, _, err := websocket.Dial(r.Context(), "http://localhost/list", &websocket.DialOptions{HTTPClient: r.client, HTTPHeader: http.Header{"Authorization": {token}}})
	if err != nil {
		r.Fatal(err)
	}
	return conn
}

// TestASlowReaderIsToldNothingOnceItMayNotBe has many events wait for a reader that takes one now and then.
func TestASlowReaderIsToldNothingOnceItMayNotBe(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		token := r.enter("ada")
		conn := r.dialList(token)
		defer conn.CloseNow()
		read := func() error {
			_, _, err := conn.Read(context.Background())
			return err
		}
		if err := read(); err != nil { // hello
			r.Fatal(err)
		}
		for i := range 20 {
			r.enter(fmt.Sprint("user", i))
		}
		time.Sleep(2 * time.Second)
		if _, err := r.store.DeleteUser(r.Context(), r.now(), store.By{App: "shop", Grant: store.AccessAdmin}, "ada"); err != nil {
			r.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		told := 0
		for err := error(nil); err == nil; told++ {
			time.Sleep(time.Second)
			err = read()
		}
		if told > 3 { // what was on its way
			r.Errorf("it was told %d things more", told)
		}
	})
}

func TestWhoReadsNothingIsCutOffWithinASecondOnceTheyMayNotFollow(t *testing.T) {
	for name, test := range map[string]struct {
		read  int           // messages that they read
		event bool          // waits for them
		wait  time.Duration // before they lose the right to follow
	}{
		"not even the hello": {0, false, time.Second},
		"an event":           {1, true, time.Second},
		"a ping":             {1, false, pingEvery + time.Second},
		"the last word":      {1, false, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			withHub(t, asItIs, func(r *running) {
				token := r.enter("ada")
				conn := r.dialList(token)
				defer conn.CloseNow()
				for range test.read {
					if _, _, err := conn.Read(r.Context()); err != nil {
						r.Fatal(err)
					}
				}
				if test.event {
					r.enter("bob")
				}
				time.Sleep(test.wait)
				if n := r.Stats().Sockets; n != 1 {
					r.Fatalf("there are %d sockets", n)
				}
				if _, err := r.store.DeleteUser(r.Context(), r.now(), store.By{App: "shop", Grant: store.AccessAdmin}, "ada"); err != nil {
					r.Fatal(err)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if n := r.Stats().Sockets; n != 0 {
					r.Errorf("%d sockets are left", n)
				}
				if _, _, err := conn.Read(r.Context()); err == nil || websocket.CloseStatus(err) >= 0 { // a word would say that it is still open
					r.Errorf("they read on: %v", err)
				}
			})
		})
	}
}

func TestWhoMayNoLongerFollowIsNotToldWhatEndedIt(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		list, closed := r.open("/list", r.enter("ada"))
		r.tells(list, "hello")
		if _, err := r.store.DeleteUser(r.Context(), r.now(), store.By{App: "shop", Grant: store.AccessAdmin}, "ada"); err != nil {
			r.Fatal(err)
		}
		<-closed
		r.tells(list)
	})
}

// wantTooMany fails unless a socket is closed because there are too many.
func (r *running) wantTooMany(closed chan error) {
	r.Helper()
	var why websocket.CloseError
	if err := <-closed; !errors.As(err, &why) || why.Code != websocket.StatusTryAgainLater || why.Reason != "too_many_watchers" {
		r.Errorf("one more is closed with %v", err)
	}
}

func TestStrangersDoNotCrowdOutWhoeverSaysWhoTheyAre(t *testing.T) {
	for name, many := range map[string]struct {
		elsewhere int // strangers from other networks each
		here      int
	}{
		"of one network":    {0, pendingPerNetwork},
		"of a thousand":     {maxPending, 0},
		"of a thousand all": {maxPending - pendingPerNetwork, pendingPerNetwork},
	} {
		t.Run(name, func(t *testing.T) {
			withHub(t, asItIs, func(r *running) {
				for i := range many.elsewhere {
					r.places.take(r.limits.ofPending([]string{fmt.Sprint(i)})...)
				}
				for range many.here {
					r.places.take(r.limits.ofPending([]string{"local"})...)
				}
				_, closed := r.open("/list", "")
				r.wantTooMany(closed)
				list, _ := r.open("/list", r.enter("ada"))
				r.tells(list, "hello")
			})
		})
	}
}

func TestOnePersonMayHaveSoManySocketsAndNoMore(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		first, second := r.enter("ada"), r.enter("ada")
		for range perPerson / 2 {
			for _, token := range []string{first, second} {
				list, _ := r.open("/list", token)
				<-list // its hello
			}
		}
		_, closed := r.open("/list", first)
		r.wantTooMany(closed)
		own, _ := r.open("/own", first)
		<-own
		other, _ := r.open("/list", r.enter("bob"))
		<-other
	})
}

func TestOneNetworkLeavesRoomForOthers(t *testing.T) {
	here := []string{"a /64", "a /48"}
	few := func(h *Hub) {
		h.limits.PerNetwork = 3
		h.networks = func(r *http.Request) []string { return here }
	}
	withHub(t, few, func(r *running) {
		var opened []chan error
		for i := range 3 {
			list, closed := r.open("/list", r.enter(fmt.Sprint("person", i)))
			<-list // its hello
			opened = append(opened, closed)
		}
		head := http.Header{"Authorization": {r.enter("one more")}}
		_, res, err := websocket.Dial(r.Context(), "http://localhost/list", &websocket.DialOptions{HTTPClient: r.client, HTTPHeader: head})
		if err == nil || res == nil || res.StatusCode != http.StatusServiceUnavailable {
			r.Errorf("one more: %v, %v", res, err)
		}
		here = []string{"another /64", "another /48"}
		list, _ := r.open("/list", r.enter("elsewhere"))
		<-list
		for _, closed := range opened {
			select {
			case err := <-closed:
				r.Error(err)
			default:
			}
		}
	})
}

func TestPlacesAreGivenBack(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		ada := r.enter("ada")
		for range 3 * perPerson {
			head := http.Header{"Authorization": {ada}}
			conn, _, err := websocket.Dial(r.Context(), "http://localhost/list", &websocket.DialOptions{HTTPClient: r.client, HTTPHeader: head})
			if err != nil {
				r.Fatal(err)
			}
			if _, _, err := conn.Read(r.Context()); err != nil {
				r.Fatal(err)
			}
			_ = conn.Close(websocket.StatusNormalClosure, "")
			synctest.Wait()
		}
		r.places.mu.Lock()
		defer r.places.mu.Unlock()
		if len(r.places.taken) > 0 {
			r.Errorf("still taken: %v", r.places.taken)
		}
	})
}

func TestWhoPingsWithoutAnEndGetsNoAnswerForEach(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		head := http.Header{"Authorization": {r.enter("ada")}}
		conn, _, err := websocket.Dial(r.Context(), "http://localhost/list", &websocket.DialOptions{HTTPClient: r.client, HTTPHeader: head})
		if err != nil {
			r.Fatal(err)
		}
		defer conn.CloseNow()
		conn.CloseRead(r.Context())
		pings := func(times int) (answered int) {
			for range times {
				ctx, cancel := context.WithTimeout(r.Context(), 10*time.Millisecond)
				if conn.Ping(ctx) == nil {
					answered++
				}
				cancel()
			}
			return answered
		}
		if n := pings(20); n != 20 {
			r.Errorf("%d of the first 20 are answered", n)
		}
		if n := pings(50); n > 1 {
			r.Errorf("%d of 50 more are answered", n)
		}
	})
}

func TestWhileTheDatabaseIsAwayNobodyIsToldAnythingOrSentAway(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		ada := r.enter("ada")
		list, _ := r.open("/list", ada)
		own, _ := r.open("/own", ada)
		r.tells(list, "hello")
		r.tells(own, "notices")
		r.away.Store(true)
		r.readers.recheckAll() // as if somebody's rights had just changed: nobody knows whose now
		r.userSockets.recheckAll()
		time.Sleep(time.Minute)
		r.enter("bob")
		r.tells(list)
		r.away.Store(false)
		r.troubles.Recheck(r.Context(), func(context.Context) error { return nil })
		r.tells(list, "online bob")
		if _, err := r.store.PostNotice(r.Context(), r.now(), store.ActorCLI, store.NoticeInput{Message: "it is over", Level: store.LevelInfo}); err != nil {
			r.Fatal(err)
		}
		r.tells(own, "notices")
	})
}

func TestTheFeedForgetsWhoIsErased(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		list, _ := r.open("/list", r.enter("bob"))
		r.tells(list, "hello")
		r.enter("ada")
		r.tells(list, "online ada")
		if _, err := r.store.Erase(r.Context(), r.now(), store.ActorCLI, "ada"); err != nil {
			r.Fatal(err)
		}
		r.tells(list, "offline ada user_deleted")
		r.feed.mu.Lock()
		defer r.feed.mu.Unlock()
		for _, event := range r.feed.events {
			if strings.Contains(string(event), "Canary") {
				r.Errorf("the feed still tells %s", event)
			}
		}
	})
}

func TestWhoIsErasedWhileNobodyFollowsIsForgotten(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		bob := r.enter("bob")
		list, _ := r.open("/list", bob)
		r.tells(list, "hello")
		cursor := r.Cursor()
		r.enter("ada")
		r.tells(list, "online ada")
		r.readers.mu.Lock()
		clear(r.readers.all) // as if they had gone, to come back
		r.readers.mu.Unlock()
		if _, err := r.store.Erase(r.Context(), r.now(), store.ActorCLI, "ada"); err != nil {
			r.Fatal(err)
		}
		time.Sleep(pollEvery)
		again, _ := r.open("/list?since="+cursor, bob)
		r.tells(again, "hello", "reset")
	})
}

func TestWithoutSocketsTheLogIsNotRead(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		r.enter("bob")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if seq := r.tracker.lastSeq; seq != fromNow {
			r.Errorf("it was read up to %d", seq)
		}
		own, _ := r.open("/own", r.enter("ada"))
		r.tells(own, "notices")
		if p := &r.tracker; p.lastSeq < 1 || p.online != nil {
			r.Errorf("with one it is read up to %d; %d people are told apart", p.lastSeq, len(p.online))
		}
	})
}

func TestTheHubBeginsAgainOnAnotherTimeline(t *testing.T) {
	h := newHub(storetest.New(t))
	key, _, err := h.store.CreateKey(t.Context(), h.now(), store.ActorCLI, "panel", "", store.Scopes{store.ScopeRead})
	if err != nil {
		t.Fatal(err)
	}
	w := h.readers.add(Follower{Key: &key})
	look := func() string {
		t.Helper()
		if err := h.poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		return h.Cursor()
	}
	first := look()
	<-w.check // whoever follows when it begins is looked at once more
	if again := look(); again != first {
		t.Errorf("the feed went on from %s at %s", first, again)
	}
	h.tracker.timeline++ // as if what was read were of another one than the store's
	if other := look(); strings.Split(other, ".")[0] == strings.Split(first, ".")[0] {
		t.Errorf("the feed goes on from %s at %s", first, other)
	}
	select {
	case <-w.check:
	default:
		t.Error("nobody looked whether the reader may still follow")
	}
}
