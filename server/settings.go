package server

import (
	"net/http"

	"rollcall/server/api"
)

// settings answers with what the server was started with.
func (s *Server) settings(*http.Request) (any, error) {
	return api.Settings{Settings: append([]api.Setting{}, s.cfg.Settings...)}, nil
}
