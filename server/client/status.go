package client

import (
	"context"
	"net/http"
	"net/url"

	"rollcall/server/api"
)

// SetStatus claims a status of the user with this id, or of the person whose token the client has:
// "me". It returns the user's status then.
func (c *Client) SetStatus(ctx context.Context, userID string, claim api.StatusInput) (api.ShownStatus, error) {
	var answer api.ShownStatus
	err := c.call(ctx, http.MethodPut, statusPath(userID), claim, &answer)
	return answer, err
}

// ClearStatus takes the claim back.
func (c *Client) ClearStatus(ctx context.Context, userID string) (api.ShownStatus, error) {
	var answer api.ShownStatus
	err := c.call(ctx, http.MethodDelete, statusPath(userID), nil, &answer)
	return answer, err
}

func statusPath(userID string) string { return "/admin/users/" + url.PathEscape(userID) + "/status" }
