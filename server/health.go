package server

import "net/http"

// healthz tells that the process answers.
func (s *Server) healthz(*http.Request) (any, error) { return &success{}, nil }

// readyz tells that the database answers too and takes writes.
func (s *Server) readyz(r *http.Request) (any, error) {
	return &success{}, s.store.Ping(r.Context())
}
