package server

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/doctor"
	"rollcall/server/heartbeat"
	"rollcall/server/origin"
	"rollcall/server/web"
	"rollcall/store"
)

// What is refused before the store may be of somebody who works, and who is on no record for that. So the gate
// counts, as unidentified:
//   - a heartbeat that was refused, unless it says that nobody works there, or is of a page without a token, which
//     may as well be one without anybody, or of a page of another site that tries the panel's cookie;
//   - what a browser asks before the heartbeat of a page that is not allowed: the heartbeat itself never comes;
//   - the report of a login that was refused, whoever sent it, and what an application's key brings to a wrong address.
//
// A stranger who sends such things is one per network and reason, for as long as they go on: no more than who makes
// up tokens. See [store.Unidentified] for how many are kept, and for how long.

// doubting answers with h what came to the wrong host name, path or method, and before that has the gate know of
// whom it may be.
func (s *Server) doubting(problem *web.Problem, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, heartbeatPath) && r.Method == http.MethodPost:
			body, err := heartbeat.Read(r)
			s.noteBeat(r, body, err, problem.Code)
		case strings.HasSuffix(r.URL.Path, heartbeatPath) && isPreflight(r):
			if problem != web.MethodNotAllowed { // as are all where no origin is allowed
				s.noteHeartbeat(r, store.RefusedBeat{Code: problem.Code})
			}
		case r.Method == http.MethodPost && !store.IsKey(auth.Bearer(r)):
			s.noteStrayBeat(r, problem.Code)
			s.noteStrayReport(r, problem.Code)
		case r.Method == http.MethodPost || r.Method == http.MethodPut:
			s.noteStrayReport(r, problem.Code)
		}
		h.ServeHTTP(w, r)
	})
}

// noteStrayBeat notes what reads as a heartbeat of a session, and came to a wrong address: a proxy of the application's own
// may have passed it on by another path.
func (s *Server) noteStrayBeat(r *http.Request, code string) {
	if body, err := heartbeat.Read(r); err == nil && body.SessionToken != "" {
		s.noteBeat(r, body, nil, code)
	}
}

// isPreflight tells whether a browser asks whether a page may POST.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") == http.MethodPost
}

// noteForeignPage has the gate know of a page that is not allowed, and so may send no heartbeat.
func (s *Server) noteForeignPage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPreflight(r) && r.URL.Path == heartbeatPath && !s.pages.Known(r) && !s.pages.Own(r) {
			s.noteHeartbeat(r, store.RefusedBeat{Code: "origin_not_allowed"})
		}
		next.ServeHTTP(w, r)
	})
}

// noteRefusedBeat notes that a heartbeat was refused with err, of whom its body may tell.
func (s *Server) noteRefusedBeat(r *http.Request, body api.Heartbeat, err error) {
	s.noteBeat(r, body, err, web.Explain(err).Code)
}

// noteBeat notes a heartbeat that was refused with code; failed is why its body says nothing, if it does not.
func (s *Server) noteBeat(r *http.Request, body api.Heartbeat, failed error, code string) {
	token := body.SessionToken
	if token == "" {
		token = auth.Bearer(r)
	}
	read := failed == nil || errors.Is(failed, errNoToken) || errors.Is(failed, heartbeat.ErrBare)
	nobody := token == "" && r.Header.Get("Cookie") == ""
	if read && nobody {
		s.doctor.NoteNoToken(r)
		return
	}
	idle := s.store.Rules().Idle(time.Duration(body.IdleMS) * time.Millisecond)
	switch {
	case body.Leaving:
		s.observe(s.store.NoteUnknownLeaving(r.Context(), s.now(), token, body.Client))
	case !idle && !errors.Is(failed, auth.CrossOrigin):
		s.noteHeartbeat(r, store.RefusedBeat{Token: token, Client: body.Client, Code: code})
	}
}

func (s *Server) noteHeartbeat(r *http.Request, b store.RefusedBeat) {
	b.Network, b.Origin = s.cfg.Origin.Networks(r)[0], origin.OfPage(r)
	s.doctor.NoteRefused(doctor.Refusal{Code: b.Code, Origin: b.Origin})
	s.observe(s.store.NoteRefusedHeartbeat(r.Context(), s.now(), b))
}

// noteRefusedReport notes, where the report of a login was refused with err, that somebody may be logged
// in who is on no record. Of a session that somebody ended it is known who works in it.
func (s *Server) noteRefusedReport(r *http.Request, user string, err error) {
	problem := web.Explain(err)
	if _, known := errors.AsType[*store.EndedError](err); known || problem.Status >= http.StatusInternalServerError {
		return
	}
	s.noteReport(r, auth.CallerOf(r).Key, user, problem.Code)
}

// noteStranger notes likewise that a report came by a key that may not report, by one that nobody knows or by none,
// which is rather a wrong setting than a stranger's.
func (s *Server) noteStranger(r *http.Request, err error) {
	if problem := web.Explain(err); problem.Status < http.StatusInternalServerError && !errors.Is(err, auth.CrossOrigin) {
		s.noteReport(r, auth.CallerOf(r).Key, "", problem.Code)
	}
}

// noteStrayReport notes what may be the report of a login, and came to a wrong address.
func (s *Server) noteStrayReport(r *http.Request, code string) {
	var key *store.Key
	if secret := auth.Bearer(r); store.IsKey(secret) {
		if found, err := s.store.KeyBySecret(r.Context(), secret); err == nil && slices.Contains(found.Scopes, store.ScopeSessions) {
			key = &found
		}
	}
	if key != nil || strings.HasSuffix(r.URL.Path, "/admin/sessions") {
		s.noteReport(r, key, "", code)
	}
}

// noteReport notes a report of a key, nil where that is not known, about a user, "" where that is not.
func (s *Server) noteReport(r *http.Request, key *store.Key, user, code string) {
	app, subject := "", s.cfg.Origin.Networks(r)[0]
	if key != nil {
		app, subject = key.App, user
	}
	s.doctor.NoteRefused(doctor.Refusal{Report: true, Code: code, App: app})
	s.observe(s.store.NoteRefusedReport(r.Context(), s.now(), app, subject, code))
}

// observe logs an error of a note that nobody waits for.
func (s *Server) observe(err error) {
	if err != nil && !s.troubles.Observe(err) {
		s.log.Error().Err(err).Msg("noting somebody who is on no record")
	}
}
