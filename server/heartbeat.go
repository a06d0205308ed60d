package server

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
)

// maxHeartbeat bounds the body of a heartbeat, in bytes.
const maxHeartbeat = 4 << 10

var errNoToken = &web.Problem{Status: http.StatusBadRequest, Code: "session_token_required", Words: "Session token is required"}

// maxSeen is how many notices one heartbeat may name.
const maxSeen = 20

// maxIdle bounds what a browser may claim, far beyond every rule.
const maxIdle = 366 * 24 * time.Hour

// heartbeat records that the browser of a session is there, or is leaving.
func (s *Server) heartbeat(r *http.Request) (any, error) {
	body, err := heartbeatOf(r)
	if err != nil {
		return nil, err
	}
	token, err := s.heartbeatToken(r, body)
	if err != nil {
		return nil, err
	}
	now := s.now()
	up, err := s.live.Announced(r.Context(), now)
	if err != nil {
		return nil, err
	}
	idle := time.Duration(body.IdleMS) * time.Millisecond
	beaten, err := s.store.Touch(r.Context(), now, token, store.Beat{Idle: idle, Page: pathOnly(body.Page), Leaving: body.Leaving,
		Seen: seen(body.Seen), WantMember: !up.Empty()})
	s.clock.Heartbeat(now, err)
	if err != nil {
		s.doctor.NoteUnknownToken(r, err)
		return nil, err
	}
	return api.HeartbeatAnswer{Session: api.OwnSession(beaten.Session), Idle: s.store.Rules().Idle(idle),
		NextHeartbeatMS: s.cfg.Heartbeat.Milliseconds(), Notices: up.ShownTo(beaten.Member, now)}, nil
}

// seen are the notices that a heartbeat names. What can be none is passed over: a
// heartbeat must not fail for it.
func seen(named []string) (ids []int64) {
	for _, text := range named[:min(len(named), maxSeen)] {
		if id, ok := web.ParseID(text); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// heartbeatOf reads the body. A beacon of a closing page can send text/plain
// only, and then has to bring its token with it: a browser sends such a request
// from any page without asking.
func heartbeatOf(r *http.Request) (body api.Heartbeat, err error) {
	text, err := web.ReadBody(r, maxHeartbeat)
	if err != nil || len(text) == 0 {
		return body, err
	}
	kind := web.ContentType(r)
	if kind != "application/json" && kind != "text/plain" {
		return body, web.Unsupported(kind)
	}
	if json.Unmarshal(text, &body) != nil { // fields of later versions are ignored
		return body, web.Invalid("The body is not the JSON that is expected here")
	}
	if kind == "text/plain" && body.SessionToken == "" {
		return body, web.Unsupported(kind)
	}
	if body.IdleMS < 0 || body.IdleMS > maxIdle.Milliseconds() {
		return body, web.Invalid("idle_ms must be the age of the last input in milliseconds")
	}
	return body, nil
}

// heartbeatToken finds the session's token: in the body, as bearer or in the
// panel's cookie.
func (s *Server) heartbeatToken(r *http.Request, body api.Heartbeat) (string, error) {
	if body.SessionToken != "" {
		return body.SessionToken, nil
	}
	if token := auth.Bearer(r); token != "" {
		return token, nil
	}
	token, err := s.auth.CookieToken(r)
	if token == "" && err == nil {
		err = errNoToken
	}
	return token, err
}

// schemeAndHost is what stands before the path where a page gives its whole address.
var schemeAndHost = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*:)?//[^/]*`)

// pathOnly cuts off query, fragment and a password before the host, where
// secrets stand, whatever the browser sent.
func pathOnly(page *string) *string {
	if page == nil {
		return nil
	}
	path := *page
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	path = schemeAndHost.ReplaceAllString(path, "")
	return &path
}
