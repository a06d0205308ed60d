package server

import (
	"net/http"
	"time"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
)

var errNoToken = &web.Problem{Status: http.StatusBadRequest, Code: "session_token_required", Words: "Session token is required"}

// maxSeen is how many notices one heartbeat may name.
const maxSeen = 20

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
	beaten, err := s.store.Touch(r.Context(), now, token, store.Beat{Idle: idle, Page: body.Page, Leaving: body.Leaving,
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
