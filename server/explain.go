package server

import (
	"net/http"

	"rollcall/server/api"
	"rollcall/server/web"
)

// explainUser tells why a user is online, or is not.
func (s *Server) explainUser(r *http.Request) (any, error) {
	user, err := web.PathText(r)
	if err != nil {
		return nil, err
	}
	e, err := s.store.Explain(r.Context(), s.now(), user)
	if err != nil {
		return nil, unknownUser(err)
	}
	s.viewed(r, user)
	return api.ExplanationOf(e), nil
}
