package beats

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"rollcall/store/presence"
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

// FoldDue folds what is due at now. It is to be called every second.
//
// Once a lap it comes by each segment, and folds who would not outlast the next visit, or has been silent for long; and in
// the segment's turn all of it, in the order of the rows. Rows that are neighbours then are written together, a page of
// them at once, where each that is folded when its own time comes would cost a page of its own. Where few wait in all,
// one write folds all of them, once any is due.
func (l *Log) FoldDue(ctx context.Context, now time.Time) error {
	if l == nil {
		return nil
	}
	before := l.visited
	visits := l.visitsUpTo(now.UnixMilli())
	steps := l.steps(visits, now.UnixMilli())
	removals := l.removals(l.Step)
	pace := time.NewTicker(foldTime / time.Duration(1+len(steps)+len(removals)))
	defer pace.Stop()
	wait := func() error {
		select {
		case <-pace.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := l.foldEach(ctx, steps, wait)
	var over []int64
	for _, v := range visits {
		over = append(over, l.measure(v.segment)...)
	}
	if err == nil && len(over) > 0 {
		err = l.write(ctx, func(*sqldb.Tx) error {
			l.staged.over = over
			return nil
		})
	}
	if err == nil {
		err = l.shortenEach(ctx, removals, wait)
	}
	if err != nil {
		l.visited = before // it is made up for
	}
	return err
}

// sessions returns those of a segment that wait and match, in order.
func (l *Log) sessions(segment int, matches func(*waiting) bool) (some []int64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	l.inSegment(segment, func(w *waiting) {
		if !w.isFolded() && matches(w) {
			some = append(some, w.Session)
		}
	})
	slices.Sort(some)
	return some
}

func (l *Log) appendSteps(steps [][]int64, sessions []int64) [][]int64 {
	return slices.AppendSeq(steps, slices.Chunk(sessions, neighbours*l.Step))
}

// allSteps returns the steps that fold all that waits.
func (l *Log) allSteps() (steps [][]int64) {
	var all []int64
	for segment := range segments {
		all = append(all, l.sessions(segment, func(*waiting) bool { return true })...)
	}
	return l.appendSteps(nil, all)
}

// removals returns up to which rows the log is to be shortened, step by step: nothing waits by them. Fewer than the
// least are left for later, unless they are all.
func (l *Log) removals(least int) (upTo []int64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	n, _ := slices.BinarySearch(l.queue, l.all.row)
	if n < least && n < len(l.queue) {
		return nil
	}
	for some := range slices.Chunk(l.queue[:n], l.Step) {
		upTo = append(upTo, some[len(some)-1])
	}
	return upTo
}

// FoldAll folds all that waits when it is called.
func (l *Log) FoldAll(ctx context.Context) error {
	if l == nil {
		return nil
	}
	err := l.foldEach(ctx, l.allSteps(), atOnce)
	for segment := range segments {
		l.measure(segment)
	}
	if err == nil {
		err = l.shortenEach(ctx, l.removals(1), atOnce)
	}
	return err
}

// Settle makes sure that the rows answer a question with these cutoffs as they would if nothing waited: see the package
// comment. That is so but where the clock has jumped, or the question is about a time in the past.
func (l *Log) Settle(ctx context.Context, m presence.Cutoffs) error {
	if l == nil {
		return nil
	}
	l.mu.RLock()
	var doubted []int // segments; nearly always none
	if !l.all.safe(m) {
		for segment, b := range l.segments {
			if !b.safe(m) {
				doubted = append(doubted, segment)
			}
		}
	}
	l.mu.RUnlock()
	for _, segment := range doubted {
		unsafe := l.sessions(segment, func(w *waiting) bool { return !w.bounds().safe(m) })
		if err := l.foldEach(ctx, l.appendSteps(nil, unsafe), atOnce); err != nil {
			return err
		}
		l.measure(segment)
	}
	return nil
}

func atOnce() error { return nil }

func (l *Log) foldEach(ctx context.Context, steps [][]int64, wait func() error) error {
	return each(steps, wait, func(sessions []int64) error {
		return l.write(ctx, func(t *sqldb.Tx) error { return l.foldSessions(t, sessions) })
	})
}

func (l *Log) shortenEach(ctx context.Context, removals []int64, wait func() error) error {
	return each(removals, wait, func(upTo int64) error {
		return l.write(ctx, func(t *sqldb.Tx) error { return l.shorten(t, upTo) })
	})
}

// each does steps, and waits after each.
func each[S any](steps []S, wait func() error, do func(S) error) error {
	for _, s := range steps {
		if err := do(s); err != nil {
			return err
		}
		if err := wait(); err != nil {
			return err
		}
	}
	return nil
}

// write lets f write in a transaction that knows what others have logged.
func (l *Log) write(ctx context.Context, f func(*sqldb.Tx) error) error {
	err := l.db.Do(ctx, &sqldb.Job{NoSavepoint: true, Run: func(t *sqldb.Tx) error {
		l.Begin(t)
		if err := l.readOthers(t); err != nil {
			return err
		}
		return f(t)
	}})
	return sqldb.Wrap("folding heartbeats", err)
}

// foldSessions writes the entries of these sessions that wait into their rows.
func (l *Log) foldSessions(t *sqldb.Tx, sessions []int64) error {
	some := make([]Entry, 0, len(sessions))
	for _, session := range sessions {
		if w, ok := l.entry(session); ok && !w.isFolded() {
			some = append(some, w.Entry)
			w.RowExpires = folded
			l.staged.entries[session] = w
		}
	}
	l.folding = true
	defer func() { l.folding = false }()
	return writeRows(t, some)
}

// shorten removes the rows of the log up to a number: all that waited with them is folded.
func (l *Log) shorten(t *sqldb.Tx, upTo int64) error {
	for l.staged.dropped < len(l.queue) && l.queue[l.staged.dropped] <= upTo {
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
