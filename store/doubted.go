package store

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// noteAgainAfter is how long what was noted need not be noted again.
const noteAgainAfter = 20 * time.Second

// doubted remembers what this process has just noted of people who are on no record, so that whoever
// makes up tokens, or repeats one, costs no write for each.
type doubted struct {
	mu sync.Mutex
	at map[doubtRef]time.Time
}

// begin tells of whom to note something now, and whether: of ref, or of the rest while as many as may be kept are remembered.
func (d *doubted) begin(ref, rest doubtRef, now time.Time) (doubtRef, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.at[ref]; !known && d.isFull(now) {
		ref = rest
	}
	if at, known := d.at[ref]; known && now.Sub(at).Abs() < noteAgainAfter {
		return ref, false
	}
	if d.at == nil {
		d.at = map[doubtRef]time.Time{}
	}
	d.at[ref] = now
	return ref, true
}

// isFull makes room, as far as some were remembered for long enough.
func (d *doubted) isFull(now time.Time) bool {
	if len(d.at) >= maxUnidentified {
		maps.DeleteFunc(d.at, func(_ doubtRef, at time.Time) bool { return now.Sub(at).Abs() >= unknownTokenFor })
	}
	return len(d.at) >= maxUnidentified
}

func (d *doubted) has(ref doubtRef) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.at[ref]
	return ok
}

// forget has it noted again when it comes.
func (d *doubted) forget(ref doubtRef) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.at, ref)
}

// forgetAll is forget for whatever clients.
func (d *doubted) forgetAll(ids ...int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.at, func(ref doubtRef, _ time.Time) bool { return slices.Contains(ids, ref.id) })
}
