package beats

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"rollcall/store/sqldb"
)

// foldStep is how many sessions, or rows of the log, one write folds, and those of one row more: others wait for it.
const foldStep = 100

// foldTime is within which time what is due is folded, evenly: who beats notices nothing of it.
const foldTime = 700 * time.Millisecond

// FoldDue folds what has waited for a lap at now. It is to be called every second. Where very much waits it folds
// a second's share of that, though less may be due: people who came all at once are not to be folded all at once,
// a lap later.
func (l *Log) FoldDue(ctx context.Context, now time.Time) error {
	if l == nil {
		return nil
	}
	waited := func(lap int64) func(row) bool {
		from, to := now.UnixMilli()-lap, now.UnixMilli()+l.lap
		return func(r row) bool { return r.at <= from || r.at > to } // the clock may be set back
	}
	due, soon := waited(l.lap), waited(l.lap/2)
	waiting, _ := l.Waiting()
	share := min(waiting*int(time.Second.Milliseconds())/int(l.lap), l.countWhile(soon))
	steps := 1 + max(share, l.countWhile(due))/l.Step
	pace := time.NewTicker(foldTime / time.Duration(steps))
	defer pace.Stop()
	for folded := 0; ; folded += l.Step {
		which := due
		if folded+l.Step <= share {
			which = soon
		}
		more, err := l.fold(ctx, which)
		if err != nil || !more {
			return err
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// FoldAll folds all that waits when it is called.
func (l *Log) FoldAll(ctx context.Context) error {
	if l == nil {
		return nil
	}
	l.mu.RLock()
	last := l.lastInQueue()
	l.mu.RUnlock()
	for {
		more, err := l.fold(ctx, func(r row) bool { return r.number <= last })
		if err != nil || !more {
			return err
		}
	}
}

// countWhile counts the sessions that wait in the first rows that are due.
func (l *Log) countWhile(due func(row) bool) (n int) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, r := range l.queue {
		if !due(r) {
			break
		}
		n += len(r.sessions)
	}
	return n
}

// fold folds the first rows of the log that are due, as far as one write may, and tells whether more are.
func (l *Log) fold(ctx context.Context, due func(row) bool) (more bool, err error) {
	l.mu.RLock()
	none := len(l.queue) == 0 || !due(l.queue[0])
	l.mu.RUnlock()
	if none {
		return false, nil
	}
	err = l.db.Do(ctx, &sqldb.Job{NoSavepoint: true, Run: func(t *sqldb.Tx) (err error) {
		more, err = l.foldSome(t, due)
		return err
	}})
	return more, sqldb.Wrap("folding heartbeats", err)
}

func (l *Log) foldSome(t *sqldb.Tx, due func(row) bool) (more bool, err error) {
	l.Begin(t)
	if err := l.readOthers(t); err != nil {
		return false, err
	}
	var some []Entry
	rows := 0
	for ; l.staged.folded < len(l.queue) && due(l.queue[l.staged.folded]) && len(some) < l.Step && rows < l.Step; rows++ {
		r := l.queue[l.staged.folded]
		l.staged.folded++
		for _, session := range r.sessions {
			if w, ok := l.entry(session); ok && w.row == r.number { // else it counts for nothing, or waits in a later row
				some = append(some, w.Entry)
			}
		}
	}
	if rows == 0 {
		return false, nil
	}
	if err := writeRows(t, some); err != nil {
		return false, err
	}
	_, err = t.Exec(`DELETE FROM heartbeat_log WHERE number <= $1`, l.queue[l.staged.folded-1].number)
	return l.staged.folded < len(l.queue) && due(l.queue[l.staged.folded]), sqldb.Wrap("shortening the log of heartbeats", err)
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

// FoldIn folds what waits of these sessions in a transaction, so that their rows say all there is.
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
	slices.SortFunc(some, func(a, b Entry) int { return cmp.Compare(a.Session, b.Session) }) // neighbours share a page
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
