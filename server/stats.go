package server

import (
	"net/http"

	"rollcall/server/api"
	"rollcall/server/auth"
)

// stats answers with figures about all sessions.
func (s *Server) stats(r *http.Request) (any, error) {
	st, err := s.store.Stats(r.Context(), s.now())
	if err != nil {
		return nil, err
	}
	return api.StatsOf(st), nil
}

// cleanup ends expired sessions and purges old ones, now.
func (s *Server) cleanup(r *http.Request) (any, error) {
	cleaned, err := s.store.CleanupBy(r.Context(), s.now(), auth.CallerOf(r).Actor())
	return api.Cleanup{AffectedRows: cleaned.Ended, PurgedRows: cleaned.Purged}, err
}
