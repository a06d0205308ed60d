package live

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"rollcall/server/api"
	"rollcall/server/web"
	"rollcall/store/sqldb"
)

// Bounds of a socket.
const (
	tokenWait = 5 * time.Second  // for the first message, where the token stands
	writeWait = 10 * time.Second // for a reader that takes nothing
	pingEvery = 30 * time.Second
	pongWait  = 10 * time.Second
	closeWait = 500 * time.Millisecond // for the answer to the last word
	maxFirst  = 4 << 10                // bytes of the first message
)

var (
	errUpgrade = &web.Problem{Status: http.StatusUpgradeRequired, Code: "upgrade_required", Words: "This address speaks WebSocket only"}
	errNoToken = &web.Problem{Status: http.StatusUnauthorized, Code: "unauthenticated", Words: "The first message must bring a token"}
	errTalks   = &web.Problem{Status: http.StatusBadRequest, Code: "unexpected_message", Words: "Only the server speaks here"}
	errTooSlow = errors.New("reads too slowly")
)

// socket is the server's end of a WebSocket.
type socket struct {
	hub      *Hub
	conn     *websocket.Conn
	follow   Follow
	token    string   // "" until the first message has brought it
	networks []string // that it comes from, the smallest first
}

// accept opens a WebSocket and has serve speak until there is a reason to stop. After an
// error nothing has been answered.
func (h *Hub) accept(w http.ResponseWriter, r *http.Request, token string, follow Follow, serve func(context.Context, *socket) error) error {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		w.Header().Set("Upgrade", "websocket")
		return errUpgrade
	}
	networks := h.networks(r)
	release, ok := h.places.take(h.limits.ofSocket(networks)...)
	if !ok {
		w.Header().Set("Connection", "close")
		return errTooManyWatchers
	}
	defer release()
	under := &hijacked{ResponseWriter: w}
	conn, err := websocket.Accept(under, r, &websocket.AcceptOptions{InsecureSkipVerify: true, OnPingReceived: answersPings()}) // whoever calls has looked at the origin
	if err != nil {
		return nil // and that is answered
	}
	h.sockets.Add(1)
	defer h.sockets.Done()
	defer conn.CloseNow()
	ctx, cancel := context.WithCancel(h.ending)
	defer cancel()
	status, reason := closing(ctx, serve(ctx, &socket{hub: h, conn: conn, follow: follow, token: token, networks: networks}))
	frozen := time.AfterFunc(closeWait, func() { _ = under.conn.Close() })
	defer frozen.Stop()
	_ = conn.Close(status, reason) // whoever is gone does not hear it
	return nil
}

// hijacked knows the connection under a WebSocket, which waits for a page's answer before it closes that.
type hijacked struct {
	http.ResponseWriter
	conn net.Conn
}

func (w *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.conn = conn
	return conn, buffered, err
}

// answersPings tells of each ping of a client whether it is answered: who sends many is not.
func answersPings() func(context.Context, []byte) bool {
	limit := newPingLimit()
	return func(context.Context, []byte) bool { return limit.Allow() }
}

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

// identified returns who the reader is, which the first message may have to say.
func (k *socket) identified(ctx context.Context) (who Follower, err error) {
	if k.token == "" {
		if k.token, err = k.firstMessage(ctx); err != nil {
			return who, err
		}
	}
	return k.follow(ctx, k.token)
}

// serve keeps the socket among those that the hub has checked, and has tell speak until there is a
// reason to stop. The first check is made once the hub knows the socket: from then on it tells when to.
func (k *socket) serve(ctx context.Context, among *watchers, check func(context.Context) error, tell func(context.Context, *watcher) error) error {
	who, err := k.identified(ctx)
	if err != nil {
		return err
	}
	release, ok := k.hub.places.take(k.hub.limits.of(who, among.kind))
	if !ok {
		return errTooManyWatchers
	}
	defer release()
	w := among.add(who)
	defer among.remove(w)
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	go func() { leave(k.listen()) }()
	if err := check(ctx); err != nil {
		return err
	}
	return tell(ctx, w)
}

// mayStay returns who the reader is now, if they may still follow. While the database
// is away nobody knows, and the reader is told nothing: one who is sent away would only
// come back at once, with all others.
func (k *socket) mayStay(ctx context.Context) (Follower, error) {
	for {
		who, err := k.follow(ctx, k.token)
		if !errors.Is(err, sqldb.ErrUnavailable) {
			return who, err
		}
		k.hub.troubles.Observe(err)
		if err := k.hub.troubles.Wait(ctx); err != nil {
			return who, err
		}
	}
}

// firstMessage waits for the token of a page, which can not send a header.
func (k *socket) firstMessage(ctx context.Context) (string, error) {
	release, ok := k.hub.places.take(k.hub.limits.ofPending(k.networks)...)
	if !ok {
		return "", errTooManyWatchers
	}
	defer release()
	// Not by the context: a read that is given up closes the socket without a word.
	late := time.AfterFunc(tokenWait, func() { _ = k.conn.Close(websocket.StatusPolicyViolation, errNoToken.Code) })
	defer late.Stop()
	k.conn.SetReadLimit(maxFirst)
	_, text, err := k.conn.Read(ctx)
	if err != nil {
		return "", errors.Join(errNoToken, err)
	}
	return firstToken(text)
}

func firstToken(text []byte) (string, error) {
	var first api.Opening
	if json.Unmarshal(text, &first) != nil || first.Token == "" {
		return "", errNoToken
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

func (k *socket) send(ctx context.Context, text []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeWait)
	defer cancel()
	return k.conn.Write(ctx, websocket.MessageText, text)
}

func (k *socket) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pongWait)
	defer cancel()
	return k.conn.Ping(ctx)
}
