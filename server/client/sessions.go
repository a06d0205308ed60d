package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"rollcall/server/api"
)

// MayLogin asks whether a user may log in. It needs a key with the scope sessions. While a drain goes
// on it is an *Error with the code draining; where the user has as many sessions as may be, one with
// the code session_limit, which lists them.
func (c *Client) MayLogin(ctx context.Context, user api.UserInput) error {
	return c.call(ctx, http.MethodPost, "/admin/sessions/may", api.LoginQuestion{User: user}, nil)
}

// Login reports that a user is logged in. It needs a key with the scope sessions. Of a session that
// somebody has ended it is an *Error with the code session_ended.
func (c *Client) Login(ctx context.Context, login api.LoginReport) (api.Login, error) {
	return ask[api.Login](ctx, c, http.MethodPost, "/admin/sessions", login)
}

// Heartbeat says that the session with this token is alive. An ended session is an *Error with the
// code session_ended.
func (c *Client) Heartbeat(ctx context.Context, token string, beat api.Heartbeat) (api.HeartbeatAnswer, error) {
	var answer api.HeartbeatAnswer
	err := c.callAs(ctx, token, http.MethodPost, "/admin/users/heartbeat", beat, &answer)
	return answer, err
}

// EndSession reports a logout by the session's token. It tells whether the session was still
// active: ending it twice is no error.
func (c *Client) EndSession(ctx context.Context, token string) (ended bool, err error) {
	answer, err := ask[api.Ended](ctx, c, http.MethodPost, "/admin/sessions/end", api.EndReport{SessionToken: token})
	return answer.Ended, err
}

// Revoke ends the session with this id. It needs the scope admin.
func (c *Client) Revoke(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/admin/sessions/"+url.PathEscape(id), nil, nil)
}

// SessionFilter narrows and orders the list of sessions. Empty fields do nothing.
type SessionFilter struct {
	State, User, App, Organization, IP, Reason string

	Directory string // of User, where several may have the id

	Device string // a type, an operating system or a browser

	From, To *time.Time // logged in at some time between
	At       *time.Time // on then, as far as is known
	Q        string     // words of a name, email, ...
	Sort     string     // last_activity, created or ended
	Limit    int
	Cursor   string
}

func (f SessionFilter) query() string {
	return listQuery(f.Limit, map[string]string{
		"state": f.State, "user": f.User, "directory": f.Directory, "app": f.App, "organization": f.Organization, "ip": f.IP, "device": f.Device, "reason": f.Reason,
		"from": optionalTime(f.From), "to": optionalTime(f.To), "at": optionalTime(f.At), "q": f.Q, "sort": f.Sort, "cursor": f.Cursor,
	})
}

func optionalTime(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// Sessions reads one page of the list of sessions.
func (c *Client) Sessions(ctx context.Context, filter SessionFilter) (api.Sessions, error) {
	return ask[api.Sessions](ctx, c, http.MethodGet, "/admin/sessions"+filter.query(), nil)
}

// RevokeAll ends all sessions that match. It needs the scope admin.
func (c *Client) RevokeAll(ctx context.Context, which api.Revocation) (api.Revoked, error) {
	return ask[api.Revoked](ctx, c, http.MethodPost, "/admin/sessions/revoke", which)
}
