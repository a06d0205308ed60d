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

// reportLogin begins a session that an application's back end reports.
func (s *Server) reportLogin(r *http.Request) (any, error) {
	var in api.LoginReport
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	by := auth.CallerOf(r).By()
	result, err := s.store.Login(r.Context(), s.now(), by, store.Login{
		User: in.User.ForStore(), Token: in.SessionToken, Origin: s.cfg.Origin.Of(in.IPAddress, in.UserAgent),
	})
	if errors.Is(err, store.ErrSessionLimit) {
		return nil, s.sessionLimit(r, by.App, in.User.ID)
	}
	if err != nil {
		return nil, err
	}
	answer := api.Login{Session: api.OwnSession(result.Session), Evicted: []string{}}
	answer.Session.Token = result.Token
	for _, id := range result.Evicted {
		answer.Evicted = append(answer.Evicted, api.ID(id))
	}
	if !result.Created {
		return answer, nil
	}
	return web.Reply{Status: http.StatusCreated, Body: answer}, nil
}

// sessionLimit finds out which sessions of a user are in the way of a login.
func (s *Server) sessionLimit(r *http.Request, app, user string) error {
	now := s.now()
	page, err := s.store.Sessions(r.Context(), now, store.SessionFilter{User: user, App: app, Limit: web.MaxLimit})
	if err != nil {
		return err
	}
	return &web.Problem{Status: http.StatusConflict, Code: "session_limit", Words: "This user has as many sessions in this application as may be",
		Sessions: api.SessionsOf(page.Sessions, now)}
}

// reportLogout ends a session of the key's own app. Saying it twice is no error.
func (s *Server) reportLogout(r *http.Request) (any, error) {
	var in api.LogoutReport
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	if (in.SessionToken == "") == (in.ID == "") {
		return nil, web.Invalid("Either session_token or id is needed")
	}
	app := auth.CallerOf(r).Key.App
	var ended bool
	var err error
	if in.SessionToken != "" {
		ended, err = s.store.EndByToken(r.Context(), s.now(), app, in.SessionToken, presence.EndLogout)
	} else if id, ok := web.ParseID(in.ID); ok {
		ended, err = s.store.EndByID(r.Context(), s.now(), app, id, presence.EndLogout)
	}
	return api.Logout{Ended: ended}, err
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
	user, err := s.store.PutUser(r.Context(), s.now(), auth.CallerOf(r).By(), in.ForStore())
	return api.StoredUser{User: api.UserOf(user)}, err
}

// deleteUser deletes a user with all sessions.
func (s *Server) deleteUser(r *http.Request) (any, error) {
	id, err := web.PathText(r)
	if err != nil {
		return nil, err
	}
	ended, err := s.store.DeleteUser(r.Context(), s.now(), auth.CallerOf(r).By(), id)
	return api.DeletedUser{EndedSessions: ended}, unknownUser(err)
}
