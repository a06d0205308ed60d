package client

import (
	"context"
	"net/http"
	"net/url"

	"rollcall/server/api"
)

// Login reports that a user logged in. It needs a key with the scope sessions. Where the user has as
// many sessions as may be it is an *Error with the code session_limit, which lists them.
func (c *Client) Login(ctx context.Context, login api.LoginReport) (api.Login, error) {
	var answer api.Login
	err := c.call(ctx, http.MethodPost, "/admin/sessions", login, &answer)
	return answer, err
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
	var answer api.Logout
	err = c.call(ctx, http.MethodPost, "/admin/sessions/end", api.LogoutReport{SessionToken: token}, &answer)
	return answer.Ended, err
}

// Revoke ends the session with this id. It needs the scope admin.
func (c *Client) Revoke(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/admin/sessions/"+url.PathEscape(id), nil, nil)
}
