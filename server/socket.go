package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"rollcall/server/auth"
	"rollcall/server/web"

	"rollcall/server/api"
)

// socket is one reader's end of the live feed.
type socket struct {
	*Server
	conn  *websocket.Conn
	as    auth.Audience // that the reader has to belong to
	token string        // "" until the first message has brought it
	since *string       // cursor of the list that the reader has; nil for none
	at    place
}

var (
	errTooSlow = errors.New("reads too slowly")
	errTalks   = &web.Problem{Status: http.StatusBadRequest, Code: "unexpected_message", Words: "Only the server speaks here"}
)

// closing returns how a socket is closed that ended with err.
func closing(ctx context.Context, err error) (websocket.StatusCode, string) {
	var p *web.Problem
	switch {
	case ctx.Err() != nil:
		return websocket.StatusServiceRestart, "the server stops"
	case errors.Is(err, errTooSlow):
		return websocket.StatusTryAgainLater, "too slow"
	case errors.Is(err, context.DeadlineExceeded):
		return websocket.StatusTryAgainLater, "unavailable"
	case web.Explain(err).Status == http.StatusServiceUnavailable:
		return websocket.StatusTryAgainLater, web.Explain(err).Code
	case errors.As(err, &p):
		return websocket.StatusPolicyViolation, p.Code
	}
	return websocket.StatusInternalError, ""
}

// serve tells the reader what happens until there is a reason to stop.
func (k *socket) serve(ctx context.Context) (err error) {
	who, err := k.identified(ctx)
	if err != nil {
		return err
	}
	w, err := k.live.watchers.add(who)
	if err != nil {
		return err
	}
	defer k.live.watchers.remove(w)
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	go func() { leave(k.listen()) }()
	if _, err := k.mayStay(ctx); err != nil { // once more: from here on the hub tells when to
		return err
	}
	if err := k.welcome(ctx); err != nil {
		return err
	}
	return k.tell(ctx, w)
}

// identified returns who the reader is, which the first message may have to say.
func (k *socket) identified(ctx context.Context) (who auth.Caller, err error) {
	if k.token == "" {
		if k.token, err = k.firstMessage(ctx); err != nil {
			return who, err
		}
	}
	return k.auth.Follow(ctx, k.token, k.as)
}

// mayStay returns who the reader is now, if they may still follow. While the database
// is away nobody knows, and the reader is told nothing: one who is sent away would only
// come back at once, with all others.
func (k *socket) mayStay(ctx context.Context) (auth.Caller, error) {
	for {
		who, err := k.auth.Follow(ctx, k.token, k.as)
		if !k.outage.Observe(err) {
			return who, err
		}
		if err := k.outage.Wait(ctx); err != nil {
			return who, err
		}
	}
}

// firstMessage waits for the token of a page, which can not send a header.
func (k *socket) firstMessage(ctx context.Context) (string, error) {
	select {
	case k.live.pendingAuth <- struct{}{}:
		defer func() { <-k.live.pendingAuth }()
	default:
		return "", errTooManyWatch
	}
	// Not by the context: a read that is given up closes the socket without a word.
	late := time.AfterFunc(tokenWait, func() { _ = k.conn.Close(websocket.StatusPolicyViolation, auth.Unauthenticated.Code) })
	defer late.Stop()
	k.conn.SetReadLimit(maxFirst)
	_, text, err := k.conn.Read(ctx)
	if err != nil {
		return "", errors.Join(auth.Unauthenticated, err)
	}
	return firstToken(text)
}

func firstToken(text []byte) (string, error) {
	var first api.Opening
	if json.Unmarshal(text, &first) != nil || first.Token == "" {
		return "", auth.Unauthenticated
	}
	return first.Token, nil
}

// listen waits until the reader goes, or says anything: from now on only the
// server speaks. It has the last word as well, so no context ends this.
func (k *socket) listen() error {
	_, _, err := k.conn.Reader(context.Background())
	if err == nil {
		err = errTalks
	}
	return err
}

// welcome finds the reader's place, once there is one.
func (k *socket) welcome(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beginWait)
	defer cancel()
	cursor := ""
	if k.since != nil {
		cursor = *k.since
	}
	for {
		at, known, begun := k.live.feed.enter(cursor)
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
func (k *socket) hello(ctx context.Context, known bool) error {
	if err := k.say(ctx, "hello"); err != nil || known || k.since == nil {
		return err
	}
	return k.say(ctx, "reset")
}

func (k *socket) say(ctx context.Context, kind string) error {
	if kind == "reset" {
		k.live.resets.Add(1)
	}
	text, _ := json.Marshal(api.Event{Type: kind, Cursor: k.at.String(), Timestamp: api.At(k.now())})
	return k.send(ctx, text)
}

func (k *socket) send(ctx context.Context, text []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeWait)
	defer cancel()
	return k.conn.Write(ctx, websocket.MessageText, text)
}

// tell sends whatever happens, in order.
func (k *socket) tell(ctx context.Context, w *watcher) error {
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
			_, err = k.mayStay(ctx)
		case <-ping.C:
			err = k.ping(ctx)
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// catchUp sends what the reader has not seen and returns what to wait for.
func (k *socket) catchUp(ctx context.Context) (more <-chan struct{}, err error) {
	epoch := k.at.epoch
	events, more, ok := k.live.feed.after(&k.at)
	switch {
	case !ok && k.at.epoch == epoch:
		return nil, errTooSlow
	case !ok:
		return more, k.say(ctx, "reset")
	}
	for _, event := range events {
		if err := k.send(ctx, event); err != nil {
			return nil, err
		}
	}
	return more, nil
}

func (k *socket) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pongWait)
	defer cancel()
	return k.conn.Ping(ctx)
}
