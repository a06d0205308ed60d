package server

import (
	"context"
	"net/http"
	"time"

	"rollcall/server/api"
)

// readyTimeout bounds the wait for the database: who asks gives up soon, and then
// takes the silence for the answer.
const readyTimeout = 2 * time.Second

// healthz tells that the process answers.
func (s *Server) healthz(*http.Request) (any, error) { return api.Nothing{}, nil }

// readyz tells that a heartbeat could be recorded.
func (s *Server) readyz(r *http.Request) (any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	return api.Nothing{}, s.store.DB().CanWrite(ctx)
}
