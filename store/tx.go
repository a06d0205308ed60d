package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// tx is the transaction as a write sees it.
type tx struct {
	w    *writer
	ctx  context.Context // of the transaction, not of a caller: one who leaves must not interrupt the others
	mark int64           // in a remote database; 0: none

	dbErr error // the first statement's that failed: PostgreSQL then undoes all, even where COMMIT is asked for
}

// write brings a batch into a transaction that waits to be committed.
func (t *tx) write(batch []*write) error {
	if err := t.begin(batch); err != nil {
		return err
	}
	for i, job := range batch {
		if job.heartbeat != nil && (i == 0 || batch[i-1].heartbeat == nil) {
			if err := t.touchBulk(batch[i:]); err != nil {
				return err
			}
		}
		if job.heartbeat != nil && job.heartbeat.recorded {
			continue
		}
		if job.err = job.ctx.Err(); job.err != nil {
			job.err = wrapErr("waiting for the writer", job.err)
			continue
		}
		if err := t.runOne(job); err != nil {
			return err
		}
	}
	return nil
}

// begin leaves a mark unless the batch is nothing but heartbeats: one that was
// recorded and is sent again does no harm.
func (t *tx) begin(batch []*write) (err error) {
	for _, statement := range t.w.engine.begin {
		if _, err := t.exec(statement); err != nil {
			return wrapErr("beginning a transaction", err)
		}
	}
	if t.w.engine.server != nil && slices.ContainsFunc(batch, func(job *write) bool { return job.heartbeat == nil }) {
		t.mark, err = t.w.engine.server.mark(t.ctx, t.w.conn)
	}
	return wrapErr("beginning a transaction", err)
}

// commit ends the transaction. Where the database went away meanwhile, it finds
// out what became of it; ErrUnavailable where it can not.
func (t *tx) commit() error {
	_, err := t.exec(`COMMIT`)
	if err == nil {
		return nil
	}
	err = wrapErr("committing", err)
	t.rollback()
	if errors.Is(err, ErrUnavailable) && t.mark != 0 && t.w.committed(t.ctx, t.mark) {
		return nil
	}
	return err
}

// rollback leaves the connection ready for the next batch, or lets go of it.
// SQLite has often rolled back by itself, and then this fails with nothing to do.
func (t *tx) rollback() {
	_, err := t.w.conn.ExecContext(t.ctx, `ROLLBACK`)
	if err != nil && t.w.engine.server != nil {
		_ = t.w.disconnect()
	}
}

// reconnectDelay is how long to wait before a database that went away is asked once more.
const reconnectDelay = 50 * time.Millisecond

// committed tells whether the transaction of a mark is known to have been
// committed, though the connection was lost while it was.
func (w *writer) committed(ctx context.Context, mark int64) bool {
	for {
		err := w.connect(ctx)
		if err == nil {
			var yes bool
			if yes, err = w.engine.server.committed(ctx, w.conn, mark); err == nil {
				return yes
			}
			_ = w.disconnect()
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(reconnectDelay):
		}
	}
}

// runOne runs one write. It returns an error only where the transaction as a
// whole is lost; what the write declines by itself is kept in job.err.
func (t *tx) runOne(job *write) error {
	if job.noSavepoint {
		job.err = job.run(t)
		return cmp.Or(fatal(job.err), t.dbErr)
	}
	if _, err := t.exec(`SAVEPOINT one`); err != nil {
		return wrapErr("beginning a write", err)
	}
	job.err = job.run(t)
	if err := cmp.Or(fatal(job.err), t.dbErr); err != nil {
		return err
	}
	if job.err != nil {
		if _, err := t.exec(`ROLLBACK TO one`); err != nil {
			return wrapErr("undoing a write", err)
		}
	}
	_, err := t.exec(`RELEASE one`)
	return wrapErr("ending a write", err)
}

// fatal returns err unless it is one by which a write declines: those leave the
// transaction whole, while after any other nobody knows what the database kept of it.
func fatal(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrFull), errors.Is(err, ErrBroken), errors.Is(err, ErrBusy), errors.Is(err, ErrUnavailable), !isOurs(err):
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// prepare returns the statement for a query, unless one of its arguments is a
// text that can not be stored: that must not cost others their transaction.
func (t *tx) prepare(query string, args []any) (*sql.Stmt, error) {
	for _, arg := range args {
		if text, ok := arg.(string); ok && !storable(text) {
			return nil, errUnstorable
		}
		if text, ok := arg.(*string); ok && text != nil && !storable(*text) {
			return nil, errUnstorable
		}
	}
	return t.w.stmts.prepare(t.ctx, query)
}

var errUnstorable = invalid("text must be valid UTF-8 and must not have a NUL")

func storable(text string) bool { return !strings.Contains(text, nul) && utf8.ValidString(text) }

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	stmt, err := t.prepare(query, args)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, t.noteDBErr(err)
	}
	return result.RowsAffected()
}

// each calls f for every row that query returns.
func (t *tx) each(f func(*sql.Rows) error, query string, args ...any) error {
	stmt, err := t.prepare(query, args)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(t.ctx, args...)
	if err != nil {
		return t.noteDBErr(err)
	}
	return t.noteDBErr(eachRow(rows, f))
}

// scan reads the one row that query returns into dest; sql.ErrNoRows without.
func (t *tx) scan(dest []any, query string, args ...any) error {
	stmt, err := t.prepare(query, args)
	if err != nil {
		return err
	}
	return t.noteDBErr(stmt.QueryRowContext(t.ctx, args...).Scan(dest...))
}

// noteDBErr notes an error of the database's.
func (t *tx) noteDBErr(err error) error {
	if err != nil && t.dbErr == nil && !errors.Is(err, sql.ErrNoRows) && !isOurs(err) {
		t.dbErr = wrapErr("writing", err)
	}
	return err
}
