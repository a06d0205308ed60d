package live

import (
	"crypto/rand"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// keptEvents is how many events a reader may be behind. It bounds what one
// that stalls can cost, which is nothing of its own: all read the same events.
const keptEvents = 1024

// feed is what there is to tell about the list, in order: the last events, and
// a place in them for everybody who follows. An epoch is a time in which nothing
// was missed; a cursor of another one is worth nothing.
type feed struct {
	mu     sync.Mutex
	epoch  string   // "" while nobody follows
	last   int64    // number of the newest event of this epoch
	events [][]byte // the newest, the last one last
	news   chan struct{}

	published, resets atomic.Uint64 // events since the start, and how often readers were told to begin again
}

func newFeed() *feed { return &feed{news: make(chan struct{})} }

// begin starts a new epoch.
func (f *feed) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.epoch, f.last, f.events = rand.Text()[:8], 0, nil
	f.wake()
}

// pause ends the epoch without a new one. Nobody may be following.
func (f *feed) pause() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.epoch, f.events = "", nil
}

// forget drops the events. Who has read them all goes on; others begin again.
func (f *feed) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = nil
}

func (f *feed) wake() {
	close(f.news)
	f.news = make(chan struct{})
}

// publish appends the event that encode makes once it knows its cursor.
func (f *feed) publish(encode func(cursor string) []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	f.published.Add(1)
	f.events = append(f.events, encode(f.cursorAt(f.last)))
	if len(f.events) == 2*keptEvents { // half at a time, so that each event is moved once
		f.events = append(make([][]byte, 0, 2*keptEvents), f.events[keptEvents:]...)
	}
	f.wake()
}

func (f *feed) cursorAt(n int64) string { return place{f.epoch, n}.String() }

// cursor is the place behind the newest event, "" while nobody follows. A list
// that is read afterwards shows at least all that was published up to there.
func (f *feed) cursor() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.epoch == "" {
		return ""
	}
	return f.cursorAt(f.last)
}

// place is how far somebody has read.
type place struct {
	epoch string
	seen  int64 // number of the last event
}

// String is the place as a cursor.
func (p place) String() string { return p.epoch + "." + strconv.FormatInt(p.seen, 10) }

// enter returns where somebody with a cursor goes on reading. It is not known
// where that cursor is of another epoch, or something behind it is lost: then
// they begin at the newest event. Without an epoch there is no place, but a
// channel that is closed when there is one.
func (f *feed) enter(cursor string) (at place, known bool, begun <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.epoch == "" {
		return place{}, false, f.news
	}
	epoch, number, _ := strings.Cut(cursor, ".")
	seen, err := strconv.ParseInt(number, 10, 64)
	if at = (place{epoch, seen}); err == nil && f.keeps(at) {
		return at, true, nil
	}
	return place{f.epoch, f.last}, false, nil
}

// keeps tells whether all events behind p are still here.
func (f *feed) keeps(p place) bool {
	return p.epoch == f.epoch && p.seen <= f.last && p.seen >= f.last-int64(len(f.events))
}

// after returns the events behind p and moves it behind them, and a channel that
// is closed when there are more. It is not ok where that can not be done: p stays
// where too much has happened since, and is led to a new epoch if there is one.
func (f *feed) after(p *place) (events [][]byte, more <-chan struct{}, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ok = f.keeps(*p); ok {
		events = f.events[len(f.events)-int(f.last-p.seen):]
		p.seen = f.last
	} else if p.epoch != f.epoch {
		*p = place{f.epoch, f.last}
	}
	return events[:len(events):len(events)], f.news, ok
}
