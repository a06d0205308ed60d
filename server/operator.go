package server

import (
	"context"
	"net/http"
	"time"

	"rollcall/server/api"
	"rollcall/server/auth"
)

// readyTimeout bounds the wait for the database: who asks gives up soon, and then
// takes the silence for the answer.
const readyTimeout = 2 * time.Second

// healthz tells that the process answers.
func (s *Server) healthz(*http.Request) (any, error) { return api.Nothing{}, nil }

// readyz tells that a heartbeat could be recorded, and that who is online can be listed.
func (s *Server) readyz(r *http.Request) (any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	err := s.store.DB().CanWrite(ctx)
	if err == nil {
		err = s.store.CanList(ctx)
	}
	return api.Nothing{}, err
}

// settings answers with what the server was started with.
func (s *Server) settings(*http.Request) (any, error) {
	return api.Settings{Settings: append([]api.Setting{}, s.cfg.Settings...)}, nil
}

// examine answers with what may be wrong with how the server is set up.
func (s *Server) examine(r *http.Request) (any, error) {
	findings, err := s.doctor.Examine(r, auth.CallerOf(r).Key)
	return api.Doctor{Findings: findings}, err
}

// cleanup ends expired sessions and purges old ones, now.
func (s *Server) cleanup(r *http.Request) (any, error) {
	cleaned, err := s.store.CleanupBy(r.Context(), s.now(), auth.CallerOf(r).Actor())
	return api.Cleanup{AffectedRows: cleaned.Ended, PurgedRows: cleaned.Purged}, err
}
