package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// SessionFilter narrows and orders the list of sessions. Empty fields do nothing.
type SessionFilter struct {
	State, User, App, Organization, IP, Reason string

	From, To *time.Time // logged in at some time between
	Q        string     // words of a name, email, ...
	Sort     string     // last_activity, created or ended
	Limit    int
	Cursor   string
}

func (f SessionFilter) query() string {
	values := url.Values{}
	for name, value := range map[string]string{
		"state": f.State, "user": f.User, "app": f.App, "organization": f.Organization, "ip": f.IP, "reason": f.Reason,
		"q": f.Q, "sort": f.Sort, "cursor": f.Cursor,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	for name, at := range map[string]*time.Time{"from": f.From, "to": f.To} {
		if at != nil {
			values.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	if f.Limit > 0 {
		values.Set("limit", strconv.Itoa(f.Limit))
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// ListedSession is one session, which may have ended.
type ListedSession struct {
	ID               string      `json:"id"`
	App              string      `json:"app"`
	User             SessionUser `json:"user"`
	State            string      `json:"state"` // online, left, timed_out, expired or ended
	SessionStartedAt time.Time   `json:"session_started_at"`
	LastActivityAt   time.Time   `json:"last_activity_at"`
	ExpiresAt        time.Time   `json:"expires_at"`
	EndedAt          *time.Time  `json:"ended_at"`
	EndReason        *string     `json:"end_reason"`
	EndedBy          string      `json:"ended_by"` // where an admin did
	EndNote          string      `json:"end_note"`
	IPAddress        string      `json:"ip_address"`
	UserAgent        string      `json:"user_agent"`
	Page             string      `json:"page"`
	DurationMinutes  int         `json:"duration_minutes"`
}

// SessionUser is whose session it is.
type SessionUser struct {
	ID               string `json:"id"`
	Name             string `json:"name"`
	Email            string `json:"email"`
	OrganizationName string `json:"organization_name"`
	TeamName         string `json:"team_name"`
	Role             string `json:"role"`
}

// SessionPage is one page of the list.
type SessionPage struct {
	Sessions   []ListedSession `json:"sessions"`
	NextCursor string          `json:"next_cursor"`
	Timestamp  time.Time       `json:"timestamp"`
}

// Sessions reads one page of the list of sessions.
func (c *Client) Sessions(ctx context.Context, filter SessionFilter) (SessionPage, error) {
	var page SessionPage
	err := c.call(ctx, http.MethodGet, "/admin/sessions"+filter.query(), nil, &page)
	return page, err
}
