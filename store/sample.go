package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"rollcall/store/presence"
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

// Sample counts the people online at now and keeps the count if it is the
// highest of the day.
func (s *Store) Sample(ctx context.Context, now time.Time) error {
	counts, err := s.CountOnline(ctx, now)
	if err != nil {
		return err
	}
	return s.writeOne(ctx, func(t *tx) error {
		_, err := t.exec(`
			INSERT INTO daily_peaks (day, people, at) VALUES ($1, $2, $3)
			ON CONFLICT (day) DO UPDATE SET people = excluded.people, at = excluded.at WHERE excluded.people > daily_peaks.people`,
			midnight(now), counts.People(), now.UnixMilli())
		return wrapErr("keeping the day's peak", err)
	})
}

func midnight(now time.Time) int64 { return now.UTC().Truncate(day).UnixMilli() }

// SampleActivity adds the sample of the interval that now is in, once; where
// there is one from before a restart, the higher count of each series stays.
// While a step of the clock is forgiven, or people are awaited, it does nothing:
// nobody knows who is there, nor which interval it is.
func (s *Store) SampleActivity(ctx context.Context, now time.Time) error {
	at := now.Truncate(SampleEvery).UnixMilli()
	if s.slack.Load().ClockSkewed() || s.slack.Load().InOutage() || s.sampled.Load() == at {
		return nil
	}
	rows, err := s.countSeries(ctx, now)
	if err != nil {
		return wrapErr("counting who is online", err)
	}
	defer s.heatmap.forget() // also of what was cut short
	// The row of everybody, which makes a sample of the others, comes last: if this
	// is cut short, nothing is known, which is true.
	for some := range slices.Chunk(rows, sampleBatch) {
		if err := s.write(ctx, func(t *tx) error { return t.addSamples(at, some) }); err != nil {
			return err
		}
	}
	s.sampled.Store(at)
	return nil
}

// countSeries counts the people online in every series that has any, and last
// everybody.
func (s *Store) countSeries(ctx context.Context, now time.Time) (rows []sample, err error) {
	all, apps, organizations := 0, map[string]int{}, map[int64]int{}
	q := seriesQuery(s.at(now))
	err = s.heavySnapshot(ctx, func(look *sql.Tx) error {
		return each(ctx, look, func(found *sql.Rows) error {
			var c sample
			var first int // of the people, those who are counted in no app before this
			err := found.Scan(&c.organization, &c.app, &c.people, &first)
			all += first
			apps[c.app] += c.people
			if c.organization != 0 {
				organizations[c.organization] += first
				rows = append(rows, c)
			}
			return err
		}, q.String(), q.args...)
	})
	for app, people := range apps {
		rows = append(rows, sample{series{app: app}, people})
	}
	for organization, people := range organizations {
		rows = append(rows, sample{series{organization: organization}, people})
	}
	return append(rows, sample{everybody, all}), err
}

// seriesQuery counts by organization, 0 for none, and app, in one pass: a person
// has one organization, but may be in several apps.
func seriesQuery(m presence.Cutoffs) *query {
	return new(query).add(`
		SELECT organization, app, COUNT(*), SUM(CASE WHEN nth = 1 THEN 1 ELSE 0 END) FROM (
			SELECT organization, app, ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY app) AS nth FROM (
				SELECT s.user_id, s.app, MAX(COALESCE(s.organization_id, 0)) AS organization
				FROM user_sessions s WHERE `+presence.OnlineRule("s"), m.Bounds()...).
		and(`s.app <> ? GROUP BY s.user_id, s.app) each_app) people GROUP BY organization, app`, PanelApp)
}

// addSamples adds rows of the sample at. An organization that has been deleted
// since it was counted must not leave anything.
func (t *tx) addSamples(at int64, rows []sample) error {
	for _, row := range rows {
		_, err := t.exec(`
			INSERT INTO activity_samples (organization_id, app, at, people)
			SELECT id, $2, $3, $4 FROM (SELECT 0 AS id UNION ALL SELECT id FROM organizations) o WHERE id = $1
			ON CONFLICT (organization_id, app, at) DO UPDATE SET people = excluded.people WHERE excluded.people > activity_samples.people`,
			row.organization, row.app, at, row.people)
		if err != nil {
			return wrapErr("adding a sample", err)
		}
	}
	return nil
}

// purgeHistory removes what is past its retention. Samples of organizations go
// with the sessions: of a small one they nearly tell about persons.
func (s *Store) purgeHistory(ctx context.Context, now time.Time) error {
	defer s.heatmap.forget()
	history := now.Add(-s.rules.HistoryRetention).UnixMilli()
	organizations := max(history, now.Add(-s.rules.Retention).UnixMilli())
	if err := s.noteKept(ctx, organizations); err != nil {
		return err
	}
	oldest, err := s.oldestSamples(ctx)
	if err != nil {
		return wrapErr("looking for old samples", err)
	}
	for which, at := range oldest {
		limit := history
		if which.organization != 0 {
			limit = organizations
		}
		if at > limit {
			continue
		}
		_, err := s.inBatches(ctx, `
			DELETE FROM activity_samples WHERE organization_id = $1 AND app = $2 AND at <= $3
			AND at IN (SELECT at FROM activity_samples WHERE organization_id = $1 AND app = $2 AND at <= $3 ORDER BY at LIMIT $4)`,
			which.organization, which.app, limit)
		if err != nil {
			return wrapErr("removing old samples", err)
		}
	}
	_, err = s.inBatches(ctx, `DELETE FROM daily_peaks WHERE day IN (SELECT day FROM daily_peaks WHERE day <= $1 LIMIT $2)`, history-day.Milliseconds())
	return wrapErr("removing old peaks", err)
}

// noteKept says from when on samples of organizations tell the truth: one that
// has been removed must not look like nobody.
func (s *Store) noteKept(ctx context.Context, from int64) error {
	return s.writeOne(ctx, func(t *tx) error {
		_, err := t.exec(`
			INSERT INTO settings (name, value) VALUES ('organization_samples_from', $1)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE settings.value < excluded.value`, from)
		return wrapErr("noting what history is kept", err)
	})
}

func (s *Store) oldestSamples(ctx context.Context) (map[series]int64, error) {
	oldest := map[series]int64{}
	return oldest, s.heavySnapshot(ctx, func(look *sql.Tx) error {
		return each(ctx, look, func(rows *sql.Rows) error {
			var which series
			var at int64
			err := rows.Scan(&which.organization, &which.app, &at)
			oldest[which] = at
			return err
		}, `SELECT organization_id, app, MIN(at) FROM activity_samples GROUP BY organization_id, app`)
	})
}
