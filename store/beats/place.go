package beats

import (
	"cmp"
	"math"
	"slices"

	"rollcall/store/presence"
)

// Place is where a session stands in a list by its last activity: the latest first, and of those alike the one
// with the greater id.
type Place struct {
	At      int64 // last activity in unix milliseconds or, of a list by blocks, the latest of its block
	Session int64 // id
}

// PlaceOf returns the place of a session by its last activity in unix milliseconds.
func PlaceOf(session, at int64, byBlocks bool) Place {
	if byBlocks {
		at = presence.LastOfActivityBlock(presence.ActivityBlock(at))
	}
	return Place{at, session}
}

// Compare returns less than 0 where p comes before o.
func (p Place) Compare(o Place) int {
	return cmp.Or(cmp.Compare(o.At, p.At), cmp.Compare(o.Session, p.Session))
}

// First returns the first n places after one, nil for the beginning, at which sessions stand by their entries, in order:
// all as of one instant. Whether an entry counts, the session's row tells: see [Log.Overlay].
func (l *Log) First(n int, after *Place, byBlocks bool) []Place {
	if l == nil {
		return nil
	}
	to := uint32(math.MaxUint32)
	if after != nil {
		to = blockOf(after.At)
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	first := l.firstFrom(l.entries.latestBlock(to), to, n, after, byBlocks)
	if len(first) < n { // the latest block has too few
		first = l.firstFrom(0, to, n, after, byBlocks)
	}
	return first
}

// firstFrom is First among the sessions of some blocks of activity.
func (l *Log) firstFrom(from, to uint32, n int, after *Place, byBlocks bool) (first []Place) {
	l.entries.inBlocks(from, to, func(_ uint32, w *waiting) uint32 {
		p := PlaceOf(w.Session, w.At, byBlocks)
		if after != nil && p.Compare(*after) <= 0 || len(first) == n && p.Compare(first[n-1]) >= 0 {
			return from
		}
		i, _ := slices.BinarySearchFunc(first, p, Place.Compare)
		first = slices.Insert(first[:min(len(first), n-1)], i, p)
		if len(first) == n {
			from = blockOf(first[n-1].At)
		}
		return from
	})
	return first
}

// Blocks are sessions by the block of activity of their entries.
type Blocks struct {
	first    uint32
	sessions [][]int64 // from the first block on, in no order
}

// Latest returns the latest block that has a session and is before another one; ok is false where there is none.
func (b *Blocks) Latest(before int64) (block int64, ok bool) {
	for i := min(before-int64(b.first), int64(len(b.sessions))) - 1; i >= 0; i-- {
		if len(b.sessions[i]) > 0 {
			return int64(b.first) + i, true
		}
	}
	return 0, false
}

// Of returns the sessions of a block.
func (b *Blocks) Of(block int64) []int64 {
	if i := block - int64(b.first); i >= 0 && i < int64(len(b.sessions)) {
		return b.sessions[i]
	}
	return nil
}

// maxBlocks is how many blocks are told apart, the latest: three days. Older entries are only where the clock has jumped.
const maxBlocks = 1 << 16

// ByBlock returns which sessions have entries of the blocks from one up to another, all as of one instant.
func (l *Log) ByBlock(from, to int64) (b Blocks) {
	if l == nil {
		return b
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	first, last := uint32(max(from, 0)), l.entries.latestBlock(uint32(max(min(to, math.MaxUint32), 0)))
	if last < first {
		return b
	}
	first = max(first, last-min(last, maxBlocks-1))
	each := func(f func(block uint32, w *waiting)) {
		l.entries.inBlocks(first, last, func(block uint32, w *waiting) uint32 {
			f(block, w)
			return first
		})
	}
	sizes, n := make([]int, last-first+1), 0
	each(func(block uint32, _ *waiting) {
		sizes[block-first]++
		n++
	})
	b = Blocks{first: first, sessions: make([][]int64, len(sizes))}
	all := make([]int64, n)
	for i, size := range sizes {
		b.sessions[i], all = all[:0:size], all[size:]
	}
	each(func(block uint32, w *waiting) { b.sessions[block-first] = append(b.sessions[block-first], w.Session) })
	return b
}
