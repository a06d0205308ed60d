//go:build unix

package live

import (
	"math"
	"syscall"
)

// maxOpenFiles is how many files this process may have open at once, 0 for unknown.
func maxOpenFiles() int64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int64(min(uint64(limit.Cur), math.MaxInt32)) // the soft limit, which the runtime of Go has raised
}
