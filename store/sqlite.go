package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// FileName is the database in the data folder.
const FileName = "rollcall.db"

const maxReaders = 4

const busyTimeout = 5000 // milliseconds, for a lock that another process holds

const largePages = 4000 // of 4 KiB

// databaseFile creates the data folder, closed to other users of the machine,
// and the database file with it, and returns the file's path.
func databaseFile(folder string) (string, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("creating the data folder: %w", err)
	}
	path := filepath.Join(folder, FileName)
	// Only ever create it: opening and closing the file of a live database
	// would drop the locks that SQLite holds on it in this process.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	switch {
	case errors.Is(err, os.ErrExist):
		return path, nil
	case err != nil:
		return "", fmt.Errorf("creating the database: %w", err)
	}
	return path, file.Close()
}

// dsn names the database with pragmas for each connection, because Exec would
// reach only one connection of a pool.
func dsn(path string, pragmas ...string) string {
	v := url.Values{"_pragma": append([]string{fmt.Sprintf("busy_timeout(%d)", busyTimeout), "foreign_keys(1)"}, pragmas...)}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + v.Encode()
}

// openWriter opens the one connection that writes. Its commits reach the disk
// before they return. The write-ahead log is folded into the database every
// 20000 pages (80 MB): sooner costs throughput, later costs disk.
func openWriter(ctx context.Context, path string) (*writer, error) {
	db, err := sql.Open("sqlite", dsn(path,
		"journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(20000)", "cache_size(-65536)"))
	if err != nil {
		return nil, fail("opening the database", err)
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fail("opening the database", err), db.Close())
	}
	return newWriter(db, conn), nil
}

// large tells whether the database is so large that counting its rows may take
// long. A session takes about 600 bytes.
func (s *Store) large(ctx context.Context) bool {
	var pages int64
	err := s.read.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&pages)
	return err == nil && pages >= largePages
}

// Size returns how many bytes the database takes on the disk, and beside them
// its write-ahead log.
func (s *Store) Size() (database, log int64, err error) {
	for _, file := range []struct {
		path  string
		bytes *int64
	}{{s.path, &database}, {s.path + "-wal", &log}} {
		info, err := os.Stat(file.path)
		if err != nil {
			return 0, 0, fmt.Errorf("measuring the database: %w", err)
		}
		*file.bytes = info.Size()
	}
	return database, log, nil
}

// openReaders opens the pool for everything that only looks.
func openReaders(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(path, "query_only(1)", "cache_size(-8192)"))
	if err != nil {
		return nil, fail("opening the database", err)
	}
	db.SetMaxOpenConns(maxReaders)
	db.SetMaxIdleConns(maxReaders)
	return db, nil
}

// sqliteKind returns which of the package's errors an error of SQLite is, or
// nil where it is none of them.
func sqliteKind(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code() & 0xff { // the primary code, without its refinement
	case sqlitelib.SQLITE_FULL:
		return ErrFull
	case sqlitelib.SQLITE_BUSY, sqlitelib.SQLITE_LOCKED:
		return ErrBusy
	case sqlitelib.SQLITE_IOERR, sqlitelib.SQLITE_CORRUPT, sqlitelib.SQLITE_NOTADB:
		return ErrBroken
	}
	return nil
}

// statements are prepared once a connection and found again by their text.
type statements struct {
	db preparer
	mu sync.Mutex
	by map[string]*sql.Stmt
}

type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

func newStatements(db preparer) *statements {
	return &statements{db: db, by: map[string]*sql.Stmt{}}
}

func (s *statements) prepare(query string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stmt, ok := s.by[query]; ok {
		return stmt, nil
	}
	stmt, err := s.db.PrepareContext(context.Background(), query)
	if err == nil {
		s.by[query] = stmt
	}
	return stmt, err
}

// close forgets the statements; those of a pool hold nothing that outlives it.
func (s *statements) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for query, stmt := range s.by {
		stmt.Close()
		delete(s.by, query)
	}
}
