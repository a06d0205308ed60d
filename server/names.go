package server

import (
	"net/http"
	"net/url"

	"rollcall/store"
)

// knownNames refuses a question whose filters name an app, an organization, a team or a role that
// nobody knows.
func (s *Server) knownNames(r *http.Request, q url.Values) error {
	return s.store.CheckNames(r.Context(), store.Names{App: q.Get("app"), Organization: q.Get("organization"), Team: q.Get("team"),
		Roles: []string{q.Get("role"), q.Get("ignore_role")}})
}
