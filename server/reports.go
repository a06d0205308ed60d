package server

import (
	"errors"
	"net/http"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
)

// reportLogin records that somebody is logged in to an application. That is a fact, whether or not
// they should be: what speaks against it is told beside the session.
func (s *Server) reportLogin(r *http.Request) (any, error) {
	var in api.LoginReport
	if err := web.Decode(r, &in); err != nil {
		s.noteRefusedReport(r, "", err)
		return nil, err
	}
	by := auth.CallerOf(r).By()
	result, err := s.store.Login(r.Context(), s.now(), by, store.Login{
		User: in.User.ForStore(), Token: in.SessionToken, PreviousToken: in.PreviousToken, SessionKey: in.SessionKey,
		Origin: s.cfg.Origin.Of(in.IPAddress, in.UserAgent),
	})
	if err != nil {
		s.noteRefusedReport(r, in.User.ID, err)
		return nil, endedConflict(err)
	}
	answer := api.LoginOf(result)
	if result.TakenOver && s.takeovers.AllowN(s.now(), 1) {
		s.log.Warn().Str("app", by.App).Str("session", answer.Session.ID).Strs("ended", answer.Evicted).
			Msg("an application reported a token or key of one user for another: the first one's session has ended")
	}
	if !result.Created {
		return answer, nil
	}
	return web.Reply{Status: http.StatusCreated, Body: answer}, nil
}

// endedConflict answers the report of a session that somebody has ended: it must not come back, and
// the application is to sign the person out.
func endedConflict(err error) error {
	ended, ok := errors.AsType[*store.EndedError](err)
	if !ok {
		return err
	}
	return &web.Problem{Status: http.StatusConflict, Code: "session_ended", EndReason: ended.Reason,
		Words: "This session has been ended; sign the person out"}
}

// mayLogin tells an application whether somebody may log in to it now.
func (s *Server) mayLogin(r *http.Request) (any, error) {
	var in api.LoginQuestion
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	by := auth.CallerOf(r).By()
	err := s.store.MayLogin(r.Context(), s.now(), by, store.UserInput{ID: in.User.ID, Role: in.User.Role})
	if errors.Is(err, store.ErrSessionLimit) {
		return nil, s.sessionLimit(r, by, in.User.ID)
	}
	return api.MayLogin{May: true}, err
}

// sessionLimit finds out which sessions of a user are in the way of a login.
func (s *Server) sessionLimit(r *http.Request, by store.By, user string) error {
	now := s.now()
	page, err := s.store.Sessions(r.Context(), now, store.SessionFilter{User: by.Key(user), App: by.App, Limit: web.MaxLimit})
	if err != nil {
		return err
	}
	return &web.Problem{Status: http.StatusConflict, Code: "session_limit", Words: "This user has as many sessions in this application as may be",
		Sessions: api.SessionsOf(page.Sessions, now)}
}

// checkSession tells an application whether a session of its own still holds.
func (s *Server) checkSession(r *http.Request) (any, error) {
	var in api.SessionQuestion
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	if (in.SessionToken == "") == (in.SessionKey == "") {
		return nil, web.Invalid("Either session_token or session_key is needed")
	}
	session, err := s.store.CheckSession(r.Context(), s.now(), auth.CallerOf(r).By().App, in.SessionToken, in.SessionKey)
	if err == nil {
		return api.SessionState{Active: true, Session: new(api.OwnSession(session))}, nil
	}
	if !errors.Is(err, store.ErrSessionEnded) {
		return nil, err
	}
	answer := api.SessionState{}
	if ended, ok := errors.AsType[*store.EndedError](err); ok {
		answer.EndReason = &ended.Reason
	}
	return answer, nil
}

// reportEnd ends a session of the key's own app, or all of a user there. Saying it twice is no error.
func (s *Server) reportEnd(r *http.Request) (any, error) {
	var in api.EndReport
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	reason, err := endReason(in)
	if err != nil {
		return nil, err
	}
	by, now := auth.CallerOf(r).By(), s.now()
	var ended bool
	switch {
	case in.User != "":
		n, err := s.store.EndAll(r.Context(), now, by, in.User, in.ExceptToken, reason)
		return api.Ended{Ended: n > 0, Count: n}, err
	case in.SessionToken != "":
		ended, err = s.store.EndByToken(r.Context(), now, by.App, in.SessionToken, reason)
	case in.SessionKey != "":
		ended, err = s.store.EndByKey(r.Context(), now, by.App, in.SessionKey, reason)
	default:
		if id, ok := web.ParseID(in.ID); ok {
			ended, err = s.store.EndByID(r.Context(), now, by.App, id, reason)
		}
	}
	answer := api.Ended{Ended: ended}
	if ended {
		answer.Count = 1
	}
	return answer, err
}

// endReason is why an application ends sessions, of which it must name one or one user's.
func endReason(in api.EndReport) (presence.EndReason, error) {
	named := 0
	for _, name := range []string{in.SessionToken, in.ID, in.SessionKey, in.User} {
		if name != "" {
			named++
		}
	}
	switch {
	case named != 1:
		return "", web.Invalid("Either session_token, session_key, id or user is needed")
	case in.ExceptToken != "" && in.User == "":
		return "", web.Invalid("except_token goes with user")
	}
	switch in.Reason {
	case "":
		return presence.EndLogout, nil
	case presence.EndLogout, presence.EndPasswordChanged, presence.EndRevoked:
		return in.Reason, nil
	}
	return "", web.Invalid("reason must be logout, password_changed or revoked")
}

// putUser keeps a user current. What the body leaves out stays as it is.
func (s *Server) putUser(r *http.Request) (any, error) {
	id, err := web.PathText(r)
	if err != nil {
		return nil, err
	}
	var in api.UserInput
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	if in.ID != "" && in.ID != id {
		return nil, web.Invalid("The id in the body is another than in the address")
	}
	in.ID = id
	by, err := backend(r)
	if err != nil {
		return nil, err
	}
	user, err := s.store.PutUser(r.Context(), s.now(), by, in.ForStore())
	return api.StoredUser{User: api.UserOf(user)}, unknownUser(err)
}

// deleteUser deletes a user with all sessions.
func (s *Server) deleteUser(r *http.Request) (any, error) {
	id, err := web.PathText(r)
	if err != nil {
		return nil, err
	}
	by, err := backend(r)
	if err != nil {
		return nil, err
	}
	ended, err := s.store.DeleteUser(r.Context(), s.now(), by, id)
	return api.DeletedUser{EndedSessions: ended}, unknownUser(err)
}
