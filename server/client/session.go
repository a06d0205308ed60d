package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// UserInput is what an application tells about a user. A nil field keeps what is stored, an empty
// one clears it.
type UserInput struct {
	ID           string  `json:"id"`
	Name         *string `json:"name,omitempty"`
	FirstName    *string `json:"first_name,omitempty"`
	LastName     *string `json:"last_name,omitempty"`
	Email        *string `json:"email,omitempty"`
	Role         *string `json:"role,omitempty"`
	Team         *string `json:"team,omitempty"`
	Organization *string `json:"organization,omitempty"`
	Access       *string `json:"access,omitempty"`
}

// LoginRequest reports a login. Without a SessionToken the server mints one.
type LoginRequest struct {
	User         UserInput `json:"user"`
	SessionToken string    `json:"session_token,omitempty"`
	IPAddress    string    `json:"ip_address,omitempty"`
	UserAgent    string    `json:"user_agent,omitempty"`
}

// Session is one login. Token is only there where the server minted it just now.
type Session struct {
	ID        string    `json:"id"`
	Token     string    `json:"token,omitempty"`
	ExpiresAt time.Time `json:"expires_at"`

	Evicted []string `json:"-"` // ids of the sessions that ended for a login
}

// Login reports that a user logged in. It needs a key with the scope sessions. Where the user has as
// many sessions as may be it is an *Error with the code session_limit, which lists them.
func (c *Client) Login(ctx context.Context, login LoginRequest) (Session, error) {
	var answer struct {
		Session Session  `json:"session"`
		Evicted []string `json:"evicted"`
	}
	err := c.call(ctx, http.MethodPost, "/admin/sessions", login, &answer)
	answer.Session.Evicted = answer.Evicted
	return answer.Session, err
}

// Beat is what a browser says with a heartbeat. Nil fields are not sent.
type Beat struct {
	IdleMS  *int64  `json:"idle_ms,omitempty"` // age of the last input
	Visible *bool   `json:"visible,omitempty"`
	Page    *string `json:"page,omitempty"`
	Leaving bool    `json:"leaving,omitempty"`

	Seen []string `json:"seen,omitempty"` // ids of notices that were shown
}

// HeartbeatAnswer is the server's answer to a heartbeat.
type HeartbeatAnswer struct {
	Session         Session `json:"session"`
	Idle            bool    `json:"idle"` // whether the beat counted as one without input
	NextHeartbeatMS int64   `json:"next_heartbeat_ms"`

	Notices []ShownNotice `json:"notices"`
}

// Next is how long to wait before the next heartbeat.
func (a HeartbeatAnswer) Next() time.Duration {
	return time.Duration(a.NextHeartbeatMS) * time.Millisecond
}

// Heartbeat says that the session with this token is alive. An ended session is an *Error with the
// code session_ended.
func (c *Client) Heartbeat(ctx context.Context, token string, beat Beat) (HeartbeatAnswer, error) {
	var answer HeartbeatAnswer
	err := c.callAs(ctx, token, http.MethodPost, "/admin/users/heartbeat", beat, &answer)
	return answer, err
}

// EndSession reports a logout by the session's token. It tells whether the session was still
// active: ending it twice is no error.
func (c *Client) EndSession(ctx context.Context, token string) (ended bool, err error) {
	var answer struct {
		Ended bool `json:"ended"`
	}
	body := map[string]string{"session_token": token}
	err = c.call(ctx, http.MethodPost, "/admin/sessions/end", body, &answer)
	return answer.Ended, err
}

// Revoke ends the session with this id. It needs the scope admin.
func (c *Client) Revoke(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/admin/sessions/"+url.PathEscape(id), nil, nil)
}
