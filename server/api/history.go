package api

import (
	"math"
	"time"

	"rollcall/store/history"
)

// Activity is how many people were online over time.
type Activity struct {
	From     Time            `json:"from"`
	To       Time            `json:"to"`
	StepMS   int64           `json:"step_ms"`
	Since    *Time           `json:"since"` // the first count that is kept
	Points   []ActivityPoint `json:"points"`
	Days     []DayFigures    `json:"days"` // of everybody
	Duration SessionLength   `json:"duration"`
}

// ActivityPoint is the most people online at once in the step that begins then.
type ActivityPoint struct {
	At     Time `json:"at"`
	People *int `json:"people"` // null: unknown
}

// DayFigures are of a day in UTC.
type DayFigures struct {
	Day      string `json:"day"` // such as 2026-03-02
	Peak     int    `json:"peak"`
	PeakAt   Time   `json:"peak_at"`
	Visitors *int   `json:"visitors"` // null: not counted, or not yet
}

// SessionLength is of the sessions that ended in some time, in milliseconds; null without any.
type SessionLength struct {
	AverageMS *int64 `json:"average_ms"`
	MedianMS  *int64 `json:"median_ms"`
}

// ActivityOf is the activity for an answer.
func ActivityOf(a history.Activity) Activity {
	answer := Activity{From: At(a.From), To: At(a.To), StepMS: a.Step.Milliseconds(), Since: AtOptional(a.Since),
		Points: make([]ActivityPoint, len(a.Points)), Days: make([]DayFigures, len(a.Days)),
		Duration: SessionLength{AverageMS: milliseconds(a.Sessions.Average), MedianMS: milliseconds(a.Sessions.Median)}}
	for i, p := range a.Points {
		answer.Points[i] = ActivityPoint{At: At(p.At), People: p.People}
	}
	for i, d := range a.Days {
		answer.Days[i] = DayFigures{Day: d.Day.Format(time.DateOnly), Peak: d.Peak.People, PeakAt: At(d.Peak.At), Visitors: d.Visitors}
	}
	return answer
}

// Heatmap is how many people are online by weekday and hour.
type Heatmap struct {
	Zone  string        `json:"tz"`
	Weeks int           `json:"weeks"`
	Cells []HeatCell    `json:"cells"` // from Monday 0:00 on
	Quiet []QuietWindow `json:"quiet"` // the longest first
	Next  *QuietTime    `json:"next_quiet"`
	Note  string        `json:"note"` // why there is nothing quiet
}

// HeatCell is an hour of the week.
type HeatCell struct {
	Weekday int     `json:"weekday"` // 1 is Monday
	Hour    int     `json:"hour"`
	Average float64 `json:"average"` // people, with two decimals
	Peak    int     `json:"peak"`
	Samples int     `json:"samples"` // 0: unknown
}

// HeatmapOf is what was counted by f, for an answer at now in the zone of f.
func HeatmapOf(h history.Heatmap, f history.HeatmapFilter, now time.Time) Heatmap {
	answer := Heatmap{Zone: f.Zone, Weeks: f.Weeks, Cells: make([]HeatCell, len(h.Cells)), Quiet: make([]QuietWindow, len(h.Quiet)),
		Next: nextQuiet(now, h.Quiet), Note: noteWords[h.Note]}
	for i, c := range h.Cells {
		answer.Cells[i] = HeatCell{Weekday: i/24 + 1, Hour: i % 24, Average: math.Round(c.Average*100) / 100, Peak: c.Peak, Samples: c.Samples}
	}
	for i, w := range h.Quiet {
		answer.Quiet[i] = quietWindowOf(w)
	}
	return answer
}
