package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

const maxReaders = 5 // of which maxHeavyReads may be busy for long, and one with the gate

const busyTimeout = 5000 // milliseconds, for a lock that another process holds

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

// pageSize is small because a heartbeat changes a few bytes on each of three pages, and all of a
// page goes to the log: 1 KiB takes a tenth more heartbeats than the usual 4 KiB.
const pageSize = "page_size(1024)"

// layOut gives an empty file its first page. A database has pages as it was made with, and a
// connection that switches to the log at once makes them as usual, whatever it was told before.
func layOut(path string) error {
	if info, err := os.Stat(path); err != nil || info.Size() > 0 {
		return err
	}
	db, err := sql.Open("sqlite", DSN(path, pageSize))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(context.Background(), `PRAGMA user_version = 0`)
	return errors.Join(err, db.Close())
}

// openSQLite opens the database in cfg.Folder. One connection writes, and its
// commits reach the disk before they return. See logSize for when
// the log is folded into the database.
func openSQLite(cfg Config) (*engine, error) {
	path, err := databaseFile(cfg.Folder)
	if err != nil {
		return nil, err
	}
	files := filesOf(path)
	if err := layOut(path); err != nil {
		return nil, files.orFull(Wrap("making the database", err))
	}
	write, err := files.open("journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(40000)", "cache_size(-65536)")
	if err != nil {
		return nil, Wrap("opening the database", err)
	}
	write.SetMaxOpenConns(1)
	read, err := files.open("query_only(1)", "cache_size(-8192)")
	if err != nil {
		return nil, errors.Join(Wrap("opening the database", err), write.Close())
	}
	read.SetMaxOpenConns(maxReaders)
	read.SetMaxIdleConns(maxReaders)
	return &engine{
		write: write, read: read, files: files, log: newLogSize(path),
		schema: cfg.Schema, oldest: 1, steps: steps,
		tables:       sqliteTables,
		upgrade:      []string{`BEGIN IMMEDIATE`},
		begin:        []string{`BEGIN IMMEDIATE`},
		snapshotOpts: &sql.TxOptions{ReadOnly: true},
		isLarge:      func(ctx context.Context) bool { return largeFile(ctx, read) },
		usage:        func(context.Context) (Usage, error) { return measure(path) },
		rewrite:      rewriteFile,
	}, nil
}

func largeFile(ctx context.Context, db *sql.DB) bool {
	var bytes int64
	err := db.QueryRowContext(ctx, `SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`).Scan(&bytes)
	return err == nil && bytes >= largeBytes
}

func measure(path string) (u Usage, err error) {
	for _, file := range []struct {
		path  string
		bytes *int64
	}{{path, &u.Database}, {path + "-wal", &u.Log}} {
		info, err := os.Stat(file.path)
		if err != nil {
			return Usage{}, fmt.Errorf("measuring the database: %w", err)
		}
		*file.bytes = info.Size()
	}
	return u, nil
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
	case sqlitelib.SQLITE_CORRUPT, sqlitelib.SQLITE_NOTADB:
		return ErrDamaged
	case sqlitelib.SQLITE_IOERR:
		return ErrBroken
	}
	return nil
}
