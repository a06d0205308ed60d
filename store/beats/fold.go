package beats

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"rollcall/store/sqldb"
)

// foldStep is how many sessions, or rows of the log, one write folds at most: others wait for it. Of neighbours it folds
// as many as cost the time of that.
const (
	foldStep   = 100
	neighbours = 5 // times as many
)

// foldTime is within which time what is due is folded, evenly: who beats notices nothing of it.
const foldTime = 700 * time.Millisecond

// step is what one write folds: sessions in the order of their rows, after which rows of the log up to a number say
// nothing any more; 0 for none.
type step struct {
	sessions []int64
	upTo     int64
}

// FoldDue folds what has waited for a lap at now. It is to be called every second.
//
// Where many wait, it goes ahead of that: once a lap it goes through all that wait in the order of their rows. Rows that
// are neighbours then are written together, a page of them at once, where each that is folded when its own time comes
// would cost a page of its own. And those who came all at once are not folded all at once, a lap later.
func (l *Log) FoldDue(ctx context.Context, now time.Time) error {
	if l == nil {
		return nil
	}
	from, to := now.UnixMilli()-l.lap, now.UnixMilli()+l.lap
	l.mu.RLock()
	steps := l.sweep(now.UnixMilli())
	isDue := func(r row) bool { return r.at <= from || r.at > to } // the clock may be set back
	if len(l.queue) > 0 && isDue(l.queue[0]) && l.unfolded <= l.Step {
		isDue = func(row) bool { return true } // one write is enough for all
	}
	steps = append(steps, l.stepsOf(isDue)...)
	l.mu.RUnlock()
	pace := time.NewTicker(foldTime / time.Duration(1+len(steps)))
	defer pace.Stop()
	for _, s := range steps {
		if err := l.fold(ctx, s); err != nil {
			return err
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// FoldAll folds all that waits when it is called.
func (l *Log) FoldAll(ctx context.Context) error {
	if l == nil {
		return nil
	}
	l.mu.RLock()
	steps := append(l.inOrder(math.MinInt64, math.MaxInt64), l.stepsOf(func(row) bool { return true })...)
	l.mu.RUnlock()
	for _, s := range steps {
		if err := l.fold(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// sweep returns the steps that lead as much further through the rows as the time has gone on, a tenth faster than once a
// lap: it should come before what is due. Where few wait there are none.
func (l *Log) sweep(now int64) []step {
	share := min(max(float64(now-l.sweptAt)*1.1/float64(l.lap), 0), 0.9)
	first := l.sweptAt == 0
	l.sweptAt = now
	if first || share == 0 || l.unfolded <= neighbours*2*(l.Step-1) {
		return nil
	}
	from, width := l.swept, int64(share*math.MaxInt64)
	rest := math.MaxInt64 - from
	if width <= rest {
		l.swept += width
		return l.inOrder(from, l.swept)
	}
	l.swept = width - rest
	return append(l.inOrder(from, math.MaxInt64), l.inOrder(math.MinInt64, l.swept)...)
}

// inOrder returns the steps that fold all that waits of the sessions with ids above from, up to to.
func (l *Log) inOrder(from, to int64) (steps []step) {
	var some []int64
	l.entries.between(from, to, func(w *waiting) {
		if !w.isFolded() {
			some = append(some, w.Session)
		}
	})
	slices.Sort(some)
	for chunk := range slices.Chunk(some, neighbours*l.Step) {
		steps = append(steps, step{sessions: chunk})
	}
	return steps
}

// stepsOf returns the steps that fold the first rows of the log that are due.
func (l *Log) stepsOf(due func(row) bool) (steps []step) {
	var s step
	rows := 0
	for _, r := range l.queue {
		if !due(r) {
			break
		}
		for _, session := range r.sessions {
			if w, ok := l.entries.get(session); ok && w.row == r.number && !w.isFolded() { // else it waits in a later row
				s.sessions = append(s.sessions, session)
			}
		}
		s.upTo = r.number
		if rows++; len(s.sessions) >= l.Step || rows >= l.Step {
			steps, s, rows = append(steps, s), step{}, 0
		}
	}
	if rows > 0 {
		steps = append(steps, s)
	}
	for _, s := range steps {
		slices.Sort(s.sessions)
	}
	return steps
}

func (l *Log) fold(ctx context.Context, s step) error {
	err := l.db.Do(ctx, &sqldb.Job{NoSavepoint: true, Run: func(t *sqldb.Tx) error {
		l.Begin(t)
		if err := l.readOthers(t); err != nil {
			return err
		}
		if err := l.foldSessions(t, s.sessions); err != nil || s.upTo == 0 {
			return err
		}
		return l.shorten(t, s.upTo)
	}})
	return sqldb.Wrap("folding heartbeats", err)
}

// foldSessions writes the entries of these sessions that wait into their rows.
func (l *Log) foldSessions(t *sqldb.Tx, sessions []int64) error {
	some := make([]Entry, 0, len(sessions))
	for _, session := range sessions {
		if w, ok := l.entry(session); ok && !w.isFolded() {
			some = append(some, w.Entry)
			w.since = folded
			l.staged.entries[session] = w
		}
	}
	l.folding = true
	defer func() { l.folding = false }()
	return writeRows(t, some)
}

// shorten removes the rows of the log up to a number: all that waited with them is folded.
func (l *Log) shorten(t *sqldb.Tx, upTo int64) error {
	for l.staged.dropped < len(l.queue) && l.queue[l.staged.dropped].number <= upTo {
		l.staged.dropped++
	}
	_, err := t.Exec(`DELETE FROM heartbeat_log WHERE number <= $1`, upTo)
	return sqldb.Wrap("shortening the log of heartbeats", err)
}

// readOthers takes up what another process has logged, such as the server beside which a command runs.
func (l *Log) readOthers(t *sqldb.Tx) error {
	var newest int64
	known := l.lastNumber()
	err := t.Scan([]any{&newest}, `SELECT COALESCE(MAX(number), 0) FROM heartbeat_log`)
	if err == nil && newest > known {
		err = t.Each(l.stageRow, readLog, known)
	}
	return sqldb.Wrap("reading the log of heartbeats", err)
}

// FoldIn folds what waits of these sessions in a transaction, so that their rows say all there is. That
// may still be undone, so they seem to wait after it.
func (l *Log) FoldIn(t *sqldb.Tx, sessions []int64) error {
	if l == nil {
		return nil
	}
	l.Begin(t)
	var some []Entry
	for _, session := range sessions {
		if w, ok := l.entry(session); ok {
			some = append(some, w.Entry)
		}
	}
	return writeRows(t, some)
}

const foldRows = `
	UPDATE user_sessions AS s SET last_activity_at = b.at, idle_ms = b.idle, expires_at = MAX(s.expires_at, b.expires)
	FROM (SELECT value ->> 0 AS id, value ->> 1 AS base, value ->> 2 AS at, value ->> 3 AS idle, value ->> 4 AS expires FROM json_each($1)) b
	WHERE s.id = b.id AND s.last_activity_at = b.base`

// writeRows writes entries into the rows that still have the base.
func writeRows(t *sqldb.Tx, some []Entry) error {
	if len(some) == 0 {
		return nil
	}
	rows := make([][5]int64, len(some))
	for i, e := range some {
		rows[i] = [5]int64{e.Session, e.Base, e.At, e.Idle, e.Expires}
	}
	list, err := json.Marshal(rows)
	if err == nil {
		_, err = t.Exec(foldRows, string(list))
	}
	return sqldb.Wrap("folding heartbeats", err)
}
