package live

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"rollcall/server/api"
)

const (
	beginWait = 10 * time.Second       // for the hub to know who is online
	slowAfter = 100 * time.Millisecond // of what is not read yet
)

// reader is a socket on which the list is followed.
type reader struct {
	*socket
	watcher *watcher
	who     Follower
	since   *string // cursor of the list that the reader has; nil for none
	at      place
}

// ServeList lets somebody follow the list by WebSocket, until there is a reason to stop.
// Without a token in the request's head the first message has to bring one. After an error
// nothing has been answered.
func (h *Hub) ServeList(w http.ResponseWriter, r *http.Request, token string, follow Follow) error {
	return h.accept(w, r, token, follow, func(ctx context.Context, k *socket) error {
		reader := &reader{socket: k}
		if q := r.URL.Query(); q.Has("since") {
			reader.since = new(q.Get("since"))
		}
		return reader.serve(ctx, h.readers, reader.recheck, reader.tell)
	})
}

// recheck looks whether the reader may still follow.
func (k *reader) recheck(ctx context.Context) error {
	who, err := k.mayStay(ctx)
	k.who = who
	return err
}

// welcome finds the reader's place, once there is one.
func (k *reader) welcome(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beginWait)
	defer cancel()
	cursor := ""
	if k.since != nil {
		cursor = *k.since
	}
	for {
		at, known, begun := k.hub.feed.enter(cursor)
		if begun == nil {
			k.at = at
			return k.hello(ctx, known)
		}
		select {
		case <-begun:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// hello is the first message. A reader with a list from elsewhere is told to
// read it again.
func (k *reader) hello(ctx context.Context, known bool) error {
	if err := k.say(ctx, "hello"); err != nil || known || k.since == nil {
		return err
	}
	return k.say(ctx, "reset")
}

func (k *reader) say(ctx context.Context, kind string) error {
	if kind == "reset" {
		k.hub.feed.resets.Add(1)
	}
	text, _ := json.Marshal(api.Event{Type: kind, Cursor: k.at.String(), Timestamp: api.At(k.hub.now())})
	return k.send(ctx, text)
}

// tell sends whatever happens, in order.
func (k *reader) tell(ctx context.Context, w *watcher) error {
	k.watcher = w
	if err := k.welcome(ctx); err != nil {
		return err
	}
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		more, err := k.catchUp(ctx)
		if err != nil {
			return err
		}
		select {
		case <-more:
		case <-w.check:
			err = k.recheck(ctx)
		case <-ping.C:
			if err = k.watched(ctx, func() error { return k.ping(ctx) }); err == nil && k.who.Person != nil && !k.who.Person.Session.ExpiresAt.After(k.hub.now()) {
				err = k.recheck(ctx) // activity may have moved the end, which no log tells
			}
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// catchUp sends what the reader has not seen and returns what to wait for. One that reads slowly
// may lose the right to meanwhile.
func (k *reader) catchUp(ctx context.Context) (more <-chan struct{}, err error) {
	epoch := k.at.epoch
	events, more, ok := k.hub.feed.after(&k.at)
	switch {
	case !ok && k.at.epoch == epoch:
		return nil, errTooSlow
	case !ok:
		return more, k.say(ctx, "reset")
	}
	for _, event := range events {
		select {
		case <-k.watcher.check:
			err = k.recheck(ctx)
		default:
		}
		if err == nil {
			err = k.send(ctx, event)
		}
		if err != nil {
			return nil, err
		}
	}
	return more, nil
}

// watched does what a reader may take their time for. Meanwhile they may lose the right to follow: then the connection
// is closed under it.
func (k *reader) watched(ctx context.Context, do func() error) error {
	done, stopped := make(chan struct{}), make(chan struct{})
	var refused error
	late := time.AfterFunc(slowAfter, func() {
		defer close(stopped)
		for refused == nil {
			select {
			case <-done:
				return
			case <-k.watcher.check:
				refused = k.recheck(ctx)
			}
		}
		_ = k.conn.CloseNow() // a word would wait behind what is not read
	})
	err := do()
	close(done)
	if !late.Stop() {
		<-stopped
	}
	return cmp.Or(refused, err)
}

func (k *reader) send(ctx context.Context, text []byte) error {
	return k.watched(ctx, func() error { return k.socket.send(ctx, text) })
}
