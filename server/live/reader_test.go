package live

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"rollcall/store"
)

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
