package store

import (
	"maps"
	"sync"
	"time"
)

// noteAgainAfter is how long what was noted need not be noted again.
const noteAgainAfter = 20 * time.Second

// doubted remembers what this process has just noted of people who are on no record, so that whoever
// makes up tokens, or repeats one, costs no write for each.
type doubted struct {
	mu sync.Mutex
	at map[int64]time.Time
}

// begin tells whether to note one now. It says no while as many as may be kept are remembered.
func (d *doubted) begin(id int64, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if at, ok := d.at[id]; ok && now.Sub(at).Abs() < noteAgainAfter {
		return false
	}
	if len(d.at) >= maxUnidentified {
		maps.DeleteFunc(d.at, func(_ int64, at time.Time) bool { return now.Sub(at).Abs() >= unknownTokenFor })
		if _, ok := d.at[id]; !ok && len(d.at) >= maxUnidentified {
			return false
		}
	}
	if d.at == nil {
		d.at = map[int64]time.Time{}
	}
	d.at[id] = now
	return true
}

// forget tells whether it was remembered.
func (d *doubted) forget(id int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.at[id]
	delete(d.at, id)
	return ok
}
