package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// NoticeInput is an announcement that is to be made. Empty fields are not sent.
type NoticeInput struct {
	Message      string     `json:"message"`
	Level        string     `json:"level,omitempty"`        // info, warning or critical
	App          string     `json:"app,omitempty"`          // only to people in this app
	Organization string     `json:"organization,omitempty"` // only to people of this organization
	Until        *time.Time `json:"until,omitempty"`        // nil: until it is withdrawn
	ForMS        int64      `json:"for_ms,omitempty"`       // instead of Until: how long from now, by the server's clock
}

// Notice is an announcement with how many have seen it.
type Notice struct {
	ID           string     `json:"id"`
	Message      string     `json:"message"`
	Level        string     `json:"level"`
	App          string     `json:"app"`
	Organization string     `json:"organization"`
	CreatedAt    time.Time  `json:"created_at"`
	CreatedBy    string     `json:"created_by"`
	Until        *time.Time `json:"until"`
	WithdrawnAt  *time.Time `json:"withdrawn_at"`
	State        string     `json:"state"` // active, over or withdrawn
	Seen         int        `json:"seen"`
	Of           *int       `json:"of"` // nil once it is over
}

// ShownNotice is a notice as a person is shown it.
type ShownNotice struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"` // notice or drain
	Message   string     `json:"message"`
	Level     string     `json:"level"`
	Until     *time.Time `json:"until"`
	CreatedAt time.Time  `json:"created_at"`
}

// Notices lists what is announced now, and then what was.
func (c *Client) Notices(ctx context.Context) ([]Notice, error) {
	var answer struct {
		Notices []Notice `json:"notices"`
	}
	err := c.call(ctx, http.MethodGet, "/admin/notices", nil, &answer)
	return answer.Notices, err
}

// PostNotice announces something to the people who are online. It needs the scope admin.
func (c *Client) PostNotice(ctx context.Context, in NoticeInput) (Notice, error) {
	var answer struct {
		Notice Notice `json:"notice"`
	}
	err := c.call(ctx, http.MethodPost, "/admin/notices", in, &answer)
	return answer.Notice, err
}

// WithdrawNotice takes a notice back. It is no error if it is over already.
func (c *Client) WithdrawNotice(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/admin/notices/"+url.PathEscape(id), nil, nil)
}

// DrainInput says what people are told who are kept out, and when the sessions of those inside end.
type DrainInput struct {
	Message         string     `json:"message"`
	EndSessionsAt   *time.Time `json:"end_sessions_at,omitempty"` // nil: never
	EndSessionsInMS int64      `json:"end_sessions_in_ms,omitempty"`
}

// Drain is whether new logins are kept out.
type Drain struct {
	Draining        bool       `json:"draining"`
	Message         string     `json:"message"`
	StartedAt       *time.Time `json:"started_at"`
	StartedBy       string     `json:"started_by"`
	EndSessionsAt   *time.Time `json:"end_sessions_at"`
	SessionsEndedAt *time.Time `json:"sessions_ended_at"`
	Online          int        `json:"online"` // people who are still there
	Timestamp       time.Time  `json:"timestamp"`
}

// Drain tells whether new logins are kept out.
func (c *Client) Drain(ctx context.Context) (Drain, error) {
	return c.drain(ctx, http.MethodGet, nil)
}

// BeginDrain keeps new logins out, or changes what a drain says. It needs the scope admin.
func (c *Client) BeginDrain(ctx context.Context, in DrainInput) (Drain, error) {
	return c.drain(ctx, http.MethodPut, in)
}

// EndDrain lets people log in again.
func (c *Client) EndDrain(ctx context.Context) (Drain, error) {
	return c.drain(ctx, http.MethodDelete, nil)
}

func (c *Client) drain(ctx context.Context, method string, body any) (Drain, error) {
	var d Drain
	if err := c.call(ctx, method, "/admin/drain", body, &d); err != nil {
		return Drain{}, err
	}
	if d.Timestamp.IsZero() || d.Draining && d.StartedAt == nil {
		return Drain{}, c.notOurs(errNoTime)
	}
	return d, nil
}
