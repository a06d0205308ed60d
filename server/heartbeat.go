package server

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/authproxy"
	"rollcall/server/heartbeat"
	"rollcall/server/jwt"
	"rollcall/server/origin"
	"rollcall/server/web"
	"rollcall/store"
)

var errNoToken = &web.Problem{Status: http.StatusBadRequest, Code: "session_token_required", Words: "Session token is required"}

// maxSeen is how many notices one heartbeat may name.
const maxSeen = 20

// heartbeat records that the browser of a session is there, or is leaving.
func (s *Server) heartbeat(r *http.Request) (any, error) {
	body, err := heartbeat.Read(r)
	token, begin, refused := s.sessionOf(r, body)
	if err = cmp.Or(err, refused); err != nil {
		s.noteRefusedBeat(r, body, err)
		return nil, err
	}
	s.doctor.Heard(r)
	now := s.now()
	idle := time.Duration(body.IdleMS) * time.Millisecond
	beat := store.Beat{Idle: idle, Page: body.Page, Client: body.Client, Leaving: body.Leaving, Seen: seen(body.Seen)}
	up, err := s.live.Announced(r.Context(), now)
	if err != nil {
		return nil, err
	}
	beat.WantMember = !up.Empty()
	beaten, err := s.touch(r, now, token, beat)
	if err != nil && !body.Leaving {
		began, failed := begin(r, now, token, beat, err)
		if failed != nil {
			s.noteRefusedBeat(r, body, failed)
			return nil, failed
		}
		if began {
			beaten, err = s.store.Touch(r.Context(), now, token, beat)
		}
	}
	s.clock.Heartbeat(now, err)
	if err != nil {
		return nil, s.refusedBeat(r, now, token, beat, err)
	}
	return api.HeartbeatAnswer{Session: api.OwnSession(beaten.Session), Idle: s.store.Rules().Idle(idle),
		NextHeartbeatMS: s.cfg.Heartbeat.Milliseconds(), Notices: up.ShownTo(beaten.Member, now)}, nil
}

// touch records a heartbeat. Of a network that sends many tokens that nobody has each is looked up first, so that
// these cost those who write nothing.
func (s *Server) touch(r *http.Request, now time.Time, token string, beat store.Beat) (store.HeartbeatResult, error) {
	if s.auth.SentTooManyUnknown(r) {
		if known, err := s.store.KnowsToken(r.Context(), token); err != nil {
			return store.HeartbeatResult{}, err
		} else if !known {
			return store.HeartbeatResult{}, store.ErrSessionEnded
		}
	}
	return s.store.Touch(r.Context(), now, token, beat)
}

// refusedBeat returns what to answer to a heartbeat that was refused with err, with when to beat again: where
// somebody works on after the end of their session, the heartbeats keep the light from turning clear.
func (s *Server) refusedBeat(r *http.Request, now time.Time, token string, beat store.Beat, err error) error {
	if !errors.Is(err, store.ErrSessionEnded) {
		return err
	}
	if _, known := errors.AsType[*store.EndedError](err); !known {
		s.noteUnknownToken(r, now, token, beat)
		if limited := s.auth.NoteUnknown(r); limited != nil {
			return limited
		}
	}
	p := web.Explain(err)
	p.NextHeartbeat = s.cfg.Heartbeat
	return p
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

// A beginning is what may begin, or go on with, the session of a heartbeat whose token no session has, as err tells. It
// tells whether it did, and returns the error of what may be right and could not be read.
type beginning func(r *http.Request, now time.Time, token string, beat store.Beat, err error) (bool, error)

// ofPanel is the query of heartbeats that pages of the panel send.
const ofPanel = "panel=true"

// sessionOf finds the token of a heartbeat's session: in the body, as bearer, that of whom the proxy in front has let in
// or, in pages of the panel, in its cookie. What the panel is open for is not to be taken for a page of an application,
// nor the other way round.
func (s *Server) sessionOf(r *http.Request, body api.Heartbeat) (token string, begin beginning, err error) {
	if token = cmp.Or(body.SessionToken, auth.Bearer(r)); token != "" {
		return token, s.beginSigned, nil
	}
	if r.URL.RawQuery != ofPanel {
		switch person, ok, err := s.auth.FromProxy(r); {
		case err != nil:
			return "", nil, err
		case ok:
			return s.auth.ProxiedToken(person, body.Client), s.beginProxied(person), nil
		}
	}
	if token, err = s.auth.CookieToken(r); token == "" && err == nil {
		err = errNoToken
	}
	return token, s.beginSigned, err
}

// beginSigned is the [beginning] of a token that is signed by an application's issuer: it says who that is.
func (s *Server) beginSigned(r *http.Request, now time.Time, token string, beat store.Beat, err error) (bool, error) {
	if s.cfg.Signed == nil || !errors.Is(err, store.ErrSessionEnded) || !jwt.LooksSigned(token) {
		return false, nil
	}
	if ended, known := errors.AsType[*store.EndedError](err); known && ended.Reason.BySomebody() {
		return false, nil
	}
	said, err := s.cfg.Signed.Read(r.Context(), now, token, beat.Client)
	switch {
	case errors.Is(err, jwt.ErrRefused):
		s.log.Debug().Err(err).Msg("a heartbeat with a signed token was refused")
		return false, nil
	case err != nil:
		if !s.troubles.Observe(err) {
			s.log.Error().Err(err).Msg("the keys of signed tokens can not be read")
		}
		return false, &web.Problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Words: "The keys of the application's tokens can not be read right now; try again"}
	}
	directory, err := s.store.EnsureApp(r.Context(), said.App)
	if err != nil {
		return false, err
	}
	u := said.User
	_, err = s.store.Login(r.Context(), now, store.By{App: said.App, Directory: directory, Actor: store.ActorSystem}, store.Login{
		User:  store.UserInput{ID: u.ID, Name: u.Name, Email: u.Email, Role: u.Role, Team: u.Team, Organization: u.Organization},
		Token: token, SessionKey: said.SessionKey, Origin: s.cfg.Origin.OfRequest(r),
	})
	return err == nil, err
}

// reopenAfter is how long a session stays ended that somebody ended, where nothing tells whether its person has signed in anew.
const reopenAfter = 15 * time.Minute

// beginProxied is the [beginning] of whom the proxy in front has let in.
func (s *Server) beginProxied(person authproxy.Person) beginning {
	return func(r *http.Request, now time.Time, token string, beat store.Beat, err error) (bool, error) {
		if !errors.Is(err, store.ErrSessionEnded) {
			return false, nil
		}
		directory, err := s.store.EnsureApp(r.Context(), person.App)
		if err == nil {
			_, err = s.store.Login(r.Context(), now, store.By{App: person.App, Directory: directory, Actor: store.ActorSystem}, store.Login{
				User:  store.UserInput{ID: person.ID, Name: person.Name, Email: person.Email, Role: person.Role, Team: person.Team, Organization: person.Organization},
				Token: token, SessionKey: token, ReopenAfter: reopenAfter, Origin: s.cfg.Origin.OfRequest(r),
			})
		}
		if errors.Is(err, store.ErrSessionEnded) { // as the heartbeat is told
			return false, nil
		}
		return err == nil, err
	}
}

// noteUnknownToken notes that somebody may work in a page whose token nobody reported.
func (s *Server) noteUnknownToken(r *http.Request, now time.Time, token string, beat store.Beat) {
	s.doctor.NoteUnknownToken(r)
	switch {
	case beat.Leaving:
		s.observe(s.store.NoteUnknownLeaving(r.Context(), now, token, beat.Client))
	case !s.store.Rules().Idle(beat.Idle):
		s.observe(s.store.NoteUnknownToken(r.Context(), now, token, beat.Client, origin.OfPage(r)))
	}
}
