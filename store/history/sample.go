package history

import (
	"cmp"
	"context"
	"database/sql"
	"hash/maphash"
	"slices"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// SampleEvery is the grid of the history: one sample for every such interval.
const SampleEvery = 5 * time.Minute

// sampleBatch bounds the rows of a sample that one write adds.
const sampleBatch = 500

const day = 24 * time.Hour

// A series is what a sample counts: the people of an organization, 0 for all,
// in an app, "" for all.
type series struct {
	organization int64
	app          string
}

// everybody is the series that has a row in every sample.
var everybody = series{}

type sample struct {
	series
	people int
}

// RecordPeak keeps how many people are online at now if that is the most of the day (UTC). While
// the clock is skewed, or in an outage, it does nothing, as Sample: the day may be another one.
func (h *History) RecordPeak(ctx context.Context, now time.Time, people int) error {
	if h.slack().CountsNobody() {
		return nil
	}
	return h.db.WriteOne(ctx, func(t *sqldb.Tx) error {
		_, err := t.Exec(`
			INSERT INTO daily_peaks (day, people, at) VALUES ($1, $2, $3)
			ON CONFLICT (day) DO UPDATE SET people = excluded.people, at = excluded.at WHERE excluded.people > daily_peaks.people`,
			midnight(now), people, now.UnixMilli())
		return sqldb.Wrap("keeping the day's peak", err)
	})
}

// Peak is the most people that were online at once.
type Peak struct {
	People int
	At     time.Time
}

// PeakOfDay returns the peak so far of the day (UTC) that now is in; sqldb.ErrNotFound before
// the first sample of it.
func PeakOfDay(ctx context.Context, look *sql.Tx, now time.Time) (peak Peak, err error) {
	var at int64
	err = look.QueryRowContext(ctx, `SELECT people, at FROM daily_peaks WHERE day = $1`, midnight(now)).Scan(&peak.People, &at)
	peak.At = sqldb.Time(at)
	return peak, sqldb.Wrap("reading the day's peak", err)
}

// Sample adds the sample of the interval that now is in, once; where
// there is one from before a restart, the higher count of each series stays.
// While the clock is skewed, or in an outage, it does nothing:
// nobody knows who is there, nor which interval it is.
func (h *History) Sample(ctx context.Context, now time.Time) error {
	at := now.Truncate(SampleEvery).UnixMilli()
	if h.slack().CountsNobody() || h.sampled.Load() == at {
		return nil
	}
	rows, err := h.countSeries(ctx, now)
	if err != nil {
		return sqldb.Wrap("counting who is online", err)
	}
	defer h.heatmaps.Invalidate() // also of what was cut short
	// The row of everybody, which makes a sample of the others, comes last: if this
	// is cut short, nothing is known, which is true.
	for some := range slices.Chunk(rows, sampleBatch) {
		if err := h.db.Write(ctx, func(t *sqldb.Tx) error { return addSamples(t, at, some) }); err != nil {
			return err
		}
	}
	h.sampled.Store(at)
	return nil
}

// countSeries counts the people online in every series that has any, and last
// everybody.
func (h *History) countSeries(ctx context.Context, now time.Time) (rows []sample, err error) {
	all, apps, organizations, both := 0, map[string]int{}, map[int64]int{}, map[series]int{}
	seen, names, err := h.eachInApp(ctx, now)
	for i, one := range seen {
		if i > 0 && one.person == seen[i-1].person && one.app == seen[i-1].app { // of the organizations of a person in an app the last counts
			continue
		}
		first := 0 // else the person is counted in another app before this
		if i == 0 || one.person != seen[i-1].person {
			first = 1
		}
		all += first
		apps[names[one.app]]++
		if one.organization != 0 {
			organizations[one.organization] += first
			both[series{one.organization, names[one.app]}]++
		}
	}
	for of, people := range both {
		rows = append(rows, sample{of, people})
	}
	for app, people := range apps {
		rows = append(rows, sample{series{app: app}, people})
	}
	for organization, people := range organizations {
		rows = append(rows, sample{series{organization: organization}, people})
	}
	return append(rows, sample{everybody, all}), err
}

// inApp is a session of a person, 0 for no organization, in an app.
type inApp struct {
	person       uint64 // a hash: there may be a million
	organization int64
	app          int // of the names
}

// eachInApp returns who is online in which app, person by person, the apps in the order of their names.
func (h *History) eachInApp(ctx context.Context, now time.Time) (seen []inApp, names []string, err error) {
	seed, known := maphash.MakeSeed(), map[string]int{}
	err = h.online(ctx, now, `s.user_id, s.app, COALESCE(s.organization_id, 0)`, func(rows *sql.Rows) error {
		var user, app sql.RawBytes
		var one inApp
		err := rows.Scan(&user, &app, &one.organization)
		if string(app) == presence.PanelApp {
			return err
		}
		name, ok := known[string(app)]
		if !ok {
			name = len(known)
			known[string(app)] = name
			names = append(names, string(app))
		}
		one.person, one.app = maphash.Bytes(seed, user), name
		seen = append(seen, one)
		return err
	})
	slices.SortFunc(seen, func(a, b inApp) int {
		return cmp.Or(cmp.Compare(a.person, b.person), cmp.Compare(names[a.app], names[b.app]), cmp.Compare(b.organization, a.organization))
	})
	return seen, names, err
}

// addSamples adds rows of the sample at. An organization that has been deleted
// since it was counted must not leave anything.
func addSamples(t *sqldb.Tx, at int64, rows []sample) error {
	for _, row := range rows {
		_, err := t.Exec(`
			INSERT INTO activity_samples (organization_id, app, at, people)
			SELECT id, $2, $3, $4 FROM (SELECT 0 AS id UNION ALL SELECT id FROM organizations) o WHERE id = $1
			ON CONFLICT (organization_id, app, at) DO UPDATE SET people = excluded.people WHERE excluded.people > activity_samples.people`,
			row.organization, row.app, at, row.people)
		if err != nil {
			return sqldb.Wrap("adding a sample", err)
		}
	}
	return nil
}

// Purge removes what is past its retention. Samples of organizations go
// with the sessions: of a small one they nearly tell about persons.
func (h *History) Purge(ctx context.Context, now time.Time) error {
	defer h.heatmaps.Invalidate()
	history := now.Add(-h.rules.HistoryRetention).UnixMilli()
	organizations := max(history, now.Add(-h.rules.Retention).UnixMilli())
	if err := h.noteKept(ctx, organizations); err != nil {
		return err
	}
	oldest, err := h.oldestSamples(ctx)
	if err != nil {
		return sqldb.Wrap("looking for old samples", err)
	}
	for which, at := range oldest {
		limit := history
		if which.organization != 0 {
			limit = organizations
		}
		if at > limit {
			continue
		}
		_, err := h.db.InBatchesAside(ctx, `
			DELETE FROM activity_samples WHERE organization_id = $1 AND app = $2 AND at <= $3
			AND at IN (SELECT at FROM activity_samples WHERE organization_id = $1 AND app = $2 AND at <= $3 ORDER BY at LIMIT $4)`,
			which.organization, which.app, limit)
		if err != nil {
			return sqldb.Wrap("removing old samples", err)
		}
	}
	_, err = h.db.InBatchesAside(ctx, `DELETE FROM daily_peaks WHERE day IN (SELECT day FROM daily_peaks WHERE day <= $1 LIMIT $2)`, history-day.Milliseconds())
	return sqldb.Wrap("removing old peaks", err)
}

// noteKept says from when on samples of organizations tell the truth: one that
// has been removed must not look like nobody.
func (h *History) noteKept(ctx context.Context, from int64) error {
	return h.db.WriteOne(ctx, func(t *sqldb.Tx) error {
		_, err := t.Exec(`
			INSERT INTO settings (name, value) VALUES ('organization_samples_from', $1)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE settings.value < excluded.value`, from)
		return sqldb.Wrap("noting what history is kept", err)
	})
}

func (h *History) oldestSamples(ctx context.Context) (map[series]int64, error) {
	oldest := map[series]int64{}
	err := h.db.HeavySnapshot(ctx, func(look *sql.Tx) error {
		return sqldb.Each(ctx, look, func(rows *sql.Rows) error {
			var which series
			var at int64
			err := rows.Scan(&which.organization, &which.app, &at)
			oldest[which] = at
			return err
		}, `SELECT organization_id, app, MIN(at) FROM activity_samples GROUP BY organization_id, app`)
	})
	return oldest, err
}
