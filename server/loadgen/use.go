package main

import (
	"fmt"
	"time"
)

// use is what a server has used so far.
type use struct {
	processor time.Duration // of its process and those that it started
	peakKB    int           // of the process alone
	nowKB     int           // of the process alone
}

// resetUse begins a new measurement.
func (s *subject) resetUse() {
	s.before, _ = useOf(s.pid)
	s.since = time.Now()
}

// processor is the time that was used since resetUse; -1 where that is not known.
func (s *subject) processor() time.Duration {
	now, err := useOf(s.pid)
	if err != nil {
		return -1
	}
	return now.processor - s.before.processor
}

func (s *subject) processorEach(requests int) string {
	return each(s.processor().Seconds()*1e6, requests, "us")
}

// writtenEach is what reached the device for each answer.
func (f *figures) writtenEach() string { return each(float64(f.written), len(f.times), "B") }

// each says what of a total each of n took; "-" where that is not known.
func each(total float64, n int, unit string) string {
	if n == 0 || total < 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f %s", total/float64(n), unit)
}

// printUse prints what a server used since resetUse, if the system tells.
func (s *subject) printUse() {
	if now, err := useOf(s.pid); err == nil {
		fmt.Printf("%-12s peak memory %d MB, %.2f processors\n", "server", now.peakKB/1024, float64(s.processor())/float64(time.Since(s.since)))
	}
}

// memory is what the server uses now, in MB; 0 where the system does not tell.
func (s *subject) memory() int {
	u, _ := useOf(s.pid)
	return u.nowKB / 1024
}
