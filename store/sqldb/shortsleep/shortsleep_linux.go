// Package shortsleep waits for times that are too short for Go's timers.
package shortsleep

import (
	"time"

	"golang.org/x/sys/unix"
)

// For holds the calling thread for d, give or take some 60 µs, while other goroutines go on. time.Sleep takes up to a
// millisecond more where nothing else is to be done: Go waits for the network and for timers by whole milliseconds.
// It returns sooner where a signal comes.
func For(d time.Duration) {
	t := unix.NsecToTimespec(d.Nanoseconds())
	_ = unix.Nanosleep(&t, nil)
}
