package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

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
}

func newLogSize(database string) *logSize { return &logSize{path: database + "-wal", most: maxLog} }

// measure has SQLite fold the log at a quarter of what is free on the disk, where that is less
// than the most that it may take.
func (l *logSize) measure(conn *sql.Conn) error {
	if time.Since(l.measured) < time.Second {
		return nil
	}
	l.measured = time.Now()
	limit := l.most
	if free, ok := freeSpace(filepath.Dir(l.path)); ok {
		limit = min(limit, free/4)
	}
	if limit == l.limit {
		return nil
	}
	ctx := context.Background()
	var page int64
	if err := conn.QueryRowContext(ctx, `PRAGMA page_size`).Scan(&page); err != nil {
		return Wrap("measuring the log", err)
	}
	_, err := conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA wal_autocheckpoint = %d`, max(limit/page, 1)))
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
	if err != nil || info.Size() <= 2*l.limit || time.Since(l.busy) < cutAgain {
		return
	}
	if cutLog(conn, cutTimeout) != nil {
		l.busy = time.Now()
	}
}

// makeRoom cuts the log where the disk is full, and tells whether that may have helped.
func (l *logSize) makeRoom(conn *sql.Conn) bool {
	return l != nil && conn != nil && cutLog(conn, cutTimeout) == nil
}

// fold brings the log into the database when nothing has been written for a while, so that the
// file is whole by itself. No reader is waited for.
func (l *logSize) fold(conn *sql.Conn, lastCommit int64) {
	if l == nil || conn == nil || lastCommit == 0 || lastCommit == l.folded || time.Since(time.Unix(0, lastCommit)) < lookEvery {
		return
	}
	var busy, pages, folded int
	err := conn.QueryRowContext(context.Background(), `PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &pages, &folded)
	if err == nil && pages == folded {
		l.folded = lastCommit
	}
}
