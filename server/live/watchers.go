package live

import (
	"context"
	"net/http"
	"sync"
	"time"

	"rollcall/server/web"
	"rollcall/store"
)

var errTooManyWatchers = &web.Problem{Status: http.StatusServiceUnavailable, Code: "too_many_watchers", Words: "Too many are watching already; read the list instead", RetryAfter: 30 * time.Second}

// Follower is who is at a socket: a person with a session, or a key.
type Follower struct {
	Person *store.Identity
	Key    *store.Key
}

// Follow returns who has a credential now, if they may follow.
type Follow func(ctx context.Context, token string) (Follower, error)

// watcher is an open socket, as the hub knows it.
type watcher struct {
	who   Follower
	check chan struct{} // of capacity 1: the credential may have ended
}

// watchers are all open sockets.
type watchers struct {
	kind string          // "list" or "own"
	wake chan<- struct{} // of capacity 1: there is a new one

	mu  sync.Mutex
	all map[*watcher]struct{}
}

func newWatchers(kind string, wake chan<- struct{}) *watchers {
	return &watchers{kind: kind, wake: wake, all: map[*watcher]struct{}{}}
}

// add takes a watcher in.
func (ws *watchers) add(who Follower) *watcher {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := &watcher{who: who, check: make(chan struct{}, 1)}
	ws.all[w] = struct{}{}
	signal(ws.wake)
	return w
}

func (ws *watchers) remove(w *watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.all, w)
}

func (ws *watchers) count() int {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return len(ws.all)
}

// recheck has the watchers that doubtful names look again whether they may watch.
func (ws *watchers) recheck(doubtful func(who Follower) bool) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all {
		if doubtful(w.who) {
			signal(w.check)
		}
	}
}

// recheckChanged is about those whose credential these changes may have ended: everybody's
// where somebody was erased.
func (ws *watchers) recheckChanged(n changed) {
	ws.recheck(func(who Follower) bool {
		if who.Key != nil {
			return n.erasure || n.keys[who.Key.ID]
		}
		return n.erasure || n.users[who.Person.User.Key()] || n.keys[who.Person.Session.KeyID]
	})
}

// recheckAll is about everybody.
func (ws *watchers) recheckAll() { ws.recheck(func(Follower) bool { return true }) }
