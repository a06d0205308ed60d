package beats

// table holds what waits by session. A million of them need half the memory that a map would, and nothing
// in it has to be looked at by the garbage collector.
type table struct {
	slots  []uint32              // one more than a place in chunks, 0 for none; at least twice as many as are in use
	chunks []*[chunkSize]waiting // in use up to size; never moved, so that it grows by little
	size   int
}

const (
	chunkSize = 512
	minSlots  = 64 // a power of two, as all that it becomes
)

func (t *table) at(place int) *waiting { return &t.chunks[place/chunkSize][place%chunkSize] }

// slot is where a session's place stands, or would. Ids are random, so their bits are as good as a hash's.
func (t *table) slot(session int64) int {
	mask := len(t.slots) - 1
	for i := int(session) & mask; ; i = (i + 1) & mask {
		if t.slots[i] == 0 || t.at(int(t.slots[i]-1)).Session == session {
			return i
		}
	}
}

func (t *table) get(session int64) (waiting, bool) {
	if t.size == 0 {
		return waiting{}, false
	}
	if place := t.slots[t.slot(session)]; place != 0 {
		return *t.at(int(place - 1)), true
	}
	return waiting{}, false
}

func (t *table) put(w waiting) {
	if 2*t.size >= len(t.slots) {
		t.grow()
	}
	i := t.slot(w.Session)
	if place := t.slots[i]; place != 0 {
		*t.at(int(place - 1)) = w
		return
	}
	if t.size == len(t.chunks)*chunkSize {
		t.chunks = append(t.chunks, new([chunkSize]waiting))
	}
	*t.at(t.size) = w
	t.size++
	t.slots[i] = uint32(t.size)
}

func (t *table) grow() {
	t.slots = make([]uint32, max(minSlots, 2*len(t.slots)))
	for place := range t.size {
		t.slots[t.slot(t.at(place).Session)] = uint32(place + 1)
	}
}

func (t *table) delete(session int64) {
	if t.size == 0 {
		return
	}
	i := t.slot(session)
	place := t.slots[i]
	if place == 0 {
		return
	}
	t.free(i)
	t.size--
	if last := t.at(t.size); last.Session != session { // which takes the place
		t.slots[t.slot(last.Session)] = place
		*t.at(int(place - 1)) = *last
	}
	if spare := t.size/chunkSize + 2; len(t.chunks) > spare {
		t.chunks[spare] = nil
		t.chunks = t.chunks[:spare]
	}
}

// free empties a slot, and moves others into it that are found by way of it.
func (t *table) free(hole int) {
	mask := len(t.slots) - 1
	for i := (hole + 1) & mask; t.slots[i] != 0; i = (i + 1) & mask {
		home := int(t.at(int(t.slots[i]-1)).Session) & mask
		if (i-home)&mask >= (i-hole)&mask {
			t.slots[hole], hole = t.slots[i], i
		}
	}
	t.slots[hole] = 0
}

// each calls f for all, in no order.
func (t *table) each(f func(*waiting)) {
	for place := range t.size {
		f(t.at(place))
	}
}
