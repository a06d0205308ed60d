package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// OnlineFilter narrows and orders the list of who is online. Empty fields do nothing.
type OnlineFilter struct {
	App, Organization, Team, Role, Status string

	Q      string // words of a name, email, ...
	Sort   string // last_activity, name or duration
	Limit  int
	Cursor string
}

func (f OnlineFilter) query() string {
	return listQuery(f.Limit, map[string]string{
		"app": f.App, "organization": f.Organization, "team": f.Team, "role": f.Role,
		"status": f.Status, "q": f.Q, "sort": f.Sort, "cursor": f.Cursor,
	})
}

// listQuery is what follows a list's address. Empty filters, and no limit, are left out.
func listQuery(limit int, filters map[string]string) string {
	values := url.Values{}
	for name, value := range filters {
		if value != "" {
			values.Set(name, value)
		}
	}
	if limit > 0 {
		values.Set("limit", strconv.Itoa(limit))
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// Entry is one person who is online, merged over all of their sessions.
type Entry struct {
	ID                     string          `json:"id"`
	Name                   string          `json:"name"`
	Email                  string          `json:"email"`
	Role                   string          `json:"role"`
	OrganizationID         *int64          `json:"organization_id"`
	OrganizationName       string          `json:"organization_name"`
	TeamName               string          `json:"team_name"`
	LastActivityAt         time.Time       `json:"last_activity_at"`
	SessionStartedAt       time.Time       `json:"session_started_at"`
	SessionDurationMinutes int             `json:"session_duration_minutes"`
	IPAddress              string          `json:"ip_address"`
	UserAgent              string          `json:"user_agent"`
	Device                 Device          `json:"device"`
	Location               string          `json:"location"`
	Status                 string          `json:"status"`
	StatusText             string          `json:"status_text"`
	StatusUntil            *time.Time      `json:"status_until"`
	Idle                   bool            `json:"idle"`
	Page                   string          `json:"page"`
	Apps                   []string        `json:"apps"`
	Sessions               []OnlineSession `json:"sessions"`
}

// OnlineSession is one of the sessions behind an Entry.
type OnlineSession struct {
	ID               string    `json:"id"`
	App              string    `json:"app"`
	SessionStartedAt time.Time `json:"session_started_at"`
	LastActivityAt   time.Time `json:"last_activity_at"`
	ExpiresAt        time.Time `json:"expires_at"`
	IPAddress        string    `json:"ip_address"`
	UserAgent        string    `json:"user_agent"`
	Device           Device    `json:"device"`
	Location         string    `json:"location"`
	Page             string    `json:"page"`
	Idle             bool      `json:"idle"`
}

// Counts says how many of the people online have which status.
type Counts struct {
	Available int `json:"available"`
	Busy      int `json:"busy"`
	Away      int `json:"away"`
}

// OnlinePage is one page of the list. Count is of all who match, not only of this page.
type OnlinePage struct {
	Users      []Entry   `json:"users"`
	Count      int       `json:"count"`
	Counts     Counts    `json:"counts"`
	Cursor     string    `json:"cursor"` // for Live, which goes on from this list
	NextCursor string    `json:"next_cursor"`
	Timestamp  time.Time `json:"timestamp"`
}

// Online reads one page of who is online.
func (c *Client) Online(ctx context.Context, filter OnlineFilter) (OnlinePage, error) {
	var page OnlinePage
	err := c.call(ctx, http.MethodGet, "/admin/users/online"+filter.query(), nil, &page)
	return page, err
}

// OnlineAll reads all pages and joins them into one. Counts and time are the first page's. Who
// moves to another page meanwhile is listed once.
func (c *Client) OnlineAll(ctx context.Context, filter OnlineFilter) (OnlinePage, error) {
	if filter.Limit == 0 {
		filter.Limit = 1000
	}
	all, err := c.Online(ctx, filter)
	if err != nil {
		return OnlinePage{}, err
	}
	seen := make(map[string]bool, len(all.Users))
	for _, user := range all.Users {
		seen[user.ID] = true
	}
	for all.NextCursor != "" {
		if all.NextCursor == filter.Cursor {
			return OnlinePage{}, errors.New("the server's list does not advance")
		}
		filter.Cursor = all.NextCursor
		page, err := c.Online(ctx, filter)
		if err != nil {
			return OnlinePage{}, err
		}
		all.NextCursor = page.NextCursor
		for _, user := range page.Users {
			if !seen[user.ID] {
				seen[user.ID] = true
				all.Users = append(all.Users, user)
			}
		}
	}
	return all, nil
}
