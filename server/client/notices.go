package client

import (
	"context"
	"net/http"
	"net/url"

	"rollcall/server/api"
)

// Notices lists what is announced now, and then what was.
func (c *Client) Notices(ctx context.Context) ([]api.Notice, error) {
	answer, err := ask[api.Notices](ctx, c, http.MethodGet, "/admin/notices", nil)
	return answer.Notices, err
}

// PostNotice announces something to the people who are online. It needs the scope admin.
func (c *Client) PostNotice(ctx context.Context, in api.NoticeInput) (api.Notice, error) {
	answer, err := ask[api.PostedNotice](ctx, c, http.MethodPost, "/admin/notices", in)
	return answer.Notice, err
}

// WithdrawNotice takes a notice back. It is no error if it is over already.
func (c *Client) WithdrawNotice(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/admin/notices/"+url.PathEscape(id), nil, nil)
}
