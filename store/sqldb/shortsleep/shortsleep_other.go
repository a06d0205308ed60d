//go:build !linux

// Package shortsleep waits for times that are too short for Go's timers.
package shortsleep

import "time"

// For returns at once where there is no way to wait for so short a time.
func For(time.Duration) {}
