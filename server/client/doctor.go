package client

import (
	"context"
	"net/http"
	"time"

	"rollcall/server/api"
)

// Doctor asks the server what may be wrong with how it is set up. It needs the scope
// admin.
func (c *Client) Doctor(ctx context.Context) ([]api.Finding, error) {
	var answer api.Doctor
	err := c.call(ctx, http.MethodGet, "/admin/doctor", nil, &answer)
	return answer.Findings, err
}

// Clock returns the time at the server, which is ready to serve.
func (c *Client) Clock(ctx context.Context) (time.Time, error) {
	var answer struct{ Timestamp api.Time } // of the envelope
	err := c.call(ctx, http.MethodGet, "/readyz", nil, &answer)
	if err == nil && answer.Timestamp.IsZero() {
		err = c.notOurs(errNoTime)
	}
	return answer.Timestamp.Time, err
}
