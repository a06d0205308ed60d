package client

import (
	"context"
	"net/http"
	"net/url"

	"rollcall/server/api"
)

// Explain reads why the user with this id is online, or is not.
func (c *Client) Explain(ctx context.Context, userID string) (api.Explanation, error) {
	var answer api.Explanation
	err := c.call(ctx, http.MethodGet, "/admin/users/"+url.PathEscape(userID)+"/explain", nil, &answer)
	return answer, err
}
