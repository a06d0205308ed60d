package beats

import (
	"math/bits"

	"rollcall/store/presence"
)

// table holds what waits by session, nearly in the order of ids. A million of them need half the memory that a map
// would, and nothing in it has to be looked at by the garbage collector.
type table struct {
	slots  []slot   // at least twice as many as are in use; a session's is that by its id, or soon after it
	chunks []*chunk // in use up to size; never moved, so that it grows by little
	size   int
}

// chunk has the blocks of activity beside what waits: whoever looks for a time reads these only.
type chunk struct {
	waiting [chunkSize]waiting
	blocks  [chunkSize]uint32
}

const (
	chunkSize = 512
	minSlots  = 64 // a power of two, as all that it becomes
)

// slot says where a session is: one more than its place in chunks, 0 for none, and the lower half of its id, so that
// nearly always no other's has to be looked at.
type slot struct{ tag, place uint32 }

func tagOf(session int64) uint32 { return uint32(session) }

// home is where a session's slot would be in an empty table. Ids are random numbers of 63 bits, so their first bits
// are as good as a hash's.
func (t *table) home(session int64) int {
	return int(uint64(max(session, 0)) << 1 >> (64 - bits.TrailingZeros(uint(len(t.slots)))))
}

func (t *table) at(place uint32) *waiting {
	return &t.chunks[(place-1)/chunkSize].waiting[(place-1)%chunkSize]
}

// set writes what waits at a place.
func (t *table) set(place uint32, w waiting) {
	c, i := t.chunks[(place-1)/chunkSize], (place-1)%chunkSize
	c.waiting[i], c.blocks[i] = w, blockOf(w.At)
}

// blockOf is short for [presence.ActivityBlock] up to the year 2527.
func blockOf(at int64) uint32 { return uint32(presence.ActivityBlock(at)) }

// find returns where a session's slot is, or would be.
func (t *table) find(session int64) int {
	mask, tag := len(t.slots)-1, tagOf(session)
	for i := t.home(session); ; i = (i + 1) & mask {
		if s := t.slots[i]; s.place == 0 || s.tag == tag && t.at(s.place).Session == session {
			return i
		}
	}
}

func (t *table) get(session int64) (waiting, bool) {
	if t.size == 0 {
		return waiting{}, false
	}
	if s := t.slots[t.find(session)]; s.place != 0 {
		return *t.at(s.place), true
	}
	return waiting{}, false
}

// put writes what waits of a session and returns what did before, if anything.
func (t *table) put(w waiting) (before waiting, known bool) {
	if 2*t.size >= len(t.slots) {
		t.grow()
	}
	i := t.find(w.Session)
	if s := t.slots[i]; s.place != 0 {
		before = *t.at(s.place)
		t.set(s.place, w)
		return before, true
	}
	if t.size == len(t.chunks)*chunkSize {
		t.chunks = append(t.chunks, new(chunk))
	}
	t.size++
	t.slots[i] = slot{tagOf(w.Session), uint32(t.size)}
	t.set(uint32(t.size), w)
	return before, false
}

func (t *table) grow() {
	t.slots = make([]slot, max(minSlots, 2*len(t.slots)))
	for place := uint32(1); place <= uint32(t.size); place++ {
		session := t.at(place).Session
		t.slots[t.find(session)] = slot{tagOf(session), place}
	}
}

func (t *table) delete(session int64) {
	if t.size == 0 {
		return
	}
	i := t.find(session)
	place := t.slots[i].place
	if place == 0 {
		return
	}
	t.free(i)
	if last := *t.at(uint32(t.size)); last.Session != session { // which takes the place
		t.slots[t.find(last.Session)].place = place
		t.set(place, last)
	}
	t.size--
	if spare := t.size/chunkSize + 2; len(t.chunks) > spare {
		t.chunks[spare] = nil
		t.chunks = t.chunks[:spare]
	}
}

// free empties a slot, and moves others into it that are found by way of it.
func (t *table) free(hole int) {
	mask := len(t.slots) - 1
	for i := (hole + 1) & mask; t.slots[i].place != 0; i = (i + 1) & mask {
		home := t.home(t.at(t.slots[i].place).Session)
		if (i-home)&mask >= (i-hole)&mask {
			t.slots[hole], hole = t.slots[i], i
		}
	}
	t.slots[hole] = slot{}
}

// between calls f for those with ids above from, up to to, nearly in their order.
func (t *table) between(from, to int64, f func(*waiting)) {
	if t.size == 0 || from >= to {
		return
	}
	first, last := t.home(from), t.home(to)
	for i := first; i < first+len(t.slots); i++ {
		s := t.slots[i&(len(t.slots)-1)]
		if s.place == 0 && i >= last {
			return
		}
		if s.place == 0 {
			continue
		}
		if w := t.at(s.place); w.Session > from && w.Session <= to {
			f(w)
		}
	}
}

// blocks returns those of the places in a chunk that are in use.
func (t *table) blocks(chunk int) []uint32 {
	return t.chunks[chunk].blocks[:min(max(t.size-chunk*chunkSize, 0), chunkSize)]
}

// inBlocks calls f for those whose activity is of these blocks, in no order. It returns from which block on f wants more.
func (t *table) inBlocks(from, to uint32, f func(block uint32, w *waiting) (from uint32)) {
	for n, c := range t.chunks {
		for i, block := range t.blocks(n) {
			if block >= from && block <= to {
				from = f(block, &c.waiting[i])
			}
		}
	}
}

// latestBlock returns the latest block up to one of which any activity is, 0 for none.
func (t *table) latestBlock(upTo uint32) (latest uint32) {
	for n := range t.chunks {
		for _, block := range t.blocks(n) {
			if block <= upTo {
				latest = max(latest, block)
			}
		}
	}
	return latest
}
