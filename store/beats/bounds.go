package beats

import (
	"math"

	"rollcall/store/presence"
)

// bounds are the first times by which a question would find that rows wait, and the first row of the log that
// something waits by.
type bounds struct {
	base    int64 // the earliest last_activity_at of a row that waits
	expires int64 // likewise its expires_at
	latest  int64 // last activity that waits
	row     int64 // number
}

var nothing = bounds{base: math.MaxInt64, expires: math.MaxInt64, latest: math.MinInt64, row: math.MaxInt64}

func (b bounds) and(o bounds) bounds {
	return bounds{min(b.base, o.base), min(b.expires, o.expires), max(b.latest, o.latest), min(b.row, o.row)}
}

func (w *waiting) bounds() bounds {
	switch {
	case w.isFolded():
		return nothing
	case w.Base == noBase:
		return bounds{math.MaxInt64, math.MaxInt64, w.At, w.row}
	}
	return bounds{w.Base, w.RowExpires, w.At, w.row}
}

// safe tells whether the rows answer a question with these cutoffs as they would after a fold.
func (b bounds) safe(m presence.Cutoffs) bool {
	return m.Window < b.base && m.Expiry < b.expires && b.latest <= m.Future
}

// segments is in how many parts of the same size sessions are divided by their ids. Each has its bounds. These hold, but
// may be wider than they must, until the segment is measured again.
const (
	segments    = 256
	segmentBits = 63 - 8
)

func segmentOf(session int64) int { return int(max(session, 0) >> segmentBits) }

// inSegment calls f for all that the log knows of in a segment, nearly in the order of ids.
func (l *Log) inSegment(segment int, f func(*waiting)) {
	above := int64(segment)<<segmentBits - 1
	if segment == 0 {
		above = math.MinInt64
	}
	l.entries.between(above, int64(segment)<<segmentBits|(1<<segmentBits-1), f)
}

// measure finds the bounds of a segment anew. It returns the sessions whose entries nobody needs any more.
func (l *Log) measure(segment int) (over []int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := nothing
	l.inSegment(segment, func(w *waiting) {
		b = b.and(w.bounds())
		if l.isOver(w) {
			over = append(over, w.Session)
		}
	})
	l.segments[segment] = b
	l.all = nothing
	for _, b := range l.segments {
		l.all = l.all.and(b)
	}
	return over
}

func (l *Log) isOver(w *waiting) bool { return w.isFolded() && w.row <= l.forgotten }
