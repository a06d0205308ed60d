package client

import (
	"context"
	"net/http"

	"rollcall/server/api"
)

// Stats reads the figures.
func (c *Client) Stats(ctx context.Context) (api.Stats, error) {
	var stats api.Stats
	err := c.call(ctx, http.MethodGet, "/admin/stats", nil, &stats)
	return stats, err
}

// Cleanup ends expired sessions and removes those past retention. It needs the scope admin.
func (c *Client) Cleanup(ctx context.Context) (api.CleanupRun, error) {
	var answer struct {
		api.Cleanup
		Timestamp api.Time // of the envelope
	}
	err := c.call(ctx, http.MethodPost, "/admin/users/cleanup-sessions", nil, &answer)
	return api.CleanupRun{At: answer.Timestamp, Cleanup: answer.Cleanup}, err
}

// Health returns nil if the server is ready to serve.
func (c *Client) Health(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/readyz", nil, nil)
}
