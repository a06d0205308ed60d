package client

import (
	"context"
	"net/http"
	"net/url"

	"rollcall/server/api"
)

// PutUser creates or updates the user input.ID.
func (c *Client) PutUser(ctx context.Context, input api.UserInput) (api.User, error) {
	path := "/admin/users/" + url.PathEscape(input.ID)
	input.ID = "" // it is in the path
	var answer api.StoredUser
	err := c.call(ctx, http.MethodPut, path, input, &answer)
	return answer.User, err
}

// DeleteUser removes a user with all sessions and tells how many of them were active.
func (c *Client) DeleteUser(ctx context.Context, id string) (endedSessions int64, err error) {
	var answer api.DeletedUser
	err = c.call(ctx, http.MethodDelete, "/admin/users/"+url.PathEscape(id), nil, &answer)
	return answer.EndedSessions, err
}
