package client

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// ActivityFilter chooses a part of the history. Empty fields are left to the server: the last 24 hours of
// everybody.
type ActivityFilter struct {
	From, To          *time.Time
	App, Organization string
	Step              time.Duration // between two points
}

// Activity is how many people were online over time.
type Activity struct {
	From     time.Time       `json:"from"`
	To       time.Time       `json:"to"`
	StepMS   int64           `json:"step_ms"`
	Since    *time.Time      `json:"since"` // the first count that is kept
	Points   []ActivityPoint `json:"points"`
	Days     []DayFigures    `json:"days"` // of everybody
	Duration SessionLength   `json:"duration"`
}

// ActivityPoint is the most people online at once in a step.
type ActivityPoint struct {
	At     time.Time `json:"at"`
	People *int      `json:"people"` // nil: unknown
}

// DayFigures are of a day in UTC.
type DayFigures struct {
	Day      string    `json:"day"` // such as 2026-03-02
	Peak     int       `json:"peak"`
	PeakAt   time.Time `json:"peak_at"`
	Visitors *int      `json:"visitors"` // nil: not counted, or not yet
}

// SessionLength is of the sessions that ended in some time; nil without any.
type SessionLength struct {
	AverageMS *int64 `json:"average_ms"`
	MedianMS  *int64 `json:"median_ms"`
}

// Activity reads how many people were online over time.
func (c *Client) Activity(ctx context.Context, filter ActivityFilter) (Activity, error) {
	var answer Activity
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

// Heatmap is how many people are online by weekday and hour, and when nobody is.
type Heatmap struct {
	Zone  string        `json:"tz"`
	Weeks int           `json:"weeks"`
	Cells []HeatCell    `json:"cells"` // from Monday 00:00 on
	Quiet []QuietWindow `json:"quiet"` // the longest first
	Next  *QuietTime    `json:"next_quiet"`
	Note  string        `json:"note"` // why there is nothing quiet
}

// HeatCell is an hour of the week.
type HeatCell struct {
	Weekday int     `json:"weekday"` // 1 is Monday
	Hour    int     `json:"hour"`
	Average float64 `json:"average"`
	Peak    int     `json:"peak"`
	Samples int     `json:"samples"` // 0: unknown
}

// QuietWindow is a time of the week in which never more than Peak people were online.
type QuietWindow struct {
	Weekday   int    `json:"weekday"`
	From      string `json:"from"`
	ToWeekday int    `json:"to_weekday"`
	To        string `json:"to"`
	Minutes   int    `json:"minutes"`
	Weeks     int    `json:"weeks"`
	Peak      int    `json:"peak"`
	Words     string `json:"words"`
}

// QuietTime is when a quiet window is open next, or now.
type QuietTime struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Peak  int       `json:"peak"`
	Words string    `json:"words"`
}

// Heatmap reads how many people are online by weekday and hour.
func (c *Client) Heatmap(ctx context.Context, filter HeatmapFilter) (Heatmap, error) {
	var answer Heatmap
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
