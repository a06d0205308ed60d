package client

import (
	"context"
	"net/http"
	"net/url"

	"rollcall/server/api"
)

// Notices lists what is announced now, and then what was.
func (c *Client) Notices(ctx context.Context) ([]api.Notice, error) {
	var answer api.Notices
	err := c.call(ctx, http.MethodGet, "/admin/notices", nil, &answer)
	return answer.Notices, err
}

// PostNotice announces something to the people who are online. It needs the scope admin.
func (c *Client) PostNotice(ctx context.Context, in api.NoticeInput) (api.Notice, error) {
	var answer api.PostedNotice
	err := c.call(ctx, http.MethodPost, "/admin/notices", in, &answer)
	return answer.Notice, err
}

// WithdrawNotice takes a notice back. It is no error if it is over already.
func (c *Client) WithdrawNotice(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/admin/notices/"+url.PathEscape(id), nil, nil)
}

// Drain tells whether new logins are kept out.
func (c *Client) Drain(ctx context.Context) (api.Drain, error) {
	return c.drain(ctx, http.MethodGet, nil)
}

// BeginDrain keeps new logins out, or changes what a drain says. It needs the scope admin.
func (c *Client) BeginDrain(ctx context.Context, in api.DrainInput) (api.Drain, error) {
	return c.drain(ctx, http.MethodPut, in)
}

// EndDrain lets people log in again.
func (c *Client) EndDrain(ctx context.Context) (api.Drain, error) {
	return c.drain(ctx, http.MethodDelete, nil)
}

func (c *Client) drain(ctx context.Context, method string, body any) (api.Drain, error) {
	var d api.Drain
	if err := c.call(ctx, method, "/admin/drain", body, &d); err != nil {
		return api.Drain{}, err
	}
	if d.Timestamp.IsZero() || d.Draining && d.StartedAt == nil {
		return api.Drain{}, c.notOurs(errNoTime)
	}
	return d, nil
}
