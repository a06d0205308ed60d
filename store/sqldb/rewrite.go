package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// Deleting a row, or overwriting it, leaves its bytes in the file: in pages that
// are free, in the free part of pages from which rows have moved, in pages of
// indexes, in the write-ahead log. SQLite's secure_delete does not reach rows that
// were moved, nor what was deleted before it was set. Writing all that is left
// anew does: VACUUM, and then the log, in which it stands first, brought into the
// database and cut to nothing.

// How long those are waited for who still look at what was there before.
const (
	readersTries = 25
	readersEvery = 100 * time.Millisecond
)

// truncateTimeout is how long heartbeats wait while the write-ahead log is cut.
const truncateTimeout = 100 * time.Millisecond

// Rewrite writes the database's files anew, so that nothing is left in them of what was deleted
// before. ErrBusy while somebody reads an old state for long, such as a backup; ErrFull where
// there is no room for a copy. Writes wait meanwhile.
func (db *DB) Rewrite(ctx context.Context) error {
	return Wrap("rewriting the database", db.engine.rewrite(ctx, db))
}

// rewriteFile is the rewrite of SQLite.
func rewriteFile(ctx context.Context, db *DB) error {
	err := db.BetweenWrites(func(ctx context.Context, conn *sql.Conn) error {
		err := run(ctx, conn, []string{tempInFiles, `VACUUM`})
		err = errors.Join(err, run(context.WithoutCancel(ctx), conn, []string{tempInMemory}))
		return Wrap("rewriting the database", err)
	})
	if err != nil {
		return err
	}
	if err := RemoveKeptCopies(filepath.Dir(db.engine.files.path)); err != nil {
		return fmt.Errorf("removing what was kept from before an upgrade: %w", err)
	}
	return retryWhileBusy(ctx, func() error {
		return db.BetweenWrites(func(_ context.Context, conn *sql.Conn) error { return truncate(conn) })
	})
}

// retryWhileBusy tries until it is not for them that f fails, with ErrBusy.
func retryWhileBusy(ctx context.Context, f func() error) error {
	for tries := 1; ; tries++ {
		err := f()
		if !errors.Is(err, ErrBusy) || tries == readersTries {
			return err
		}
		select {
		case <-ctx.Done():
			return Wrap("waiting for readers", ctx.Err())
		case <-time.After(readersEvery):
		}
	}
}

const setTimeout = `PRAGMA busy_timeout = %d`

// truncate is cutLog where heartbeats are not to wait for long.
func truncate(conn *sql.Conn) error { return cutLog(conn, truncateTimeout) }

// cutLog folds the write-ahead log into the database and cuts it to nothing. It waits for readers
// up to a time.
func cutLog(conn *sql.Conn, wait time.Duration) error {
	ctx := context.Background() // it takes that time at most
	if _, err := conn.ExecContext(ctx, fmt.Sprintf(setTimeout, wait.Milliseconds())); err != nil {
		return Wrap("truncating the log", err)
	}
	var busy, pages, folded int
	err := conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &folded)
	_, back := conn.ExecContext(ctx, fmt.Sprintf(setTimeout, busyTimeout))
	if err = errors.Join(err, back); err == nil && busy != 0 {
		return ErrBusy
	}
	return Wrap("truncating the log", err)
}
