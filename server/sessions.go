package server

import (
	"errors"
	"net/http"
	"strings"

	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
)

// userInput is a user as a back end reports one.
type userInput struct {
	ID           string        `json:"id"`
	Name         *string       `json:"name"`
	FirstName    *string       `json:"first_name"`
	LastName     *string       `json:"last_name"`
	Email        *string       `json:"email"`
	Role         *string       `json:"role"`
	Team         *string       `json:"team"`
	Organization *string       `json:"organization"`
	Access       *store.Access `json:"access"`
}

func (in userInput) forStore() store.UserInput {
	return store.UserInput{ID: in.ID, Name: in.fullName(), Email: in.Email, Role: in.Role,
		Team: in.Team, Organization: in.Organization, Access: in.Access}
}

// fullName returns the name, or first and last name together, or nil for none.
func (in userInput) fullName() *string {
	if in.Name != nil || in.FirstName == nil && in.LastName == nil {
		return in.Name
	}
	var parts []string
	for _, part := range []*string{in.FirstName, in.LastName} {
		if part != nil && *part != "" {
			parts = append(parts, *part)
		}
	}
	full := strings.Join(parts, " ")
	return &full
}

type loginAnswer struct {
	success
	Session sessionAnswer `json:"session"`
	Evicted []string      `json:"evicted"`
}

// reportLogin begins a session that an application's back end reports.
func (s *Server) reportLogin(r *http.Request) (any, error) {
	var in struct {
		User         userInput `json:"user"`
		SessionToken string    `json:"session_token"`
		IPAddress    string    `json:"ip_address"`
		UserAgent    string    `json:"user_agent"`
	}
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	by := auth.CallerOf(r).By()
	result, err := s.store.Login(r.Context(), s.now(), by, store.Login{
		User: in.User.forStore(), Token: in.SessionToken, Origin: s.cfg.Origin.Of(in.IPAddress, in.UserAgent),
	})
	if errors.Is(err, store.ErrSessionLimit) {
		return nil, s.sessionLimit(r, by.App, in.User.ID)
	}
	if err != nil {
		return nil, err
	}
	answer := &loginAnswer{Session: answerSession(result.Session), Evicted: []string{}}
	answer.Session.Token = result.Token
	for _, id := range result.Evicted {
		answer.Evicted = append(answer.Evicted, formatID(id))
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
		Sessions: answerSessions(page.Sessions, now)}
}

type endAnswer struct {
	success
	Ended bool `json:"ended"`
}

// reportLogout ends a session of the key's own app. Saying it twice is no error.
func (s *Server) reportLogout(r *http.Request) (any, error) {
	var in struct {
		SessionToken string `json:"session_token"`
		ID           string `json:"id"`
	}
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
	return &endAnswer{Ended: ended}, err
}
