package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"rollcall/server/api"
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

// Online reads one page of who is online.
func (c *Client) Online(ctx context.Context, filter OnlineFilter) (api.Online, error) {
	return ask[api.Online](ctx, c, http.MethodGet, "/admin/users/online"+filter.query(), nil)
}

// OnlineAll reads all pages and joins them into one. Counts and time are the first page's. A list by activity is read
// by name, because a heartbeat between two pages moves its person to one that has been read.
func (c *Client) OnlineAll(ctx context.Context, filter OnlineFilter) (api.Online, error) {
	if filter.Sort == "" || filter.Sort == "last_activity" {
		filter.Sort = "name"
		all, err := c.OnlineAll(ctx, filter)
		slices.SortStableFunc(all.Users, func(a, b api.Person) int { return b.LastActivityAt.Compare(a.LastActivityAt.Time) })
		return all, err
	}
	if filter.Limit == 0 {
		filter.Limit = 1000
	}
	all, err := c.Online(ctx, filter)
	if err != nil {
		return api.Online{}, err
	}
	type person struct{ directory, id string }
	seen := make(map[person]bool, len(all.Users))
	for _, user := range all.Users {
		seen[person{user.Directory, user.ID}] = true
	}
	for all.NextCursor != "" {
		if all.NextCursor == filter.Cursor {
			return api.Online{}, errors.New("the server's list does not advance")
		}
		filter.Cursor = all.NextCursor
		page, err := c.Online(ctx, filter)
		if err != nil {
			return api.Online{}, err
		}
		all.NextCursor = page.NextCursor
		for _, user := range page.Users {
			if who := (person{user.Directory, user.ID}); !seen[who] {
				seen[who] = true
				all.Users = append(all.Users, user)
			}
		}
	}
	return all, nil
}
