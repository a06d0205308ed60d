package sqldb

import (
	"context"
	"database/sql"
	"errors"
)

// Tx is the transaction as a write sees it.
type Tx struct {
	w   *writer
	ctx context.Context // of the transaction, not of a caller: one who leaves must not interrupt the others

	dbErr error // the first statement's that failed: PostgreSQL then undoes all, even where COMMIT is asked for

	committed []func() // see AfterCommit
}

// AfterCommit has f called once the transaction is on the disk, before anybody is told so; never
// where it fails. What a write says after that it was undone itself is said none the less.
func (t *Tx) AfterCommit(f func()) { t.committed = append(t.committed, f) }

// write brings a batch into the transaction, which then waits to be committed.
func (t *Tx) write(batch []*Job) error {
	for i, job := range batch {
		if job.Bulk != nil && (i == 0 || batch[i-1].Bulk == nil) {
			if err := t.runBulk(batch[i:]); err != nil {
				return err
			}
		}
		if job.Bulk != nil && job.Bulk.DoneIn(t) {
			continue
		}
		if job.err = job.ctx.Err(); job.err != nil {
			job.err = Wrap("waiting for the writer", job.err)
			continue
		}
		if err := t.runOne(job); err != nil {
			return err
		}
	}
	return nil
}

// runBulk does together what can be of the jobs at the head of a batch. What was queued before
// another kind of write is done before it.
func (t *Tx) runBulk(batch []*Job) error {
	var bulk []Bulk
	for _, job := range batch {
		if job.Bulk == nil {
			break
		}
		if job.ctx.Err() == nil {
			bulk = append(bulk, job.Bulk)
		}
	}
	if len(bulk) == 0 {
		return nil
	}
	return bulk[0].RunBulk(t, bulk)
}

func (t *Tx) begin() error {
	for _, statement := range t.w.engine.begin {
		if _, err := t.Exec(statement); err != nil {
			return Wrap("beginning a transaction", err)
		}
	}
	return nil
}

// commit ends the transaction. Where the connection is lost meanwhile, nobody knows what became
// of it: ErrUnavailable.
func (t *Tx) commit() error {
	_, err := t.Exec(`COMMIT`)
	if err != nil {
		t.rollback()
	}
	return Wrap("committing", err)
}

// rollback leaves the connection ready for the next batch, or lets go of it.
// SQLite has often rolled back by itself, and then this fails with nothing to do.
func (t *Tx) rollback() {
	if t.w.conn == nil { // there is none any more
		return
	}
	_, err := t.w.conn.ExecContext(t.ctx, `ROLLBACK`)
	if err != nil && t.w.engine.server != nil {
		_ = t.w.disconnect()
	}
}

// runOne runs one write. It returns an error only where a statement failed: nobody knows then
// what the database kept of the transaction, so all of it is lost. An error of the write's own,
// by which it declines, is kept in job.err and leaves the others alone.
func (t *Tx) runOne(job *Job) error {
	if job.NoSavepoint {
		job.err = job.Run(t)
		return t.dbErr
	}
	if _, err := t.Exec(`SAVEPOINT one`); err != nil {
		return Wrap("beginning a write", err)
	}
	job.err = job.Run(t)
	if t.dbErr != nil {
		return t.dbErr
	}
	if job.err != nil {
		if _, err := t.Exec(`ROLLBACK TO one`); err != nil {
			return Wrap("undoing a write", err)
		}
	}
	_, err := t.Exec(`RELEASE one`)
	return Wrap("ending a write", err)
}

// prepare returns the statement for a query, unless one of its arguments is a
// text that can not be stored: that must not cost others their transaction.
func (t *Tx) prepare(query string, args []any) (*sql.Stmt, error) {
	for _, arg := range args {
		if text, ok := arg.(string); ok && !storable(text) {
			return nil, errUnstorable
		}
		if text, ok := arg.(*string); ok && text != nil && !storable(*text) {
			return nil, errUnstorable
		}
	}
	stmt, err := t.w.stmts.prepare(t.ctx, query)
	return stmt, t.noteDBErr(err)
}

// Exec runs a statement and returns how many rows it changed.
func (t *Tx) Exec(query string, args ...any) (int64, error) {
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

// Each calls f for every row that query returns.
func (t *Tx) Each(f func(*sql.Rows) error, query string, args ...any) error {
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

// Scan reads the one row that query returns into dest; sql.ErrNoRows without.
func (t *Tx) Scan(dest []any, query string, args ...any) error {
	stmt, err := t.prepare(query, args)
	if err != nil {
		return err
	}
	return t.noteDBErr(stmt.QueryRowContext(t.ctx, args...).Scan(dest...))
}

// noteDBErr notes that a statement failed. That a row is not there is no failure.
func (t *Tx) noteDBErr(err error) error {
	if err != nil && t.dbErr == nil && !errors.Is(err, sql.ErrNoRows) {
		t.dbErr = Wrap("writing", err)
	}
	return err
}

// SaveSetting keeps a number under a name. It changes nothing, not even the file, where the
// number is the same.
func (t *Tx) SaveSetting(name string, value int64) error {
	_, err := t.Exec(saveSetting, name, value)
	return err
}

const saveSetting = `
	INSERT INTO settings (name, value) VALUES ($1, $2)
	ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE settings.value <> excluded.value`

// OthersWrote tells whether another connection to an SQLite file, such as that of another process, has written to it
// since this was asked last.
func (t *Tx) OthersWrote() (bool, error) {
	var version int64
	err := t.Scan([]any{&version}, `PRAGMA data_version`)
	before := t.w.dataVersion
	t.w.dataVersion = version
	return version != before, Wrap("asking whether others wrote", err)
}
