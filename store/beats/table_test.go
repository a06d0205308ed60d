package beats

import (
	"maps"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestATableIsAMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var got table
		want := map[int64]waiting{}
		ids := rapid.Int64Range(0, rapid.SampledFrom([]int64{3, 100, 5000}).Draw(rt, "ids")).Draw
		for n := range rapid.SampledFrom([]int{10, 300, 3000}).Draw(rt, "steps") {
			id := ids(rt, "id") * rapid.SampledFrom([]int64{1, 64, 1 << 40, 1 << 50}).Draw(rt, "far") // many of them collide
			if rapid.SampledFrom([]bool{true, true, false}).Draw(rt, "put") {
				w := waiting{Entry: Entry{Session: id}, row: int64(n)}
				got.put(w)
				want[id] = w
			} else {
				got.delete(id)
				delete(want, id)
			}
			if w, ok := got.get(id); ok != hasKey(want, id) || w != want[id] {
				rt.Fatalf("of %d it has %+v", id, w)
			}
		}
		all := map[int64]waiting{}
		got.inBlocks(0, math.MaxUint32, func(_ uint32, w *waiting) uint32 {
			all[w.Session] = *w
			return 0
		})
		if !maps.Equal(all, want) || got.size != len(want) {
			rt.Fatalf("it has %d of %d", got.size, len(want))
		}
		from, to := ids(rt, "from"), ids(rt, "to")<<rapid.SampledFrom([]int{0, 6, 40, 50}).Draw(rt, "far")
		all = map[int64]waiting{}
		got.between(from, to, func(w *waiting) {
			if hasKey(all, w.Session) {
				rt.Fatalf("%d is there twice", w.Session)
			}
			all[w.Session] = *w
		})
		maps.DeleteFunc(want, func(id int64, _ waiting) bool { return id <= from || id > to })
		if !maps.Equal(all, want) {
			rt.Fatalf("above %d up to %d it has %d of %d", from, to, len(all), len(want))
		}
		for id, w := range want {
			if found, ok := got.get(id); !ok || found != w {
				rt.Fatalf("of %d it has %+v, %v", id, found, ok)
			}
		}
	})
}

func hasKey(m map[int64]waiting, id int64) bool { _, ok := m[id]; return ok }
