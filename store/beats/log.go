package beats

import (
	"cmp"
	"context"
	"database/sql"
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Log is the log of quiet heartbeats in a database, with all that waits in it in memory. The methods that
// take a transaction are for the writer; all others may be called by anybody. A nil Log is that of a
// database that has none: nothing ever waits.
type Log struct {
	Step int // see foldStep; to be set before anything is folded

	db                  *sqldb.DB
	window, lap, margin int64 // milliseconds

	mu       sync.RWMutex // guards what follows against readers; only the writer changes it
	entries  table
	unfolded int   // of the entries
	queue    []row // what is in the log, in its order
	waiting  bounds

	unmeasured int       // rows that were removed since waiting was measured
	measured   time.Time // when that was

	last   int64    // number of the row of the log that was removed last
	buried []buried // entries whose rows of the log are gone, for readers of a state from before

	swept, sweptAt int64 // id up to which the sweep has come, and when; for the one who folds

	staged  stage        // by the transaction under way; the writer's own, as is what follows
	folding bool         // rows are written that say what is known
	seed    maphash.Seed // of prints; another one makes all of them invalid
}

// waiting is the latest entry of a session.
type waiting struct {
	Entry
	since int64 // when the session began to wait, or folded
	row   int64 // the number of the log's row with which it did
	prior int64 // base of the entry that was folded before; its own if there was none
	print Print // of the heartbeat, where the next one is quiet without a look at the row; else 0
}

// folded stands for when a session began to wait once its row says what its entry does.
const folded = math.MinInt64

func (w *waiting) isFolded() bool { return w.since == folded }

// row is one of the log.
type row struct {
	number, at int64
	sessions   []int64 // that began to wait with it
	bounds
}

// bounds are the first times by which a question would find that rows wait.
type bounds struct {
	rows    int
	base    int64 // the earliest last_activity_at of a row that waits
	expires int64 // likewise its expires_at
	latest  int64 // last activity that waits
}

var nothing = bounds{base: math.MaxInt64, expires: math.MaxInt64, latest: math.MinInt64}

func (b bounds) and(o bounds) bounds {
	return bounds{b.rows + o.rows, min(b.base, o.base), min(b.expires, o.expires), max(b.latest, o.latest)}
}

// buried is an entry that was folded, and of which the log says nothing more. Whoever began to read before that still
// needs it.
type buried struct {
	session, row int64
	when         time.Time
}

// readersTime is for how long folded entries are kept: no reader looks at one state for longer.
const readersTime = 15 * time.Second

// stage is what a transaction changes, once it is committed.
type stage struct {
	tx      *sqldb.Tx
	entries map[int64]waiting // nil while the log is opened
	rows    []row
	next    row // that is being filled
	blob    []byte
	dropped int // rows of the queue
}

// Open reads the log that is in a database.
func Open(ctx context.Context, db *sqldb.DB, rules presence.Rules) (*Log, error) {
	l := &Log{Step: foldStep, db: db, waiting: nothing, seed: maphash.MakeSeed()}
	l.window = rules.OnlineWindow.Milliseconds()
	l.lap = lapOf(rules)
	l.margin = marginOf(l.lap)
	rows, err := db.Rows(ctx, readLog, 0)
	if err == nil {
		_, err = sqldb.Collect(rows, func(rows *sql.Rows) (none struct{}, err error) { return none, l.stageRow(rows) })
		l.commit()
	}
	if err == nil {
		err = db.WatchRows("user_sessions", l.Forget)
	}
	return l, sqldb.Wrap("reading the log of heartbeats", err)
}

const readLog = `SELECT number, at, beats FROM heartbeat_log WHERE number > $1 ORDER BY number`

// stageRow takes up a row of the log that this process has not written, or not in this life.
func (l *Log) stageRow(rows *sql.Rows) error {
	r := row{bounds: nothing}
	var blob []byte
	if err := rows.Scan(&r.number, &r.at, &blob); err != nil {
		return err
	}
	l.staged.next = r
	err := readEntries(blob, r.at, func(e Entry) { l.stage(e, e.At+l.lap+l.margin) }) // its row lasts that long at least
	l.staged.rows, l.staged.next = append(l.staged.rows, l.staged.next), row{}
	if err != nil { // the others count all the same
		l.db.NoteDamage(err)
	}
	return nil
}

// Begin is to be called before [Log.Quiet] in a transaction: what another has left is undone.
func (l *Log) Begin(t *sqldb.Tx) {
	if l.staged.tx == t {
		return
	}
	l.staged = stage{tx: t, entries: map[int64]waiting{}} // what another has staged was undone with it
	t.AfterCommit(l.commit)
}

// entry is the latest of a session as the transaction under way sees it. Whether it counts, its base tells.
func (l *Log) entry(session int64) (waiting, bool) {
	if w, ok := l.staged.entries[session]; ok {
		return w, true
	}
	return l.entries.get(session) // nobody else writes it
}

// stage notes an entry for the row of the log that is being filled; expires is that of the session's row.
func (l *Log) stage(e Entry, expires int64) {
	next := &l.staged.next
	w, ok := l.entry(e.Session)
	switch {
	case ok && w.Base == e.Base && !w.isFolded():
		w.Entry = e
	default:
		prior := e.Base
		if ok && w.At == e.Base { // which has been folded
			prior = w.Base
		}
		w = waiting{Entry: e, since: e.At, row: 0, prior: prior}
		next.sessions = append(next.sessions, e.Session)
		if e.Base != noBase {
			next.base, next.expires = min(next.base, e.Base), min(next.expires, expires)
		}
	}
	next.latest = max(next.latest, e.At)
	next.rows = 1
	if w.row == 0 {
		w.row = next.number
	}
	if l.staged.entries == nil { // nobody else has the log yet
		l.put(w)
		return
	}
	l.staged.entries[e.Session] = w
}

// put makes an entry everybody's.
func (l *Log) put(w waiting) {
	before, known := l.entries.put(w)
	if known && !before.isFolded() {
		l.unfolded--
	}
	if !w.isFolded() {
		l.unfolded++
	}
}

// Add brings the heartbeats that [Log.Quiet] has allowed into the transaction, as one row of the log.
// Its number is known only after that. With a print, the next heartbeat that has it is taken for one of the same row.
func (l *Log) Add(t *sqldb.Tx, beat Entry, of Row, print Print) {
	l.Begin(t)
	if l.staged.blob == nil {
		l.staged.next = row{at: beat.At, bounds: nothing}
		l.staged.blob = []byte{}
	}
	l.staged.blob = appendEntry(l.staged.blob, l.staged.next.at, beat)
	l.stage(beat, of.Expires)
	w := l.staged.entries[beat.Session]
	w.print = print
	l.staged.entries[beat.Session] = w
}

// noBase is the base of an entry that never counts.
const noBase = -1

// Wrote is to be called after a write that gave a session this last activity, unless that is later than all
// before. By a clock that was set back it may be the very millisecond that an entry rests on, which has
// been overwritten meanwhile and must not count again; or the entry may be later, so that the session would stand by it
// in a list that looks at the log alone. Then another entry, which never counts, takes its place.
func (l *Log) Wrote(t *sqldb.Tx, session, activity int64) error {
	if l == nil {
		return nil
	}
	l.Begin(t)
	w, ok := l.entry(session)
	if !ok || w.Base != activity && w.prior != activity && w.At <= activity {
		return nil
	}
	l.Add(t, Entry{Session: session, Base: noBase, At: activity, Expires: activity}, Row{Expires: activity}, 0)
	return l.Write(t)
}

// Write writes what was added since it was called last.
func (l *Log) Write(t *sqldb.Tx) error {
	if l.staged.tx != t || l.staged.blob == nil {
		return nil
	}
	next := l.staged.next
	err := t.Scan([]any{&next.number}, `
		INSERT INTO heartbeat_log (number, at, beats) SELECT MAX(COALESCE(MAX(number), 0), $1) + 1, $2, $3 FROM heartbeat_log RETURNING number`,
		l.lastNumber(), next.at, l.staged.blob)
	for _, session := range next.sessions {
		if w := l.staged.entries[session]; w.row == 0 {
			w.row = next.number
			l.staged.entries[session] = w
		}
	}
	l.staged.rows, l.staged.next, l.staged.blob = append(l.staged.rows, next), row{}, nil
	return sqldb.Wrap("logging heartbeats", err)
}

// lastNumber is that of the last row of the log that is known of, 0 for none.
func (l *Log) lastNumber() int64 {
	if n := len(l.staged.rows); n > 0 {
		return l.staged.rows[n-1].number
	}
	return l.lastInQueue()
}

func (l *Log) lastInQueue() int64 {
	if n := len(l.queue); n > 0 {
		return l.queue[n-1].number
	}
	return l.last
}

// commit makes what is staged everybody's.
func (l *Log) commit() {
	s := l.staged
	l.staged = stage{}
	now := time.Now() // not anybody's time: for how long readers read
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range s.entries {
		l.put(w)
	}
	for _, r := range l.queue[:s.dropped] {
		l.last = r.number
		for _, session := range r.sessions {
			if w, _ := l.entries.get(session); w.row == r.number {
				l.buried = append(l.buried, buried{session, r.number, now})
			}
		}
	}
	l.queue = l.queue[s.dropped:]
	l.queue = append(l.queue, s.rows...)
	for _, r := range s.rows {
		l.waiting = l.waiting.and(r.bounds)
	}
	if s.dropped > 0 {
		l.unmeasured += s.dropped
		if l.unmeasured >= len(l.queue)/measureShare || now.Sub(l.measured) >= measureEvery {
			l.measure()
			l.measured = now
		}
		l.unbury(now)
	}
}

// The log is measured anew once it is shorter by a share, or some time after it was last: each row is looked at.
// Up to then what waits seems to be older than it is, by less than the margin.
const (
	measureShare = 32
	measureEvery = time.Second
)

// measure finds by what a question would find that rows wait.
func (l *Log) measure() {
	latest := l.waiting.latest // that of a session may lie in a row behind the one it waits in
	l.waiting, l.unmeasured = nothing, 0
	for _, r := range l.queue {
		l.waiting = l.waiting.and(r.bounds)
	}
	if len(l.queue) > 0 {
		l.waiting.latest = max(l.waiting.latest, latest)
	}
}

// unbury forgets what no reader needs any more.
func (l *Log) unbury(now time.Time) {
	n := 0
	for ; n < len(l.buried) && now.Sub(l.buried[n].when) >= readersTime; n++ {
		b := l.buried[n]
		if w, ok := l.entries.get(b.session); ok && w.row == b.row {
			l.entries.delete(b.session)
		}
	}
	l.buried = l.buried[n:]
}

// Overlay replaces the times that were read of a session by those of its entry, where that counts.
func (l *Log) Overlay(session int64, activity, idle, expires *int64) {
	if l == nil {
		return
	}
	l.mu.RLock()
	w, ok := l.entries.get(session)
	l.mu.RUnlock()
	if ok && (w.Base == *activity || w.prior == *activity) {
		*activity, *idle, *expires = w.At, w.Idle, max(*expires, w.Expires)
	}
}

// Waiting returns how many sessions wait, at most, and of how many rows the log is.
func (l *Log) Waiting() (sessions, rows int) {
	if l == nil {
		return 0, 0
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.unfolded, len(l.queue)
}

// AnyIn tells the writer whether anything may wait, as its transaction sees it.
func (l *Log) AnyIn(t *sqldb.Tx) bool {
	return l != nil && (len(l.queue) > 0 || l.staged.tx == t && len(l.staged.entries) > 0)
}

// latestSpan is how much time the entries of Latest are from, in milliseconds.
const latestSpan = 1000

// Latest returns entries that wait, of heartbeats not after a time: those of the latest second, the latest first.
func (l *Log) Latest(upTo int64) (latest []Entry) {
	if l == nil {
		return nil
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	to := uint32(min(presence.ActivityBlock(upTo), math.MaxUint32))
	from := l.entries.latestBlock(to)
	from -= min(from, 1)
	last := l.latestFrom(from, to, upTo)
	if last == math.MinInt64 || blockOf(last-latestSpan) < from { // it goes on in a block before
		from = 0
		last = l.latestFrom(from, to, upTo)
	}
	l.entries.inBlocks(from, to, func(_ uint32, w *waiting) uint32 {
		if w.At <= upTo && w.At > last-latestSpan {
			latest = append(latest, w.Entry)
		}
		return from
	})
	slices.SortFunc(latest, func(a, b Entry) int { return cmp.Compare(b.At, a.At) })
	return latest
}

// latestFrom returns the latest activity up to a time that is of these blocks, or the least number.
func (l *Log) latestFrom(from, to uint32, upTo int64) int64 {
	last := int64(math.MinInt64)
	l.entries.inBlocks(from, to, func(_ uint32, w *waiting) uint32 {
		if w.At <= upTo {
			last = max(last, w.At)
		}
		return from
	})
	return last
}
