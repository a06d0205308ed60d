package server

import (
	"sync"

	"rollcall/server/auth"
)

// watcher is an open socket, as the hub knows it.
type watcher struct {
	who   auth.Caller
	check chan struct{} // of capacity 1: the credential may have ended
}

// watchers are all open sockets.
type watchers struct {
	came chan struct{} // of capacity 1: there is a new one

	mu  sync.Mutex
	all map[*watcher]struct{}
}

func newWatchers() *watchers {
	return &watchers{came: make(chan struct{}, 1), all: map[*watcher]struct{}{}}
}

// add takes a watcher in, unless there are too many.
func (ws *watchers) add(who auth.Caller) (*watcher, error) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if len(ws.all) >= maxWatchers {
		return nil, errTooManyWatch
	}
	w := &watcher{who: who, check: make(chan struct{}, 1)}
	ws.all[w] = struct{}{}
	signal(ws.came)
	return w, nil
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
func (ws *watchers) recheck(doubtful func(who auth.Caller) bool) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all {
		if doubtful(w.who) {
			signal(w.check)
		}
	}
}

// recheckChanged is about those whose credential these changes may have ended.
func (ws *watchers) recheckChanged(users map[string]bool, keys map[int64]bool) {
	ws.recheck(func(who auth.Caller) bool {
		if who.Key != nil {
			return keys[who.Key.ID]
		}
		return users[who.Person.User.ID]
	})
}

// recheckAll is about everybody.
func (ws *watchers) recheckAll() { ws.recheck(func(auth.Caller) bool { return true }) }
