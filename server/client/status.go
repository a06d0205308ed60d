package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// StatusClaim is what somebody says that a person does.
type StatusClaim struct {
	Status string     `json:"status"`           // busy, away, or available to take it back
	Text   string     `json:"text,omitempty"`   // at most 80 characters
	Until  *time.Time `json:"until,omitempty"`  // nil: until it is taken back
	ForMS  int64      `json:"for_ms,omitempty"` // instead of Until: how long from now, by the server's clock
}

// Status is what a person does now, all things considered.
type Status struct {
	Status string     `json:"status"` // available, busy, away or offline
	Text   string     `json:"status_text"`
	Until  *time.Time `json:"status_until"`
}

// SetStatus claims a status of the user with this id, or of the person whose token the client has:
// "me". It returns the user's status then.
func (c *Client) SetStatus(ctx context.Context, userID string, claim StatusClaim) (Status, error) {
	var answer Status
	err := c.call(ctx, http.MethodPut, statusPath(userID), claim, &answer)
	return answer, err
}

// ClearStatus takes the claim back.
func (c *Client) ClearStatus(ctx context.Context, userID string) (Status, error) {
	var answer Status
	err := c.call(ctx, http.MethodDelete, statusPath(userID), nil, &answer)
	return answer, err
}

func statusPath(userID string) string { return "/admin/users/" + url.PathEscape(userID) + "/status" }
