package client

import (
	"context"
	"net/http"
	"time"
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
	Device           Device      `json:"device"`
	Location         string      `json:"location"`
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

// Revocation says which sessions are to end: those that match the filters, of which there must be
// one, or all.
type Revocation struct {
	User         string     `json:"user,omitempty"`
	App          string     `json:"app,omitempty"`
	Organization string     `json:"organization,omitempty"`
	IP           string     `json:"ip,omitempty"`
	Device       string     `json:"device,omitempty"`
	From         *time.Time `json:"from,omitempty"`
	To           *time.Time `json:"to,omitempty"`
	Q            string     `json:"q,omitempty"`
	All          bool       `json:"all,omitempty"`    // without any filter
	State        string     `json:"state,omitempty"`  // online, or active: the default
	Except       []string   `json:"except,omitempty"` // ids of sessions that stay
	Note         string     `json:"note,omitempty"`   // kept with them
	DryRun       bool       `json:"dry_run,omitempty"`
}

// Revoked is what has ended or, of a dry run, would.
type Revoked struct {
	DryRun    bool            `json:"dry_run"`
	Count     int64           `json:"count"`
	Sample    []ListedSession `json:"sample"` // the latest 20, as they were before
	Timestamp time.Time       `json:"timestamp"`
}

// RevokeAll ends all sessions that match. It needs the scope admin.
func (c *Client) RevokeAll(ctx context.Context, which Revocation) (Revoked, error) {
	var answer Revoked
	err := c.call(ctx, http.MethodPost, "/admin/sessions/revoke", which, &answer)
	return answer, err
}
