package doctor

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// What is remembered of the requests that did not get what they asked for.
const (
	maxTopK = 16 // different ones at once
	topKAge = time.Hour
)

// occurrence is how often, and when, something was seen.
type occurrence struct {
	count       int
	first, last time.Time
	wellBefore  uint64 // requests of this kind that were in order, until the first of these
}

// topK remembers things that strangers choose, so no more than a few. Of too
// many the rarest is forgotten: what comes again and again stays, also in a flood
// of what comes once. The zero value is ready.
type topK[K comparable] struct {
	mu   sync.Mutex
	seen map[K]occurrence
}

func (s *topK[K]) note(now time.Time, what K, well uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry, ok := s.seen[what]
	if !ok || entry.old(now) {
		s.evictRarest(now)
		entry = occurrence{first: now, wellBefore: well}
	}
	entry.count, entry.last = entry.count+1, now
	if s.seen == nil {
		s.seen = map[K]occurrence{}
	}
	s.seen[what] = entry
}

// has tells whether something was seen within the hour.
func (s *topK[K]) has(now time.Time, what K) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry, ok := s.seen[what]
	return ok && !entry.old(now)
}

// evictRarest leaves a place for one more.
func (s *topK[K]) evictRarest(now time.Time) {
	maps.DeleteFunc(s.seen, func(_ K, entry occurrence) bool { return entry.old(now) })
	if len(s.seen) < maxTopK {
		return
	}
	var rarest K
	least := occurrence{count: -1}
	for what, entry := range s.seen {
		if least.count < 0 || entry.rarer(least) {
			rarest, least = what, entry
		}
	}
	delete(s.seen, rarest)
}

func (e occurrence) old(now time.Time) bool { return now.Sub(e.last) >= topKAge }

func (e occurrence) rarer(than occurrence) bool {
	return cmp.Or(cmp.Compare(e.count, than.count), e.last.Compare(than.last)) < 0
}

// lately returns what was seen within the hour, and of that the most frequent first.
func (s *topK[K]) lately(now time.Time) (what []K, how []occurrence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.seen, func(_ K, entry occurrence) bool { return entry.old(now) })
	what = slices.SortedFunc(maps.Keys(s.seen), func(a, b K) int {
		if s.seen[b].rarer(s.seen[a]) {
			return -1
		}
		return 1
	})
	for _, k := range what {
		how = append(how, s.seen[k])
	}
	return what, how
}
