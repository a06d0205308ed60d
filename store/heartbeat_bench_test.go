package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// BenchmarkHeartbeats has 256 callers beat for 20,000 sessions, each beat a second of their time after the one before:
//
//	go test ./store -run XXX -bench 'BenchmarkHeartbeats$' -benchtime 150000x
func BenchmarkHeartbeats(b *testing.B) {
	const callers, sessions = 256, 20_000
	s := OpenFile(b, b.TempDir(), presence.DefaultRules())
	tokens := make([]string, sessions)
	each := func(f func(i int)) {
		var wg sync.WaitGroup
		for first := range callers {
			wg.Go(func() {
				for i := first; i < sessions; i += callers {
					f(i)
				}
			})
		}
		wg.Wait()
	}
	each(func(i int) { tokens[i] = LogIn(b, s, Start, fmt.Sprint("user", i)).Token })
	each(func(i int) { Touch(b, s, Start.Add(time.Second), tokens[i], store.Beat{}) })
	b.ResetTimer()
	byCallers(b, callers, func(i int) {
		lap := time.Duration(i/sessions+2) * time.Second
		Touch(b, s, Start.Add(lap), tokens[i%sessions], store.Beat{})
		if i%sessions == 0 {
			if err := s.FoldHeartbeats(b.Context(), Start.Add(lap)); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "beats/s")
}

// byCallers has so many callers do b.N things together, each the next that nobody has begun.
func byCallers(b *testing.B, callers int, do func(i int)) {
	var n atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for i := int(n.Add(1)) - 1; i < b.N; i = int(n.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}
