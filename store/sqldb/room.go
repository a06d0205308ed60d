package sqldb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// leastRoom is what a busy second writes. Where there is less, some writes may fit into what the
// files have already, and others do not.
const leastRoom = 128 << 10

// checkRoom returns ErrFull where the disk, or what this user may have of it, is used up. It tries:
// the numbers of a file system know of no quota.
func (f *openFiles) checkRoom() error {
	if f == nil {
		return nil
	}
	file, err := os.CreateTemp(filepath.Dir(f.path), ".rollcall-room-")
	if err == nil {
		_, err = file.WriteAt(make([]byte, leastRoom), 0)
		err = errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return nil // what else it may be shows where the database is written
}

// orFull tells a full disk from one that fails, where err may be either: SQLite knows ENOSPC only,
// not EDQUOT, and not even that where the log's index has to grow.
func (f *openFiles) orFull(err error) error {
	var e *sqlite.Error
	if f == nil || !errors.As(err, &e) {
		return err
	}
	switch e.Code() {
	case sqlitelib.SQLITE_IOERR_WRITE, sqlitelib.SQLITE_IOERR_SHMSIZE, sqlitelib.SQLITE_IOERR_IN_PAGE,
		sqlitelib.SQLITE_IOERR_SHMOPEN, sqlitelib.SQLITE_CANTOPEN:
		if full := f.checkRoom(); full != nil {
			return fmt.Errorf("%w (%v)", full, err)
		}
	}
	return err
}
