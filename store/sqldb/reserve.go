package sqldb

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"sync"

	"rollcall/store/freespace"
)

const (
	reserveName  = "rollcall.reserve"
	reserveBytes = 256 << 10
)

// reserve is a file that takes some room on the disk of a database, for a start that finds none left:
// SQLite makes the index of its log before it reads anything.
type reserve struct {
	path string

	mu       sync.Mutex
	released bool // it is to be taken back at once, as far as there is room
}

func reserveIn(folder string) *reserve { return &reserve{path: filepath.Join(folder, reserveName)} }

// release makes room, and tells whether it could.
func (r *reserve) release() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.released = os.Remove(r.path) == nil
	return r.released
}

// keep takes the room where the disk has plenty of it. What was released it takes back whatever the disk has: the
// next start may need it too. What fails is tried again.
func (r *reserve) keep() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var has int64
	if info, err := os.Stat(r.path); err == nil {
		has = info.Size()
	}
	if has >= reserveBytes {
		return
	}
	if free, ok := freespace.Of(filepath.Dir(r.path)); !ok || free < 4*reserveBytes && !r.released {
		return
	}
	if r.fill(reserveBytes-has) == nil {
		r.released = false
	}
}

// fill makes the file longer by so many bytes, or as many as fit. They are random: some file systems keep nothing of zeros.
func (r *reserve) fill(bytes int64) error {
	file, err := os.OpenFile(r.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	for part := make([]byte, 4<<10); bytes > 0; bytes -= int64(len(part)) {
		_, _ = rand.Read(part)
		if _, err := file.Write(part); err != nil {
			return err
		}
	}
	return nil
}
