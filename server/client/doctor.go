package client

import (
	"context"
	"net/http"
	"time"
)

// Finding is the answer to one question about how a server is set up.
type Finding struct {
	Check string   `json:"check"`
	State string   `json:"state"` // ok, warning or problem
	Words string   `json:"words"`
	Fix   string   `json:"fix"`
	Paste []string `json:"paste"` // flags or commands that do it
}

// Doctor asks the server what may be wrong with how it is set up. It needs the scope
// admin.
func (c *Client) Doctor(ctx context.Context) ([]Finding, error) {
	var answer struct {
		Findings []Finding `json:"findings"`
	}
	err := c.call(ctx, http.MethodGet, "/admin/doctor", nil, &answer)
	return answer.Findings, err
}

// Clock returns the time at the server, which is ready to serve.
func (c *Client) Clock(ctx context.Context) (time.Time, error) {
	var answer struct {
		Timestamp time.Time `json:"timestamp"`
	}
	err := c.call(ctx, http.MethodGet, "/readyz", nil, &answer)
	if err == nil && answer.Timestamp.IsZero() {
		err = c.notOurs(errNoTime)
	}
	return answer.Timestamp, err
}
