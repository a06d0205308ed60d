package client

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"rollcall/server/api"
)

// ActivityFilter chooses a part of the history. Empty fields are left to the server: the last 24 hours of
// everybody.
type ActivityFilter struct {
	From, To          *time.Time
	App, Organization string
	Step              time.Duration // between two points
}

// Activity reads how many people were online over time.
func (c *Client) Activity(ctx context.Context, filter ActivityFilter) (api.Activity, error) {
	var answer api.Activity
	err := c.call(ctx, http.MethodGet, "/admin/stats/activity"+listQuery(0, map[string]string{
		"from": optionalTime(filter.From), "to": optionalTime(filter.To), "app": filter.App, "organization": filter.Organization, "step": nonZero(filter.Step, filter.Step.String()),
	}), nil, &answer)
	return answer, err
}

// HeatmapFilter chooses what a heat map is of. Empty fields are left to the server: the last four weeks of
// everybody, in its own time zone.
type HeatmapFilter struct {
	App, Organization string
	Weeks             int
	Zone              string // such as Europe/Berlin
}

// Heatmap reads how many people are online by weekday and hour.
func (c *Client) Heatmap(ctx context.Context, filter HeatmapFilter) (api.Heatmap, error) {
	var answer api.Heatmap
	err := c.call(ctx, http.MethodGet, "/admin/stats/heatmap"+listQuery(0, map[string]string{
		"app": filter.App, "organization": filter.Organization, "weeks": nonZero(filter.Weeks, strconv.Itoa(filter.Weeks)), "tz": filter.Zone,
	}), nil, &answer)
	return answer, err
}

// nonZero is a number's text, "" for none.
func nonZero[N ~int | ~int64](n N, text string) string {
	if n == 0 {
		return ""
	}
	return text
}
