package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"rollcall/server/api"
)

// Erase removes all that is held on a person. It can not be undone. It needs the
// scope admin.
func (c *Client) Erase(ctx context.Context, id string) (api.Erased, error) {
	var answer api.Erased
	err := c.call(ctx, http.MethodPost, "/admin/users/"+url.PathEscape(id)+"/erase", api.EraseInput{Confirm: id}, &answer)
	return answer, err
}

// Export returns the JSON document of all that is held on a person. It needs the
// scope admin.
func (c *Client) Export(ctx context.Context, id string) (json.RawMessage, error) {
	var answer json.RawMessage
	err := c.call(ctx, http.MethodGet, "/admin/users/"+url.PathEscape(id)+"/export", nil, &answer)
	return answer, err
}
