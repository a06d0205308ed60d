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

	db                          *sqldb.DB
	window, lap, margin, unsaid int64 // milliseconds; see rule.go

	mu       sync.RWMutex // guards what follows against readers; only the writer changes it, but for bounds
	entries  table
	unfolded int              // of the entries
	queue    []int64          // numbers of the rows that are in the log, in order
	segments [segments]bounds // of what waits
	all      bounds           // of all segments

	last      int64     // number of the row of the log that was removed last
	removed   []removed // rows of which readers of a state from before may still need the entries
	forgotten int64     // number of the last row of which nobody does

	visited int64 // up to which time segments have been visited; for the one who folds

	staged  stage        // by the transaction under way; the writer's own, as is what follows
	folding bool         // rows are written that say what is known
	seed    maphash.Seed // of prints; another one makes all of them invalid
}

// waiting is the latest entry of a session.
type waiting struct {
	Entry
	row   int64 // the number of the log's row that has it
	prior int64 // base of the entry that was folded before; its own if there was none
	print Print // of the heartbeat, where the next one is quiet without a look at the row; else 0
}

// folded stands for when a session's row expires once it says what the entry does.
const folded = math.MinInt64

func (w *waiting) isFolded() bool { return w.RowExpires == folded }

// row is one of the log.
type row struct{ number, at int64 }

// removed says that the rows of the log up to a number are gone. Whoever began to read before that still needs what they
// said.
type removed struct {
	upTo int64
	when time.Time
}

// readersTime is for how long folded entries are kept: no reader looks at one state for longer.
const readersTime = 15 * time.Second

// stage is what a transaction changes, once it is committed.
type stage struct {
	tx      *sqldb.Tx
	entries map[int64]waiting // nil while the log is opened
	rows    []int64           // numbers of those that are added
	next    row               // that is being filled
	said    []int64           // sessions in it
	blob    []byte
	dropped int     // rows of the queue
	over    []int64 // sessions whose entries nobody needs any more
}

// Open reads the log that is in a database.
func Open(ctx context.Context, db *sqldb.DB, rules presence.Rules) (*Log, error) {
	l := &Log{Step: foldStep, db: db, all: nothing, seed: maphash.MakeSeed()}
	l.window = rules.OnlineWindow.Milliseconds()
	l.lap = lapOf(rules)
	l.margin = marginOf(rules)
	l.unsaid = unsaidOf(rules)
	for i := range l.segments {
		l.segments[i] = nothing
	}
	rows, err := db.Rows(ctx, readLog, 0)
	if err == nil {
		_, err = sqldb.Collect(rows, func(rows *sql.Rows) (none struct{}, err error) { return none, l.stageRow(rows) })
		l.commit()
		l.visited = max(l.all.latest, 0) // as far as is known
	}
	if err == nil {
		err = db.WatchRows("user_sessions", l.Forget)
	}
	return l, sqldb.Wrap("reading the log of heartbeats", err)
}

const readLog = `SELECT number, at, beats FROM heartbeat_log WHERE number > $1 ORDER BY number`

// stageRow takes up a row of the log that this process has not written, or not in this life.
func (l *Log) stageRow(rows *sql.Rows) error {
	var r row
	var blob sql.RawBytes
	if err := rows.Scan(&r.number, &r.at, &blob); err != nil {
		return err
	}
	l.staged.next = r
	err := readEntries(blob, r.at, l.stage)
	l.endRow(r.number)
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

// stage notes an entry for the row of the log that is being filled.
func (l *Log) stage(e Entry) {
	w, ok := l.entry(e.Session)
	switch {
	case ok && w.Base == e.Base && !w.isFolded():
		w.Entry = e
	case ok && w.At == e.Base: // which has been folded
		w = waiting{Entry: e, prior: w.Base}
	default:
		w = waiting{Entry: e, prior: e.Base}
	}
	w.row = l.staged.next.number
	if l.staged.entries == nil { // nobody else has the log yet
		l.put(w)
		return
	}
	l.staged.entries[e.Session] = w
	l.staged.said = append(l.staged.said, e.Session)
}

// endRow notes that the row that was filled has this number.
func (l *Log) endRow(number int64) {
	for _, session := range l.staged.said {
		w := l.staged.entries[session]
		w.row = number
		l.staged.entries[session] = w
	}
	l.staged.rows = append(l.staged.rows, number)
	l.staged.next, l.staged.said, l.staged.blob = row{}, nil, nil
}

// put makes an entry everybody's.
func (l *Log) put(w waiting) {
	before, known := l.entries.put(w)
	if known && !before.isFolded() {
		l.unfolded--
	}
	if !w.isFolded() {
		l.unfolded++
		b := w.bounds()
		of := &l.segments[segmentOf(w.Session)]
		*of, l.all = of.and(b), l.all.and(b)
	}
}

// Add brings the heartbeats that [Log.Quiet] has allowed into the transaction, as one row of the log.
// Its number is known only after that. With a print, the next heartbeat that has it is taken for one of the same row.
func (l *Log) Add(t *sqldb.Tx, beat Entry, print Print) {
	l.Begin(t)
	if l.staged.blob == nil {
		l.staged.next = row{at: beat.At}
		l.staged.blob = []byte{}
	}
	l.staged.blob = appendEntry(l.staged.blob, l.staged.next.at, beat)
	l.stage(beat)
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
	l.Add(t, Entry{Session: session, Base: noBase, At: activity, Expires: activity, RowExpires: activity}, 0)
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
	l.endRow(next.number)
	return sqldb.Wrap("logging heartbeats", err)
}

// lastNumber is that of the last row of the log that is known of, 0 for none.
func (l *Log) lastNumber() int64 {
	if n := len(l.staged.rows); n > 0 {
		return l.staged.rows[n-1]
	}
	return l.lastInQueue()
}

func (l *Log) lastInQueue() int64 {
	if n := len(l.queue); n > 0 {
		return l.queue[n-1]
	}
	return l.last
}

// commit makes what is staged everybody's.
func (l *Log) commit() {
	s := l.staged
	l.staged = stage{}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range s.entries {
		l.put(w)
	}
	for _, session := range s.over {
		if w, ok := l.entries.get(session); ok && l.isOver(&w) {
			l.entries.delete(session)
		}
	}
	if s.dropped > 0 {
		l.last = l.queue[s.dropped-1]
		l.remove(time.Now()) // not anybody's time: for how long readers read
		l.queue = l.queue[s.dropped:]
	}
	l.queue = append(l.queue, s.rows...)
}

// remove notes that rows are removed, and of which nobody needs the entries any more.
func (l *Log) remove(now time.Time) {
	l.removed = append(l.removed, removed{l.last, now})
	n := 0
	for ; n < len(l.removed) && now.Sub(l.removed[n].when) >= readersTime; n++ {
		l.forgotten = l.removed[n].upTo
	}
	l.removed = l.removed[n:]
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
