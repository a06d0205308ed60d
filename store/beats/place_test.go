package beats

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/store/presence"
)

func TestPlacesAreInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		times := rapid.Int64Range(1<<40, 1<<40+rapid.SampledFrom([]int64{5, 20_000, 1 << 35}).Draw(rt, "span"))
		l := &Log{}
		at := map[int64]int64{}
		for range rapid.SampledFrom([]int{0, 1, 30, 2000}).Draw(rt, "entries") {
			w := waiting{Entry: Entry{Session: rapid.Int64Range(1, 1000).Draw(rt, "session") << 50, At: times.Draw(rt, "at")}}
			l.entries.put(w)
			at[w.Session] = w.At
		}
		byBlocks := rapid.Bool().Draw(rt, "by blocks")
		var all []Place
		for session, at := range at {
			all = append(all, PlaceOf(session, at, byBlocks))
		}
		slices.SortFunc(all, Place.Compare)
		n, from := rapid.IntRange(1, 40).Draw(rt, "n"), 0
		var after *Place
		if len(all) > 0 && rapid.Bool().Draw(rt, "after") {
			from = rapid.IntRange(1, len(all)).Draw(rt, "from")
			after = &all[from-1]
		}
		if got, want := l.First(n, after, byBlocks), all[from:min(from+n, len(all))]; !slices.Equal(got, want) {
			rt.Fatalf("%d after %v: %v, want %v", n, after, got, want)
		}
		upTo, newest := times.Draw(rt, "up to"), int64(-1)
		for _, at := range at {
			if at <= upTo {
				newest = max(newest, at)
			}
		}
		var recent, latest []int64
		for session, at := range at {
			if at <= upTo && at > newest-latestSpan {
				recent = append(recent, session)
			}
		}
		for _, e := range l.Latest(upTo) {
			latest = append(latest, e.Session)
		}
		slices.Sort(recent)
		slices.Sort(latest)
		if !slices.Equal(recent, latest) {
			rt.Fatalf("of the latest second up to %d: %v, want %v", upTo, latest, recent)
		}
		first, last := presence.ActivityBlock(times.Draw(rt, "first")), presence.ActivityBlock(times.Draw(rt, "last"))
		latestBlock := int64(0)
		for _, at := range at {
			if block := presence.ActivityBlock(at); block >= first && block <= last {
				latestBlock = max(latestBlock, block)
			}
		}
		want := map[int64][]int64{}
		for session, at := range at {
			if block := presence.ActivityBlock(at); block >= max(first, latestBlock-maxBlocks+1) && block <= last {
				want[block] = append(want[block], session)
			}
		}
		got := map[int64][]int64{}
		blocks := l.ByBlock(first, last)
		for block, ok := blocks.Latest(1 << 50); ok; block, ok = blocks.Latest(block) {
			got[block] = slices.Clone(blocks.Of(block))
		}
		for _, sessions := range []map[int64][]int64{got, want} {
			for _, some := range sessions {
				slices.Sort(some)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("from %d to %d: %s", first, last, diff)
		}
	})
}

// BenchmarkFirst finds the first page among a million sessions that wait, while the writer has to wait for it:
//
//	go test ./store/beats -run XXX -bench First
func BenchmarkFirst(b *testing.B) {
	random, l := rand.New(rand.NewPCG(1, 2)), &Log{}
	for i := range int64(1_000_000) {
		l.entries.put(waiting{Entry: Entry{Session: random.Int64(), At: 1<<40 + i*60/1000}})
	}
	for name, byBlocks := range map[string]bool{"by blocks": true, "exactly": false} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				l.First(51, nil, byBlocks)
			}
		})
	}
}
