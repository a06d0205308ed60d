package server

import (
	"net/http"

	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
)

type putUserAnswer struct {
	success
	User userAnswer `json:"user"`
}

func answerUser(u store.User) userAnswer {
	return userAnswer{ID: u.ID, Name: u.Name, Email: u.Email, Role: u.Role, Team: u.Team, Organization: u.Organization, Access: u.Access}
}

// putUser keeps a user current. What the body leaves out stays as it is.
func (s *Server) putUser(r *http.Request) (any, error) {
	id, err := web.PathText(r)
	if err != nil {
		return nil, err
	}
	var in userInput
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	if in.ID != "" && in.ID != id {
		return nil, web.Invalid("The id in the body is another than in the address")
	}
	in.ID = id
	user, err := s.store.PutUser(r.Context(), s.now(), auth.CallerOf(r).By(), in.forStore())
	return &putUserAnswer{User: answerUser(user)}, err
}

type deleteUserAnswer struct {
	success
	EndedSessions int64 `json:"ended_sessions"`
}

// deleteUser deletes a user with all sessions.
func (s *Server) deleteUser(r *http.Request) (any, error) {
	id, err := web.PathText(r)
	if err != nil {
		return nil, err
	}
	ended, err := s.store.DeleteUser(r.Context(), s.now(), auth.CallerOf(r).By(), id)
	return &deleteUserAnswer{EndedSessions: ended}, unknownUser(err)
}
