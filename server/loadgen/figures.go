package main

import (
	"fmt"
	"slices"
	"time"
)

// figures are what one turn measured.
type figures struct {
	times   []time.Duration // of the answers that were right
	took    time.Duration
	written int64 // bytes that reached the device meanwhile; see writtenTo
	errors  int
	first   error
}

func (f *figures) fail(err error) {
	f.errors++
	if f.first == nil {
		f.first = err
	}
}

func (f *figures) add(g figures) {
	f.times = append(f.times, g.times...)
	f.took += g.took
	f.written += g.written
	f.errors += g.errors
	if f.first == nil {
		f.first = g.first
	}
}

func (f *figures) rate() float64 { return float64(len(f.times)) / f.took.Seconds() }

func (f *figures) problem() error {
	if f.errors == 0 {
		return nil
	}
	return fmt.Errorf("%d requests failed, the first with: %w", f.errors, f.first)
}

func (f *figures) print(name string) {
	middle, high := f.quantiles(0.5, 0.99)
	_, slowest := f.quantiles(0.5, 1)
	fmt.Printf("%-12s %8.0f/s   p50 %-9s p99 %-9s max %-9s errors %d\n", name, f.rate(), middle, high, slowest, f.errors)
}

func (f *figures) quantiles(a, b float64) (time.Duration, time.Duration) {
	if len(f.times) == 0 {
		return 0, 0
	}
	slices.Sort(f.times)
	at := func(q float64) time.Duration {
		return f.times[min(int(q*float64(len(f.times))), len(f.times)-1)].Round(10 * time.Microsecond)
	}
	return at(a), at(b)
}

func spread(values []float64) (low, middle, high float64) {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[0], sorted[len(sorted)/2], sorted[len(sorted)-1]
}
