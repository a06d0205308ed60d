package server

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/rs/zerolog"

	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
)

// Bounds of the live feed.
const (
	tokenWait      = 5 * time.Second  // for the first message, where the token stands
	writeWait      = 10 * time.Second // for a reader that takes nothing
	beginWait      = 10 * time.Second // for the hub to know who is online
	pingEvery      = 30 * time.Second
	pongWait       = 10 * time.Second
	goodbyeWait    = 2 * time.Second // for all sockets, when the server stops
	maxFirst       = 4 << 10         // bytes of the first message
	maxWatchers    = 20_000
	maxPendingAuth = 1000 // sockets that have not said yet who they are
)

var (
	errUpgrade      = &web.Problem{Status: http.StatusUpgradeRequired, Code: "upgrade_required", Words: "This address speaks WebSocket only"}
	errTooManyWatch = &web.Problem{Status: http.StatusServiceUnavailable, Code: "too_many_watchers", Words: "Too many are watching already; read the list instead"}
)

// live is the feed with its readers.
type live struct {
	*feed
	*watchers
	hub           *hub
	userSockets   *watchers // the sockets of end users
	announcements *announcements
	pendingAuth   chan struct{} // holds a place for each socket without a credential

	open   sync.WaitGroup
	ending context.Context // of all sockets
	end    context.CancelFunc
}

func newLive(st *store.Store, now func() time.Time, log zerolog.Logger, o *web.Outage) *live {
	l := &live{feed: newFeed(), watchers: newWatchers(), userSockets: newWatchers(), announcements: newBoard(st), pendingAuth: make(chan struct{}, maxPendingAuth)}
	l.hub = newHub(st, now, log, o, l.feed, l.watchers, l.userSockets, l.announcements)
	l.ending, l.end = context.WithCancel(context.Background())
	return l
}

// stop tells all readers that the server stops, and waits for those that listen.
func (l *live) stop() {
	l.end()
	closed := make(chan struct{})
	go func() { l.open.Wait(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(goodbyeWait):
	}
}

// follow opens the live feed.
func (s *Server) follow(w http.ResponseWriter, r *http.Request) {
	s.open(w, r, auth.Viewers, func(ctx context.Context, k *socket) error {
		if q := r.URL.Query(); q.Has("since") {
			k.since = new(q.Get("since"))
		}
		return k.serve(ctx)
	})
}

// open accepts a WebSocket and has serve speak until there is a reason to stop. A
// browser sends cookies from any page, so a cookie counts only from a page of ours;
// other pages, and programs, bring a token.
func (s *Server) open(w http.ResponseWriter, r *http.Request, who auth.Audience, serve func(context.Context, *socket) error) {
	token, err := s.auth.SocketToken(r, who)
	if err == nil && !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		w.Header().Set("Upgrade", "websocket")
		err = errUpgrade
	}
	if err != nil {
		s.respond.Fail(w, r, err)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // SocketToken has looked at the origin
	if err != nil {
		return // and that is answered
	}
	s.live.open.Add(1)
	defer s.live.open.Done()
	defer conn.CloseNow()
	ctx, cancel := context.WithCancel(s.live.ending)
	defer cancel()
	status, reason := closing(ctx, serve(ctx, &socket{Server: s, conn: conn, as: who, token: token}))
	_ = conn.Close(status, reason) // whoever is gone does not hear it
}
