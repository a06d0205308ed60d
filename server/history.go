package server

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"rollcall/server/web"
	"rollcall/store"
)

const (
	historyRange = 24 * time.Hour // where the caller names no beginning
	heatmapWeeks = 4              // likewise
	serverZone   = "Local"
)

type activityAnswer struct {
	success
	From     string        `json:"from"`
	To       string        `json:"to"`
	StepMS   int64         `json:"step_ms"`
	Since    *string       `json:"since"`
	Points   []point       `json:"points"`
	Days     []dayFigures  `json:"days"`
	Duration sessionLength `json:"duration"`
}

type point struct {
	At     string `json:"at"`
	People *int   `json:"people"` // null: unknown
}

type dayFigures struct {
	Day      string `json:"day"`
	Peak     int    `json:"peak"`
	PeakAt   string `json:"peak_at"`
	Visitors *int   `json:"visitors"`
}

type sessionLength struct {
	AverageMS *int64 `json:"average_ms"`
	MedianMS  *int64 `json:"median_ms"`
}

// activityOverTime answers with how many people were online over time.
func (s *Server) activityOverTime(r *http.Request) (any, error) {
	now := s.now()
	filter, err := activityFilter(r.URL.RawQuery, now)
	if err != nil {
		return nil, err
	}
	a, err := s.store.Activity(r.Context(), now, filter)
	if err != nil {
		return nil, err
	}
	answer := &activityAnswer{From: timestamp(a.From), To: timestamp(a.To), StepMS: a.Step.Milliseconds(), Since: optional(a.Since),
		Points: make([]point, len(a.Points)), Days: make([]dayFigures, len(a.Days)),
		Duration: sessionLength{AverageMS: wholeMillis(a.Sessions.Average), MedianMS: wholeMillis(a.Sessions.Median)}}
	for i, p := range a.Points {
		answer.Points[i] = point{At: timestamp(p.At), People: p.People}
	}
	for i, d := range a.Days {
		answer.Days[i] = dayFigures{Day: d.Day.Format(time.DateOnly), Peak: d.Peak.People, PeakAt: timestamp(d.Peak.At), Visitors: d.Visitors}
	}
	return answer, nil
}

func activityFilter(query string, now time.Time) (f store.ActivityFilter, err error) {
	q, err := web.Query(query, "from", "to", "app", "organization", "step")
	if err != nil {
		return f, err
	}
	from, err := web.ParseTime("from", q.Get("from"))
	if err != nil {
		return f, err
	}
	to, err := web.ParseTime("to", q.Get("to"))
	if err != nil {
		return f, err
	}
	to = cmp.Or(to, &now)
	f = store.ActivityFilter{To: *to, From: to.Add(-historyRange), App: q.Get("app"), Organization: q.Get("organization")}
	if from != nil {
		f.From = *from
	}
	if text := q.Get("step"); text != "" {
		if f.Step, err = time.ParseDuration(text); err != nil || f.Step <= 0 {
			return f, web.Invalid("step must be a duration such as 5m or 1h")
		}
	}
	return f, nil
}

func wholeMillis(d *time.Duration) *int64 {
	if d == nil {
		return nil
	}
	ms := max(d.Milliseconds(), 0) // the clock may have been set back
	return &ms
}

type heatmapAnswer struct {
	success
	Zone  string        `json:"tz"`
	Weeks int           `json:"weeks"`
	Cells []heatCell    `json:"cells"`
	Quiet []quietWindow `json:"quiet"`
	Next  *quietTime    `json:"next_quiet"`
	Note  string        `json:"note"` // why there is nothing quiet
}

type heatCell struct {
	Weekday int     `json:"weekday"` // 1 is Monday
	Hour    int     `json:"hour"`
	Average float64 `json:"average"`
	Peak    int     `json:"peak"`
	Samples int     `json:"samples"` // 0: unknown
}

// heatmap answers with how many people are online by weekday and hour, and when
// nobody is.
func (s *Server) heatmap(r *http.Request) (any, error) {
	filter, err := heatmapFilter(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	answer, err := s.weeks(r.Context(), s.now(), filter)
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func heatmapFilter(query string) (f store.HeatmapFilter, err error) {
	q, err := web.Query(query, "app", "organization", "weeks", "tz")
	if err != nil {
		return f, err
	}
	f = store.HeatmapFilter{App: q.Get("app"), Organization: q.Get("organization"), Weeks: heatmapWeeks, Zone: cmp.Or(q.Get("tz"), serverZone)}
	if text := q.Get("weeks"); text != "" {
		if f.Weeks, err = strconv.Atoi(text); err != nil {
			return f, web.Invalid("weeks must be a number")
		}
	}
	return f, nil
}

func (s *Server) weeks(ctx context.Context, now time.Time, f store.HeatmapFilter) (*heatmapAnswer, error) {
	h, err := s.store.Heatmap(ctx, now, f)
	if err != nil {
		return nil, err
	}
	zone, err := f.Location()
	if err != nil {
		return nil, err
	}
	answer := &heatmapAnswer{Zone: f.Zone, Weeks: f.Weeks, Cells: make([]heatCell, len(h.Cells)), Quiet: make([]quietWindow, len(h.Quiet)),
		Next: nextQuiet(now.In(zone), h.Quiet), Note: noteWords[h.Note]}
	for i, c := range h.Cells {
		answer.Cells[i] = heatCell{Weekday: i/24 + 1, Hour: i % 24, Average: math.Round(c.Average*100) / 100, Peak: c.Peak, Samples: c.Samples}
	}
	for i, w := range h.Quiet {
		answer.Quiet[i] = answerQuiet(w)
	}
	return answer, nil
}
