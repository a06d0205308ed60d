package server

import (
	"net/http"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/web"
)

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
