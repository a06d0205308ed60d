package client

import (
	"context"
	"net/http"
	"time"

	"rollcall/server/api"
)

// SessionFilter narrows and orders the list of sessions. Empty fields do nothing.
type SessionFilter struct {
	State, User, App, Organization, IP, Reason string

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
		"state": f.State, "user": f.User, "app": f.App, "organization": f.Organization, "ip": f.IP, "device": f.Device, "reason": f.Reason,
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
	var page api.Sessions
	err := c.call(ctx, http.MethodGet, "/admin/sessions"+filter.query(), nil, &page)
	return page, err
}

// RevokeAll ends all sessions that match. It needs the scope admin.
func (c *Client) RevokeAll(ctx context.Context, which api.Revocation) (api.Revoked, error) {
	var answer api.Revoked
	err := c.call(ctx, http.MethodPost, "/admin/sessions/revoke", which, &answer)
	return answer, err
}
