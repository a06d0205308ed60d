package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Key is the credential of an application's back end. Secret is only there when it was just created.
type Key struct {
	ID        string    `json:"id"`
	App       string    `json:"app"`
	Scopes    []string  `json:"scopes"`
	CreatedAt time.Time `json:"created_at"`
	Secret    string    `json:"secret,omitempty"`
}

// CreateKey creates a key for app. The answer is the only time its secret is shown.
func (c *Client) CreateKey(ctx context.Context, app string, scopes ...string) (Key, error) {
	body := struct {
		App    string   `json:"app"`
		Scopes []string `json:"scopes"`
	}{app, scopes}
	var answer struct {
		Key Key `json:"key"`
	}
	err := c.call(ctx, http.MethodPost, "/admin/keys", body, &answer)
	return answer.Key, err
}

// Keys lists the keys, without their secrets.
func (c *Client) Keys(ctx context.Context) ([]Key, error) {
	var answer struct {
		Keys []Key `json:"keys"`
	}
	err := c.call(ctx, http.MethodGet, "/admin/keys", nil, &answer)
	return answer.Keys, err
}

// DeleteKey makes a key useless from its next request on.
func (c *Client) DeleteKey(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/admin/keys/"+url.PathEscape(id), nil, nil)
}
