package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// lookEvery is how often a database that nobody writes to looks for its files.
const lookEvery = time.Second

// openFiles are the files of an SQLite database as they were when it was opened: itself, its log
// and the log's index. SQLite goes on with open files, wherever they are now, and opens further
// ones by their paths: after a move it would keep what a restart does not find, and take the
// log of one database for another's. Files are only looked at, never opened.
type openFiles struct {
	path string
	by   map[string]fs.FileInfo // by path; nil before remember
}

func filesOf(path string) *openFiles { return &openFiles{path: path} }

// remember takes what is at the paths now for what is open: to be called when all of it is.
func (f *openFiles) remember() error {
	if f == nil {
		return nil
	}
	by := map[string]fs.FileInfo{}
	for _, path := range []string{f.path, f.path + "-wal", f.path + "-shm"} {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("looking at the database: %w", err)
		}
		by[path] = info
	}
	f.by = by
	return nil
}

// check returns a MovedError where another file than the open one is at a path, or none. That
// a path can not be looked at proves nothing.
func (f *openFiles) check() error {
	if f == nil {
		return nil
	}
	for path, open := range f.by {
		now, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(open, now) {
			return &MovedError{Path: path}
		}
	}
	return nil
}

// open makes a pool of connections with pragmas.
func (f *openFiles) open(pragmas ...string) (*sql.DB, error) {
	to, err := f.connector(pragmas...)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(to), nil
}

// connector opens connections to an SQLite database while its files are where they were.
type connector struct {
	driver.Connector
	files   *openFiles
	pragmas []string
}

func (f *openFiles) connector(pragmas ...string) (connector, error) {
	to, err := sqlite.NewConnector(DSN(f.path))
	return connector{to, f, pragmas}, err
}

// Connect opens a connection. A file may be put there in the moment before it is opened, so the
// files are looked at again before the first pragma that reads: from then on SQLite takes the log
// at the path for that of the file, and folds it in when the connection is closed.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := c.files.check(); err != nil {
		return nil, err
	}
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err = c.files.check(); err == nil {
		err = setPragmas(ctx, conn, c.pragmas)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func setPragmas(ctx context.Context, conn driver.Conn, pragmas []string) error {
	for _, pragma := range pragmas {
		if _, err := conn.(driver.ExecerContext).ExecContext(ctx, "PRAGMA "+pragma, nil); err != nil {
			return err
		}
	}
	return nil
}

// foldMoved brings the log of a database that was moved into it, as far as readers let it, and
// cuts the log to nothing. SQLite does neither where it finds a database moved, and the log that
// stays behind would be taken for that of whichever database is put there.
func (w *writer) foldMoved() {
	if w.conn == nil {
		return
	}
	_ = retryWhileBusy(context.Background(), func() error { return truncate(w.conn) })
}

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
