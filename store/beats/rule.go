package beats

import (
	"time"

	"rollcall/store/presence"
)

// minMargin is by how much a row must outlast the next visit of its session at least: the clock may step by two
// seconds before anybody notices, and a visit may be late.
const minMargin = 5 * time.Second

// MaxSiblings is how many active sessions a person may have of which any beats quietly: all of them
// are looked at for each heartbeat.
const MaxSiblings = 8

// maxRows is how many rows the log may have. Where nobody folds it, heartbeats are written at once again.
const maxRows = 1_000_000

// A lap is the time from one visit of a session to the next. In every sixth, its turn, it is folded whatever it says,
// together with its neighbours.
const (
	maxLap = 40 * time.Second
	turns  = 6
)

// lapOf is how long a lap is, in milliseconds: such that who beats as often as they should need not be folded but in
// their turn. Where the window is too short for that, nearly all heartbeats are written at once.
func lapOf(r presence.Rules) int64 {
	rest := r.OnlineWindow.Milliseconds() - r.Heartbeat.Milliseconds() - marginOf(r)
	return min(maxLap.Milliseconds(), max(rest/turns, r.OnlineWindow.Milliseconds()/10))
}

// marginOf is by how much a row must outlast the next visit, in milliseconds.
func marginOf(r presence.Rules) int64 { return (minMargin + r.OnlineWindow/25).Milliseconds() }

// unsaidOf is for how long an entry waits, in milliseconds, that no other of its session follows: a browser may beat half
// as often for a page that nobody sees. As long is the log.
func unsaidOf(r presence.Rules) int64 { return r.Heartbeat.Milliseconds() * 5 / 2 }

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
	visit := b.Now + l.lap // at the latest
	if waits && p.Base == r.Activity && !p.isFolded() {
		last, visit = p.Entry, b.Now // which folds it in time
	}
	next := Entry{Session: r.Session, Base: r.Activity, At: b.Now, Idle: b.Idle, Expires: last.Expires, RowExpires: r.Expires}
	if b.End != nil {
		next.Expires = max(next.Expires, *b.End)
	}
	same := r.Active && r.Heard && !r.Leaving && (b.Page == nil || *b.Page == r.Page) && (last.Idle >= b.IdleAfter) == (b.Idle >= b.IdleAfter)
	alive := last.Expires > b.Expiry && last.At > b.StaleBefore && last.At <= b.Future && next.At > last.At
	outlasts := r.Activity+l.window > visit+l.margin && r.Expires > visit+l.margin
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
