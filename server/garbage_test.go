package server

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestALargeHeapIsCollectedSooner(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	percent := func() int {
		runtime.GC()
		if err := collectSooner(t.Context()); err != nil {
			t.Fatal(err)
		}
		set := debug.SetGCPercent(100)
		debug.SetGCPercent(set)
		return set
	}
	if p := percent(); p != 100 {
		t.Errorf("a small heap is collected at %d %% more, want 100", p)
	}
	large := make([]byte, 200<<20)
	if p := percent(); p < 20 || p > 24 {
		t.Errorf("one of 200 MB is collected at %d %% more, want 48 of 200 or a little less", p)
	}
	t.Setenv("GOGC", "70")
	debug.SetGCPercent(70)
	if p := percent(); p != 70 {
		t.Errorf("with GOGC=70 it is %d", p)
	}
	runtime.KeepAlive(large)
}
