package history

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Bounds of what collecting visitors reads, keeps and writes at once. What is kept is written in the order of its rows:
// of a million, as on each day's first walk, many then share a page.
const (
	visitorsRead    = 5000
	visitorsKept    = 250_000
	visitorsWritten = 250
)

// RecordVisitors collects who has been there today (UTC), and of the days that
// are over keeps only how many. It may run at any time and any number of times;
// what is not collected before midnight is collected after it, as far as the
// sessions still tell: somebody who came in the day's last minutes, and is
// active after midnight, may be missed.
func (h *History) RecordVisitors(ctx context.Context, now time.Time) error {
	if h.slack().ClockSkewed() {
		return nil
	}
	today := midnight(now)
	yesterday := today - day.Milliseconds()
	open, err := h.collecting(ctx, yesterday)
	if err == nil && open {
		err = h.collectVisitors(ctx, yesterday)
	}
	if err == nil {
		err = h.collectVisitors(ctx, today)
	}
	if err == nil {
		err = h.closeDays(ctx, today)
	}
	return sqldb.Wrap("noting visitors", err)
}

// collecting tells whether a day's visitors were collected while it went on,
// and are not counted yet.
func (h *History) collecting(ctx context.Context, day int64) (open bool, err error) {
	err = h.db.Scan(ctx, []any{&open}, `SELECT EXISTS (SELECT 1 FROM daily_peaks p WHERE p.day = $1 AND `+uncounted+`)`, day)
	return open, err
}

// uncounted are the days p whose visitors were collected and not counted: of a
// day from before this was done, nothing is known.
const uncounted = `p.visitors IS NULL AND (p.people = 0 OR EXISTS (SELECT 1 FROM daily_visitors v WHERE v.day = p.day))`

// collectVisitors adds who was active on a day and is not noted yet.
func (h *History) collectVisitors(ctx context.Context, day int64) error {
	for _, part := range []visitors{
		{day: day, which: `s.is_active = true`, key: presence.InActivityBlock(`s.last_activity_at`), after: presence.ActivityBlock(day) - 1},
		{day: day, which: `s.is_active = false`, key: `s.ended_at`, after: day - 1},
	} {
		part.tie = math.MaxInt64
		for more := true; more; {
			var kept []string
			for more && len(kept) < visitorsKept {
				var ids []string
				var err error
				if ids, more, err = h.nextVisitors(ctx, &part); err != nil {
					return err
				}
				kept = append(kept, ids...)
			}
			if err := h.keepVisitors(ctx, day, kept); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepVisitors notes users as visitors of a day.
func (h *History) keepVisitors(ctx context.Context, day int64, users []string) error {
	slices.Sort(users)
	for some := range slices.Chunk(slices.Compact(users), visitorsWritten) {
		if err := h.db.WriteAside(ctx, func(t *sqldb.Tx) error { return addVisitors(t, day, some) }); err != nil {
			return err
		}
	}
	return nil
}

// visitors is a walk through the sessions that were active on a day.
type visitors struct {
	day        int64
	which, key string // the sessions s, and by what an index has them
	after, tie int64  // where the walk is: key and id
}

// nextVisitors goes some sessions further, and returns the users that are not
// noted yet, and whether there is more.
func (h *History) nextVisitors(ctx context.Context, v *visitors) (ids []string, more bool, err error) {
	err = h.db.HeavySnapshot(ctx, func(look *sql.Tx) error {
		from := *v
		more, err = v.advance(ctx, look)
		if err != nil {
			return err
		}
		q := sqldb.NewQuery(`SELECT s.user_id`)
		from.sessions(q)
		if more {
			v.upTo(q)
		}
		q.And(`s.last_activity_at >= ? AND s.last_activity_at < ? AND s.app <> ?
			AND NOT EXISTS (SELECT 1 FROM daily_visitors d WHERE d.day = ? AND d.user_id = s.user_id)`,
			v.day, v.day+day.Milliseconds(), presence.PanelApp, v.day)
		return q.Each(ctx, look, func(rows *sql.Rows) error {
			var id string
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		})
	})
	return ids, more, err
}

// sessions adds FROM and WHERE of those that the walk has not come to yet. By an expression SQLite finds them only where
// it is compared alone.
func (v *visitors) sessions(q *sqldb.Query) {
	q.Add(` FROM user_sessions s WHERE `+v.which).And(`(`+v.key+`, s.id) > (?, ?) AND `+v.key+` >= ?`, v.after, v.tie, v.after)
}

// upTo adds the condition that the walk has come to them.
func (v *visitors) upTo(q *sqldb.Query) {
	q.And(`(`+v.key+`, s.id) <= (?, ?) AND `+v.key+` <= ?`, v.after, v.tie, v.after)
}

// advance goes as many sessions further as are read at once, and tells whether
// there were so many.
func (v *visitors) advance(ctx context.Context, look *sql.Tx) (bool, error) {
	q := sqldb.NewQuery(`SELECT ` + v.key + `, s.id`)
	v.sessions(q)
	q.Add(` ORDER BY `+v.key+`, s.id LIMIT 1 OFFSET ?`, visitorsRead)
	err := q.Scan(ctx, look, &v.after, &v.tie)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// addVisitors notes users of a day; one who has just been deleted is none.
func addVisitors(t *sqldb.Tx, day int64, ids []string) error {
	for _, id := range ids {
		_, err := t.Exec(`INSERT INTO daily_visitors (day, user_id) SELECT $1, id FROM users WHERE id = $2 ON CONFLICT DO NOTHING`, day, id)
		if err != nil {
			return sqldb.Wrap("noting a visitor", err)
		}
	}
	return nil
}

// closeDays counts the visitors of the days before today, and then forgets who
// they were. A day is counted once, so an interruption in between loses nothing.
func (h *History) closeDays(ctx context.Context, today int64) error {
	visitors := map[int64]int64{} // by day
	err := h.db.HeavySnapshot(ctx, func(look *sql.Tx) error {
		return sqldb.Each(ctx, look, func(rows *sql.Rows) error {
			var day, people int64
			err := rows.Scan(&day, &people)
			visitors[day] = people
			return err
		}, `SELECT p.day, (SELECT COUNT(*) FROM daily_visitors v WHERE v.day = p.day) FROM daily_peaks p WHERE p.day < $1 AND `+uncounted, today)
	})
	if err != nil {
		return err
	}
	for day, people := range visitors {
		err := h.db.WriteOne(ctx, func(t *sqldb.Tx) error {
			_, err := t.Exec(`UPDATE daily_peaks SET visitors = $2 WHERE day = $1 AND visitors IS NULL`, day, people)
			return sqldb.Wrap("keeping the day's visitors", err)
		})
		if err != nil {
			return err
		}
	}
	_, err = h.db.InBatchesAside(ctx, `
		DELETE FROM daily_visitors WHERE (day, user_id) IN (SELECT day, user_id FROM daily_visitors WHERE day < $1 LIMIT $2)`, today)
	return err
}
