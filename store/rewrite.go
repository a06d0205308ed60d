package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// truncateTimeout is how long heartbeats wait while the write-ahead log is cut, in
// milliseconds.
const truncateTimeout = 100

// FinishErasing rewrites the database's files where somebody was erased since
// they were last rewritten; else it does nothing. ErrBusy while somebody reads
// an old state for long, such as a backup; ErrFull where there is no room for a
// copy. Then it has to be called again.
func (s *Store) FinishErasing(ctx context.Context) error {
	var erasures int64
	err := s.read.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'erasures'`).Scan(&erasures)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		err = s.engine.rewrite(ctx, s)
	}
	if err != nil {
		return wrapErr("rewriting the database", err)
	}
	return s.writeOne(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM settings WHERE name = 'erasures' AND value = $1`, erasures) // unless somebody else was erased meanwhile
		return wrapErr("noting the end of an erasure", err)
	})
}

// rewriteFile is the rewrite of SQLite.
func rewriteFile(ctx context.Context, s *Store) error {
	err := s.writer.exclusively(func(conn *sql.Conn) error {
		_, err := conn.ExecContext(context.Background(), `VACUUM`)
		return wrapErr("rewriting the database", err)
	})
	if err != nil {
		return err
	}
	return retryWhileBusy(ctx, func() error { return s.writer.exclusively(truncate) })
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
			return wrapErr("waiting for readers", ctx.Err())
		case <-time.After(readersEvery):
		}
	}
}

const setTimeout = `PRAGMA busy_timeout = %d`

// truncate folds the write-ahead log into the database and cuts it to nothing.
func truncate(conn *sql.Conn) error {
	ctx := context.Background()
	if _, err := conn.ExecContext(ctx, fmt.Sprintf(setTimeout, truncateTimeout)); err != nil {
		return wrapErr("truncating the log", err)
	}
	var busy, pages, folded int
	err := conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &folded)
	_, back := conn.ExecContext(ctx, fmt.Sprintf(setTimeout, busyTimeout))
	if err = errors.Join(err, back); err == nil && busy != 0 {
		return ErrBusy
	}
	return wrapErr("truncating the log", err)
}
