package beats

import (
	"time"

	"rollcall/store/presence"
)

// maxLap is for how long an entry waits to be folded at most.
const maxLap = 2 * time.Minute

// minMargin is by how much a row must outlast the wait of its entry at least: the clock may step by two
// seconds before anybody notices, and a fold may be late.
const minMargin = 5 * time.Second

// MaxSiblings is how many active sessions a person may have of which any beats quietly: all of them
// are looked at for each heartbeat.
const MaxSiblings = 8

// maxRows is how many rows the log may have. Where nobody folds it, heartbeats are written at once again.
const maxRows = 1_000_000

// lapOf is how long an entry waits, in milliseconds: as long as the row lasts, less the margin and the time to the
// next heartbeat, which a browser may send half as often for a page that nobody sees. The longer it is, the more
// heartbeats share one write of their row.
func lapOf(r presence.Rules) int64 {
	window, heartbeat := r.OnlineWindow.Milliseconds(), r.Heartbeat.Milliseconds()
	rest := window - heartbeat*5/2 - minMargin.Milliseconds()
	return min(maxLap.Milliseconds(), max(rest*10/11, window/5))
}

// marginOf is by how much a row must outlast a lap.
func marginOf(lap int64) int64 { return minMargin.Milliseconds() + lap/10 }

// Row is what the database has of a session whose heartbeat comes, and whose token is right.
type Row struct {
	Session                 int64
	Activity, Idle, Expires int64
	Active, Heard, Leaving  bool
	Page                    string
	Siblings                []Sibling // the person's other active sessions; MaxSiblings of them at most
}

// Sibling is another active session of the same person.
type Sibling struct {
	Session        int64
	Activity, Idle int64
}

// Beat is a heartbeat that comes.
type Beat struct {
	presence.Cutoffs
	StaleBefore int64   // whose session was last active up to here may seem to have left to somebody
	Idle        int64   // age of the last input
	IdleAfter   int64   // from which idle on a session counts as idle
	End         *int64  // of the session, from now on; nil: as before
	Page        *string // nil: as before
}

// Quiet returns the entry that a heartbeat makes, and whether it may be quiet. See the package comment
// for why these conditions are enough. It is asked by the writer, in the transaction that has read the row.
func (l *Log) Quiet(r Row, b Beat) (Entry, bool) {
	p, waits := l.entry(r.Session)
	last := Entry{Session: r.Session, Base: r.Activity, At: r.Activity, Idle: r.Idle, Expires: r.Expires}
	due := b.Now + l.lap
	if waits && p.Base == r.Activity && !p.isFolded() {
		last, due = p.Entry, max(b.Now, p.since+l.lap)
	}
	next := Entry{Session: r.Session, Base: r.Activity, At: b.Now, Idle: b.Idle, Expires: last.Expires}
	if b.End != nil {
		next.Expires = max(next.Expires, *b.End)
	}
	same := r.Active && r.Heard && !r.Leaving && (b.Page == nil || *b.Page == r.Page) && (last.Idle >= b.IdleAfter) == (b.Idle >= b.IdleAfter)
	alive := last.Expires > b.Expiry && last.At > b.StaleBefore && last.At <= b.Future && next.At > last.At
	outlasts := r.Activity+l.window > due+l.margin && r.Expires > due+l.margin
	return next, same && alive && outlasts && len(l.queue) < maxRows && !l.overtakes(r.Siblings, last.Input(), next.Input())
}

// overtakes tells whether the last input of another session lies between two of this one, so that the
// person would be shown by another session than before.
func (l *Log) overtakes(others []Sibling, before, now int64) bool {
	for _, o := range others {
		input := o.Activity - o.Idle
		if p, waits := l.entry(o.Session); waits && p.Base == o.Activity && !p.isFolded() {
			input = p.Input()
		}
		if input >= min(before, now) && input <= max(before, now) {
			return true
		}
	}
	return false
}

// Safe tells whether rows that wait for their entries answer a question with these cutoffs as they
// would after a fold: see the package comment. Where they do not, call [Log.FoldAll] first.
func (l *Log) Safe(m presence.Cutoffs) bool {
	if l == nil {
		return true
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	w := l.waiting
	return w.rows == 0 || m.Window < w.base && m.Expiry < w.expires && w.latest <= m.Future
}
