package client

import (
	"context"
	"net/http"
	"net/url"

	"rollcall/server/api"
)

// CreateKey creates a key for app. The answer is the only time its secret is shown.
func (c *Client) CreateKey(ctx context.Context, app string, scopes ...string) (api.Key, error) {
	var answer api.CreatedKey
	err := c.call(ctx, http.MethodPost, "/admin/keys", api.KeyInput{App: app, Scopes: scopes}, &answer)
	return answer.Key, err
}

// Keys lists the keys, without their secrets.
func (c *Client) Keys(ctx context.Context) ([]api.Key, error) {
	var answer api.Keys
	err := c.call(ctx, http.MethodGet, "/admin/keys", nil, &answer)
	return answer.Keys, err
}

// DeleteKey makes a key useless from its next request on.
func (c *Client) DeleteKey(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/admin/keys/"+url.PathEscape(id), nil, nil)
}
