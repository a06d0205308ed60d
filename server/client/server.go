package client

import (
	"context"
	"net/http"
	"time"

	"rollcall/server/api"
)

// Health returns nil if the server is ready to serve.
func (c *Client) Health(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/readyz", nil, nil)
}

// Clock returns the time at the server, which is ready to serve.
func (c *Client) Clock(ctx context.Context) (time.Time, error) {
	envelope, err := ask[struct{ Timestamp api.Time }](ctx, c, http.MethodGet, "/readyz", nil)
	if err == nil && envelope.Timestamp.IsZero() {
		err = c.notOurs(errNoTime)
	}
	return envelope.Timestamp.Time, err
}

// Doctor asks the server what may be wrong with how it is set up. It needs the scope
// admin.
func (c *Client) Doctor(ctx context.Context) ([]api.Finding, error) {
	answer, err := ask[api.Doctor](ctx, c, http.MethodGet, "/admin/doctor", nil)
	return answer.Findings, err
}
