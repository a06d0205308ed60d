package main

import (
	"fmt"
	"slices"
	"time"
)

// figures are what one turn measured.
type figures struct {
	times  []time.Duration // of the answers that were right
	took   time.Duration
	errors int
	first  error
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
	slices.Sort(f.times)
	fmt.Printf("%-12s %8.0f/s   p50 %-9s p99 %-9s max %-9s errors %d\n",
		name, f.rate(), f.quantile(0.5), f.quantile(0.99), f.quantile(1), f.errors)
}

// quantile expects sorted times.
func (f *figures) quantile(q float64) time.Duration {
	if len(f.times) == 0 {
		return 0
	}
	i := min(int(q*float64(len(f.times))), len(f.times)-1)
	return f.times[i].Round(10 * time.Microsecond)
}

func spread(values []float64) (low, middle, high float64) {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[0], sorted[len(sorted)/2], sorted[len(sorted)-1]
}

// resetUse begins a new measurement of the server's process.
func (s *subject) resetUse() {
	if s.process != nil {
		s.before, _ = useOf(s.process.Process.Pid)
	}
	s.since = time.Now()
}

// printUse prints what the server used since resetUse or its start.
func (s *subject) printUse() {
	if s.process == nil {
		return
	}
	now, err := useOf(s.process.Process.Pid)
	if err != nil {
		return // not told on this system
	}
	fmt.Printf("%-12s peak memory %d MB", "server", now.peakKB/1024)
	if !s.since.IsZero() {
		fmt.Printf(", %.2f processors", float64(now.processor-s.before.processor)/float64(time.Since(s.since)))
	}
	fmt.Println()
}
