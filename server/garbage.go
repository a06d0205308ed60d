package server

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
)

// garbage is how many bytes of it may come together in a large heap before it is collected. Go itself lets a heap
// double, which is right for a small one. A million sessions are some 180 MB, and the collector has to look at few of
// them: it costs little to have it come sooner.
const garbage = 48 << 20

// collectSooner keeps a large heap from doubling, unless whoever runs the server says when Go is to collect.
func collectSooner(context.Context) error {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		debug.SetGCPercent(gcPercent(live[0].Value.Uint64()))
	}
	return nil
}

// gcPercent is Go's setting for a heap of which so many bytes are in use.
func gcPercent(live uint64) int { return int(min(100, max(20, garbage*100/max(live, 1)))) }
