package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"

	"rollcall/store/freespace"
	"rollcall/store/layout"
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

// What a statement may have to undo is a copy of each page that it changes, which is written to a file unless it
// is kept in memory. The copy of the whole database that VACUUM makes belongs in a file.
const (
	tempInMemory = `PRAGMA temp_store = MEMORY`
	tempInFiles  = `PRAGMA temp_store = FILE`
)

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
	files, unclean := filesOf(path), leftLog(path)
	if err := layOut(path); err != nil {
		return nil, files.orFull(Wrap("making the database", err))
	}
	// As SQLite itself does where it is built for Linux: what a commit needs to be found again, and not the time of it.
	_, _ = sqlite.Fdatasync(true)
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
	log := newLogSize(path)
	return &engine{
		write: write, read: read, files: files, unclean: unclean, log: log,
		schema: cfg.Schema, oldest: 1, steps: steps,
		check:        func(ctx context.Context, conn *sql.Conn) error { return layout.Check(ctx, conn, cfg.Schema) },
		tables:       sqliteTables,
		connected:    []string{tempInMemory},
		upgrade:      []string{`BEGIN IMMEDIATE`},
		begin:        []string{`BEGIN IMMEDIATE`},
		snapshotOpts: &sql.TxOptions{ReadOnly: true},
		isLarge:      func(ctx context.Context) bool { return largeFile(ctx, read) },
		usage:        func(context.Context) (Usage, error) { return measure(path, log) },
		rewrite:      rewriteFile,
	}, nil
}

func largeFile(ctx context.Context, db *sql.DB) bool {
	var bytes int64
	err := db.QueryRowContext(ctx, `SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`).Scan(&bytes)
	return err == nil && bytes >= largeBytes
}

func measure(path string, log *logSize) (u Usage, err error) {
	u.LogHeld = log.heldFor()
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

// FileName is the database in the data folder.
const FileName = "rollcall.db"

const sqliteTables = `SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'`

// DSN names the SQLite database at path with pragmas for each connection, because Exec would
// reach only one connection of a pool.
func DSN(path string, pragmas ...string) string {
	v := url.Values{"_pragma": append([]string{fmt.Sprintf("busy_timeout(%d)", busyTimeout), "foreign_keys(1)"}, pragmas...)}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + v.Encode()
}

// ReadOnlyDSN is DSN for connections that leave even the log beside the database as it is.
func ReadOnlyDSN(path string, pragmas ...string) string { return DSN(path, pragmas...) + "&mode=ro" }

// VerifyFile reads the whole SQLite file, which must be an undamaged database of rollcall that
// this version of the program, or an older one, has written: else ErrNewerSchema.
func VerifyFile(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", ReadOnlyDSN(path, "query_only(1)"))
	if err != nil {
		return err
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("it is damaged: %s", verdict)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	version, err := schemaVersion(ctx, conn, sqliteTables)
	if err == nil && version == 0 {
		err = errors.New("it is empty")
	}
	if err == nil {
		err = checkVersion(version, SchemaVersion())
	}
	return err
}

// maxLog is at how many bytes SQLite folds its log into the database, where the disk has room:
// sooner costs throughput, later costs disk.
const maxLog = 40 << 20

// How long writes wait for readers so that the log can be cut, and how long it is left alone
// after they did so in vain.
const (
	cutTimeout = time.Second
	cutAgain   = 5 * time.Second
)

// logSize bounds the write-ahead log. SQLite folds it by itself, but begins it anew only in a moment
// without a reader: where somebody always reads it would grow until the disk is full.
type logSize struct {
	path     string
	most     int64     // maxLog
	limit    int64     // at which it is to be folded now
	measured time.Time // when limit was found
	busy     time.Time // when cutting it was in vain, last
	folded   int64     // lastCommit at which it was folded
	page     int64     // size of a page
	added    int64     // pages, since some were copied last

	held atomic.Pointer[time.Time] // since when cutting it has been in vain; nil: it has not
}

// LargeLog is more than a log takes, in bytes, that is cut when it has to be: twice maxLog, and what is
// written while readers are waited for.
const LargeLog = 4 * maxLog

func newLogSize(database string) *logSize { return &logSize{path: database + "-wal", most: maxLog} }

// measure has SQLite fold the log at a quarter of what is free on the disk, where that is less
// than the most that it may take.
func (l *logSize) measure(conn *sql.Conn) error {
	if time.Since(l.measured) < time.Second {
		return nil
	}
	l.measured = time.Now()
	limit := l.most
	if free, ok := freespace.Of(filepath.Dir(l.path)); ok {
		limit = min(limit, free/4)
	}
	if limit == l.limit {
		return nil
	}
	ctx := context.Background()
	if err := conn.QueryRowContext(ctx, `PRAGMA page_size`).Scan(&l.page); err != nil {
		return Wrap("measuring the log", err)
	}
	_, err := conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA wal_autocheckpoint = %d`, max(limit/l.page, 1)))
	l.limit = limit
	return Wrap("measuring the log", err)
}

// bound cuts the log after a commit where it has twice the size at which SQLite should have
// begun it anew. What it fails of is tried again: nothing is lost meanwhile.
func (l *logSize) bound(conn *sql.Conn) {
	if l == nil || conn == nil {
		return
	}
	_ = l.measure(conn)
	info, err := os.Stat(l.path)
	small := err == nil && info.Size() <= 2*l.limit
	if err != nil || !small && time.Since(l.busy) < cutAgain {
		return
	}
	if !small && cutLog(conn, cutTimeout) != nil {
		now := time.Now()
		l.busy = now
		l.held.CompareAndSwap(nil, &now)
		return
	}
	l.held.Store(nil)
}

// heldFor returns for how long the log could not be cut.
func (l *logSize) heldFor() time.Duration {
	since := l.held.Load()
	if since == nil {
		return 0
	}
	return time.Since(*since)
}

// makeRoom cuts the log where the disk is full, and tells whether that may have helped.
func (l *logSize) makeRoom(conn *sql.Conn) bool {
	return l != nil && conn != nil && cutLog(conn, cutTimeout) == nil
}

// fold brings the log into the database when nothing has been written for a while, so that the
// file is whole by itself. No reader is waited for. It returns ErrBroken where the disk has failed.
func (l *logSize) fold(conn *sql.Conn, lastCommit int64) error {
	if l == nil || conn == nil || lastCommit == 0 || lastCommit == l.folded || time.Since(time.Unix(0, lastCommit)) < lookEvery {
		return nil
	}
	all, err := l.copy(conn)
	if all {
		l.folded = lastCommit
	}
	return err
}

// copyAt is after how many bytes in the log some are copied into the database when nobody waits. A million
// sessions write as much in half a second.
const copyAt = 2 << 20

// copySome is to be called after a commit when nobody waits for the next: the log is copied in small parts then, so that
// SQLite seldom has to copy all of it at once, while all wait. Where somebody always waits that is as well: what
// is written again and again is copied once. It returns ErrBroken where the disk has failed.
func (l *logSize) copySome(conn *sql.Conn) error {
	if l == nil || conn == nil {
		return nil
	}
	err := conn.Raw(func(c any) error {
		pages, _, err := c.(sqlite.DBStatus).Status(sqlite.DBStatusCacheWrite, true)
		l.added += int64(pages)
		return err
	})
	if err != nil || l.added*l.page < min(copyAt, l.limit) {
		return Wrap("measuring the log", err)
	}
	l.added = 0
	_, err = l.copy(conn)
	return err
}

// copy copies what no reader needs in the log into the database, and tells whether that was all. That there is no room,
// or another process has the database, is no error: nothing is lost meanwhile.
func (l *logSize) copy(conn *sql.Conn) (all bool, err error) {
	var busy, pages, copied int
	err = Wrap("copying the log", conn.QueryRowContext(context.Background(), `PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &pages, &copied))
	if !errors.Is(err, ErrBroken) {
		return err == nil && pages == copied, nil
	}
	return false, err
}
