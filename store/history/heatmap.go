package history

import (
	"context"
	"database/sql"
	"fmt"
	"time"
	_ "time/tzdata" // a container from scratch knows no zones

	"rollcall/store/sqldb"
)

// MaxHeatmapWeeks is how far back a heat map may look.
const MaxHeatmapWeeks = 52

// HeatmapFilter chooses what a heat map is of. Empty fields choose everybody.
type HeatmapFilter struct {
	App, Organization string
	Weeks             int    // the last so many
	Zone              string // IANA name; "Local" is the server's own
}

// Heatmap is how many people were online by weekday and hour of local time.
type Heatmap struct {
	Cells [7 * 24]HeatCell // from Monday 00:00 on
	Quiet []QuietWindow    // see Quiet
	Note  QuietNote        // why there are none
}

// HeatCell is an hour of the week, over some weeks. Where the clock is changed
// the hour is missing in one of them, or is there twice.
type HeatCell struct {
	Average float64
	Peak    int
	Samples int // 0: nothing is known
}

// QuietNote is why a heat map names no quiet windows; "" where it does.
type QuietNote string

// The notes.
const (
	QuietTooEarly QuietNote = "too_early" // there are less than two weeks of history
	QuietGaps     QuietNote = "gaps"      // no half hour is known of every week
	QuietUnknown  QuietNote = "unknown"   // nobody of this app or organization was ever seen: it may be misspelt
)

// Heatmap returns the last weeks before now by weekday and hour. It returns
// ErrInvalid for an unknown zone or a number of weeks that can not be.
func (h *History) Heatmap(ctx context.Context, now time.Time, f HeatmapFilter) (Heatmap, error) {
	if f.Weeks < 1 || f.Weeks > MaxHeatmapWeeks {
		return Heatmap{}, sqldb.Invalid(fmt.Sprintf("weeks must be between 1 and %d", MaxHeatmapWeeks))
	}
	if _, err := f.Location(); err != nil {
		return Heatmap{}, err
	}
	answer, err := h.heatmaps.Get(ctx, now, heatmapQuestion{f, now.Truncate(SampleEvery).UnixMilli()})
	return answer, sqldb.Wrap("reading the heat map", err)
}

// heatmapQuestion is a filter with the end of the weeks: until the next sample is due,
// only what changes the samples changes the answer.
type heatmapQuestion struct {
	HeatmapFilter
	end int64 // the sample of then may not be there yet
}

// Location returns the zone, or ErrInvalid.
func (f HeatmapFilter) Location() (*time.Location, error) {
	zone, err := time.LoadLocation(f.Zone)
	if err != nil || f.Zone == "" {
		return nil, sqldb.Invalid("tz must be a time zone such as Europe/Berlin")
	}
	return zone, nil
}

func (h *History) findHeatmap(ctx context.Context, _ time.Time, f heatmapQuestion) (heatmap Heatmap, err error) {
	zone, err := f.Location()
	if err != nil {
		return heatmap, err
	}
	end := sqldb.Time(f.end).In(zone)
	weeks := newWeeks(end, f.Weeks)
	var samples []knownSample
	var known time.Time // from when on
	err = h.db.Snapshot(ctx, func(look *sql.Tx) error {
		var err error
		if samples, err = readSamples(ctx, look, f.App, f.Organization, weeks.begin.UnixMilli(), end.UnixMilli()); err != nil {
			return err
		}
		known, err = knownFrom(ctx, look, f.Organization, end)
		return err
	})
	if err != nil {
		return heatmap, err
	}
	weeks.add(samples)
	heatmap.Cells = weeks.cells()
	heatmap.Quiet, heatmap.Note = weeks.quiet(int(end.Sub(known)/(7*day)), f.App != "" || f.Organization != "")
	return heatmap, nil
}

// knownFrom is since when there are samples, end where there are none.
func knownFrom(ctx context.Context, look *sql.Tx, organization string, end time.Time) (time.Time, error) {
	first, err := firstSample(ctx, look)
	if err != nil || first == nil {
		return end, err
	}
	if organization == "" {
		return *first, nil
	}
	_, kept, err := keptOf(ctx, look, organization, first.UnixMilli())
	return sqldb.Time(kept), err
}

const (
	halfHours = 7 * 24 * 2 // of a week
	weekMS    = int64(7 * day / time.Millisecond)
	halfMS    = int64(30 * time.Minute / time.Millisecond)
)

// weeks are samples by week, and half hour of the week, as a clock on the wall
// would show them.
type weeks struct {
	begin, end time.Time
	tallies    [][halfHours]tally // the latest week last
}

// tally is what is known of one half hour.
type tally struct {
	due     int // samples that belong into it: 6, and 0 or 12 where the clock is changed
	samples int
	people  int // in all samples together
	peak    int
}

func newWeeks(end time.Time, n int) *weeks {
	return &weeks{begin: end.AddDate(0, 0, -7*n), end: end, tallies: make([][halfHours]tally, n)}
}

// onTheWall is what a clock on the wall shows at an instant, in milliseconds
// since Monday 00:00 of a week long ago.
func onTheWall(at time.Time) int64 {
	_, offset := at.Zone()
	return at.UnixMilli() + int64(offset)*1000 + 3*day.Milliseconds() // 1970 began on a Thursday
}

// add sorts in samples, which are in order.
func (w *weeks) add(samples []knownSample) {
	begin := onTheWall(w.begin)
	for at := w.begin.UnixMilli(); at < w.end.UnixMilli(); at += SampleEvery.Milliseconds() {
		wall := onTheWall(time.UnixMilli(at).In(w.end.Location()))
		week := min(max((wall-begin)/weekMS, 0), int64(len(w.tallies)-1)) // the clock may have been changed at either end
		t := &w.tallies[week][floorMod(wall, weekMS)/halfMS]
		t.due++
		if len(samples) > 0 && samples[0].at == at {
			people := samples[0].people
			t.samples, t.people, t.peak = t.samples+1, t.people+people, max(t.peak, people)
			samples = samples[1:]
		}
	}
}

func floorMod(ms, multiple int64) int64 { return ms - floor(ms, multiple) }

func (w *weeks) cells() (cells [7 * 24]HeatCell) {
	for i := range cells {
		people := 0
		for week := range w.tallies {
			for _, t := range w.tallies[week][2*i : 2*i+2] {
				cells[i].Samples += t.samples
				cells[i].Peak = max(cells[i].Peak, t.peak)
				people += t.people
			}
		}
		if cells[i].Samples > 0 {
			cells[i].Average = float64(people) / float64(cells[i].Samples)
		}
	}
	return cells
}
