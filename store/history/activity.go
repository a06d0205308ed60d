package history

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Bounds of how many points an answer about the activity has.
const (
	MaxPoints     = 1000
	defaultPoints = 300 // at most, where the caller names no step
)

// ActivityFilter chooses what of the history is asked for. Empty fields choose
// everybody; the panel's own sessions are in no history.
type ActivityFilter struct {
	From, To          time.Time
	App, Organization string
	Step              time.Duration // between two points; 0: one that suits the range
}

// Activity is how many people were online over time.
type Activity struct {
	From, To time.Time // whole steps
	Step     time.Duration
	Since    *time.Time // the first sample that is kept; nil without any
	Points   []Point
	Days     []DayFigures // of all apps and organizations, whatever the filter
	Sessions SessionLengths
}

// Point is the most people online at once in the step that begins at At; nil
// where nothing is known of any of its samples.
type Point struct {
	At     time.Time
	People *int
}

// DayFigures are of one day (UTC).
type DayFigures struct {
	Day      time.Time
	Peak     Peak
	Visitors *int // different people; nil while the day goes on, or where they were not counted
}

// SessionLengths are of sessions that ended in some time; nil without any.
type SessionLengths struct {
	Average, Median *time.Duration
}

// Activity returns the history in whole steps: its ends are moved outwards, but
// not past now, so that a point means the same in every range. The step that
// goes on at now is left out until it has a sample. It returns ErrInvalid for a
// range or a step that can not be.
func (h *History) Activity(ctx context.Context, now time.Time, f ActivityFilter) (Activity, error) {
	q, err := f.withDefaults(now)
	if err != nil {
		return Activity{}, err
	}
	answer, err := h.activities.Get(ctx, now, q)
	return answer, sqldb.Wrap("reading the activity", err)
}

// activityQuestion is a filter as it can be compared and remembered.
type activityQuestion struct {
	from, to, step    int64
	app, organization string
}

func (f ActivityFilter) withDefaults(now time.Time) (q activityQuestion, err error) {
	if f.To.After(now) {
		f.To = now
	}
	q = activityQuestion{app: f.App, organization: f.Organization, step: f.Step.Milliseconds()}
	from, to, grid := f.From.UnixMilli(), f.To.UnixMilli(), SampleEvery.Milliseconds()
	if q.step == 0 {
		q.step = suitableStep(to - from)
	}
	switch {
	case from >= to:
		return q, sqldb.Invalid("from must be before to, and not in the future")
	case q.step < grid || f.Step%SampleEvery != 0:
		return q, sqldb.Invalid(fmt.Sprintf("step must be a multiple of %s", SampleEvery))
	}
	q.from, q.to = floor(from, q.step), -floor(-to, q.step)
	if (q.to-q.from)/q.step > MaxPoints {
		return q, sqldb.Invalid(fmt.Sprintf("step is too short for this range: there may be %d points", MaxPoints))
	}
	return q, nil
}

// suitableStep is the shortest of those that divide a day or are whole days,
// which does not lead to too many points.
func suitableStep(span int64) int64 {
	for _, step := range []time.Duration{SampleEvery, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour} {
		if span/step.Milliseconds() < defaultPoints {
			return step.Milliseconds()
		}
	}
	return (span/day.Milliseconds()/defaultPoints + 1) * day.Milliseconds()
}

// floor rounds down to a multiple, also what is before 1970.
func floor(ms, multiple int64) int64 {
	if rest := ms % multiple; rest < 0 {
		return ms - rest - multiple
	} else {
		return ms - rest
	}
}

func (h *History) findActivity(ctx context.Context, now time.Time, q activityQuestion) (a Activity, err error) {
	a = Activity{From: sqldb.Time(q.from), To: sqldb.Time(q.to), Step: time.Duration(q.step) * time.Millisecond, Points: []Point{}, Days: []DayFigures{}}
	err = h.db.Snapshot(ctx, func(look *sql.Tx) error {
		samples, err := readSamples(ctx, look, q.app, q.organization, q.from, q.to)
		a.Points = q.points(samples, now.UnixMilli())
		if err == nil {
			a.Since, err = firstSample(ctx, look)
		}
		if err == nil {
			err = q.readDays(ctx, look, &a)
		}
		if err == nil {
			a.Sessions, err = q.lengths(ctx, look)
		}
		return err
	})
	return a, err
}

// points are the steps with the highest of their samples.
func (q activityQuestion) points(samples []knownSample, now int64) []Point {
	points := []Point{}
	for at := q.from; at < q.to; at += q.step {
		point := Point{At: sqldb.Time(at)}
		for ; len(samples) > 0 && samples[0].at < at+q.step; samples = samples[1:] {
			if people := samples[0].people; point.People == nil || people > *point.People {
				point.People = &people
			}
		}
		if point.People != nil || at+q.step <= now {
			points = append(points, point)
		}
	}
	return points
}

// knownSample is how many people were online at a time.
type knownSample struct {
	at     int64
	people int
}

// readSamples returns the samples of an app and organization in order, those
// with nobody too. Where there is no row of everybody nothing is known, nor
// where samples of organizations have been removed.
func readSamples(ctx context.Context, look *sql.Tx, app, organization string, from, to int64) (samples []knownSample, err error) {
	which := series{app: app}
	if organization != "" {
		if which.organization, from, err = keptOf(ctx, look, organization, from); err != nil {
			return nil, err
		}
	}
	known, err := everybody.samples(ctx, look, from, to)
	if err != nil || which == everybody {
		return known, err
	}
	there, err := which.samples(ctx, look, from, to)
	for i := range known {
		known[i].people = 0
		for len(there) > 0 && there[0].at < known[i].at { // of a sample that was cut short
			there = there[1:]
		}
		if len(there) > 0 && there[0].at == known[i].at {
			known[i], there = there[0], there[1:]
		}
	}
	return known, err
}

// samples returns the rows of a series in order. Both databases read one series
// from its index; asked to join two, PostgreSQL may go through all of the other
// for each row.
func (w series) samples(ctx context.Context, look *sql.Tx, from, to int64) (samples []knownSample, err error) {
	err = sqldb.Each(ctx, look, func(rows *sql.Rows) error {
		var sample knownSample
		err := rows.Scan(&sample.at, &sample.people)
		samples = append(samples, sample)
		return err
	}, `
		SELECT at, people FROM activity_samples
		WHERE organization_id = $1 AND app = $2 AND at >= $3 AND at < $4 ORDER BY at`, w.organization, w.app, from, to)
	return samples, err
}

// keptOf returns the id of an organization, one that nobody has if there is
// none of this name, and from when on its samples are kept, not before from.
func keptOf(ctx context.Context, look *sql.Tx, name string, from int64) (id, kept int64, err error) {
	err = look.QueryRowContext(ctx, `
		SELECT COALESCE((SELECT id FROM organizations WHERE name = $1), -1),
		       COALESCE((SELECT value FROM settings WHERE name = 'organization_samples_from'), 0)`, name).Scan(&id, &kept)
	return id, max(from, kept+1), err
}

func firstSample(ctx context.Context, look *sql.Tx) (*time.Time, error) {
	var first sql.NullInt64
	err := look.QueryRowContext(ctx, `SELECT MIN(at) FROM activity_samples WHERE organization_id = 0 AND app = ''`).Scan(&first)
	if err != nil || !first.Valid {
		return nil, err
	}
	at := sqldb.Time(first.Int64)
	return &at, nil
}

// readDays reads those of which a part is in the range.
func (q activityQuestion) readDays(ctx context.Context, look *sql.Tx, a *Activity) error {
	return sqldb.Each(ctx, look, func(rows *sql.Rows) error {
		var d DayFigures
		var day, at int64
		err := rows.Scan(&day, &d.Peak.People, &at, &d.Visitors)
		d.Day, d.Peak.At = sqldb.Time(day), sqldb.Time(at)
		a.Days = append(a.Days, d)
		return err
	}, `SELECT day, people, at, visitors FROM daily_peaks WHERE day >= $1 AND day < $2 ORDER BY day`, floor(q.from, day.Milliseconds()), q.to)
}

// lengths are those of the sessions that ended in the range.
func (q activityQuestion) lengths(ctx context.Context, look *sql.Tx) (l SessionLengths, err error) {
	organization := int64(0)
	if q.organization != "" {
		if organization, _, err = keptOf(ctx, look, q.organization, 0); err != nil {
			return l, err
		}
	}
	ended := sqldb.NewQuery(`is_active = false AND ended_at >= ? AND ended_at < ?`, q.from, q.to)
	if q.app != "" {
		ended.And(`app || '' = ?`, q.app) // by when they ended, not by the index on apps
	} else {
		ended.And(`app <> ?`, presence.PanelApp)
	}
	if organization != 0 {
		ended.And(`organization_id = ?`, organization)
	}
	l.Average, l.Median, err = Lengths(ctx, look, ended)
	return l, err
}

// Lengths returns average and median of the sessions that a condition on
// user_sessions names.
func Lengths(ctx context.Context, look *sql.Tx, which *sqldb.Query) (average, median *time.Duration, err error) {
	var averageMS, medianMS sql.NullFloat64
	err = look.QueryRowContext(ctx, `
		SELECT AVG(ms), AVG(CASE WHEN n IN ((total + 1) / 2, (total + 2) / 2) THEN ms END) FROM (
			SELECT ended_at - created_at AS ms, ROW_NUMBER() OVER (ORDER BY ended_at - created_at) AS n, COUNT(*) OVER () AS total
			FROM user_sessions WHERE `+which.String()+`) ended`, which.Args()...).Scan(&averageMS, &medianMS)
	return duration(averageMS), duration(medianMS), err
}

func duration(ms sql.NullFloat64) *time.Duration {
	if !ms.Valid {
		return nil
	}
	d := time.Duration(ms.Float64 * float64(time.Millisecond))
	return &d
}
