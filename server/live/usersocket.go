package live

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"rollcall/server/api"
	"rollcall/server/web"
	"rollcall/store"
)

// userSocket is the socket of somebody's own browser: it tells what concerns their
// session, and nothing of anybody else.
type userSocket struct {
	*socket
	who  store.Identity
	told []api.ShownNotice // nil: nothing yet
}

// ServeOwn tells somebody's own browser what concerns their session by WebSocket, until
// there is a reason to stop. Token and error are as in [Hub.ServeList].
func (h *Hub) ServeOwn(w http.ResponseWriter, r *http.Request, token string, follow Follow) error {
	return h.accept(w, r, token, follow, func(ctx context.Context, k *socket) error {
		v := &userSocket{socket: k}
		err := v.serve(ctx, h.userSockets, v.recheck, v.tell)
		if web.Explain(err).Status == http.StatusUnauthorized && k.token != "" {
			v.sendEnded(ctx)
		}
		return err
	})
}

// recheck looks whether the session is still there, and for whom announcements are.
func (v *userSocket) recheck(ctx context.Context) error {
	c, err := v.mayStay(ctx)
	if err == nil {
		v.who = *c.Person
	}
	return err
}

// tell sends what there is to know, whenever that changes.
func (v *userSocket) tell(ctx context.Context, w *watcher) error {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		changed, err := v.tellNotices(ctx)
		if err != nil {
			return err
		}
		select {
		case <-changed:
		case <-w.check:
			err = v.recheck(ctx)
		case <-ping.C:
			if err = v.ping(ctx); err == nil && !v.who.Session.ExpiresAt.After(v.hub.now()) {
				err = v.recheck(ctx) // heartbeats may have moved the end, which no log tells
			}
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// tellNotices sends the notices unless they are as they were, and returns what to
// wait for.
func (v *userSocket) tellNotices(ctx context.Context) (changed <-chan struct{}, err error) {
	now := v.hub.now()
	up, changed, err := v.hub.announcements.read(ctx, now)
	if err != nil {
		return nil, err
	}
	list := up.ShownTo(v.who.Member, now)
	if v.told != nil && slices.EqualFunc(v.told, list, sameShown) {
		return changed, nil
	}
	v.told = list
	return changed, v.say(ctx, api.OwnEvent{Type: "notices", Notices: list})
}

// sameShown compares what differs between two that look alike: another role changes
// the end of a drain.
func sameShown(a, b api.ShownNotice) bool {
	return a.ID == b.ID && (a.Until == nil) == (b.Until == nil)
}

// sendEnded says why the session is over, as a heartbeat would.
func (v *userSocket) sendEnded(ctx context.Context) {
	reason := "unknown"
	var ended *store.EndedError
	if err := v.hub.store.WhyEnded(ctx, v.hub.now(), v.token); errors.As(err, &ended) {
		reason = string(ended.Reason)
	}
	_ = v.say(ctx, api.OwnEvent{Type: "session_ended", Reason: reason}) // whoever is gone does not hear it
}

func (v *userSocket) say(ctx context.Context, m api.OwnEvent) error {
	m.Timestamp = api.At(v.hub.now())
	text, _ := json.Marshal(m) // of texts only: can not fail
	return v.send(ctx, text)
}
