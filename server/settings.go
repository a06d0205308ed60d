package server

import (
	"net/http"

	"rollcall/server/api"
	"rollcall/server/auth"
)

// settings answers with what the server was started with.
func (s *Server) settings(*http.Request) (any, error) {
	return api.Settings{Settings: append([]api.Setting{}, s.cfg.Settings...)}, nil
}

// examine answers with what may be wrong with how the server is set up.
func (s *Server) examine(r *http.Request) (any, error) {
	findings, err := s.doctor.Examine(r, auth.CallerOf(r).Key)
	return api.Doctor{Findings: findings}, err
}
