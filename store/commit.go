package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// maxBatch bounds one transaction, and with it how long its first caller waits.
const maxBatch = 512

// writer puts the writes of all callers through one connection. While one
// transaction is on its way to the disk the next writes queue up, and all of
// them share the next transaction: group commit. Each caller is answered only
// after the commit that holds its write.
type writer struct {
	db    *sql.DB
	conn  *sql.Conn
	stmts *statements
	queue chan *write
	alone chan *write   // what can not be in a transaction
	done  chan struct{} // run has returned

	onCommit func(writes int, took time.Duration) // may be nil

	mu     sync.RWMutex // guards closed against a send on queue
	closed bool
	broken chan struct{}
}

// A write is one caller's part of the next transaction.
type write struct {
	ctx    context.Context
	run    func(*tx) error
	alone  func(*sql.Conn) error // instead of run
	single bool                  // one statement, which is atomic by itself: needs no savepoint
	answer chan error            // of capacity 1: the writer never waits for a caller
	err    error
}

func newWriter(db *sql.DB, conn *sql.Conn) *writer {
	return &writer{
		db: db, conn: conn, stmts: newStatements(conn),
		queue:  make(chan *write, 4*maxBatch),
		alone:  make(chan *write),
		done:   make(chan struct{}),
		broken: make(chan struct{}),
	}
}

// write runs f in the next transaction and returns when that is on disk. An
// error of f undoes what f did and nothing else.
func (s *Store) write(ctx context.Context, f func(*tx) error) error {
	return s.announce(s.writer.do(&write{ctx: ctx, run: f}))
}

// writeOne is write for an f that changes the database by one statement only.
func (s *Store) writeOne(ctx context.Context, f func(*tx) error) error {
	return s.announce(s.writer.do(&write{ctx: ctx, run: f, single: true}))
}

// ProbeWriter returns nil once an empty write has gone the way of all others. It
// waits as long as the writer is stuck; where another process keeps the database
// or the disk is full the writer is well.
func (s *Store) ProbeWriter(ctx context.Context) error {
	err := s.writer.do(&write{ctx: ctx, single: true, run: func(*tx) error { return nil }})
	if errors.Is(err, ErrBusy) || errors.Is(err, ErrFull) {
		return nil
	}
	return err
}

func (w *writer) do(job *write) error {
	job.answer = make(chan error, 1)
	if err := w.enqueue(job); err != nil {
		return err
	}
	// Not cut short by ctx: once a write runs, only its outcome is the truth.
	return <-job.answer
}

func (w *writer) enqueue(job *write) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrBroken
	}
	select {
	case w.queue <- job:
		return nil
	case <-job.ctx.Done():
		return fail("queueing a write", job.ctx.Err())
	}
}

// between runs f on the connection between two transactions. All writes wait.
func (w *writer) between(f func(*sql.Conn) error) error {
	job := &write{alone: f, answer: make(chan error, 1)}
	select {
	case w.alone <- job:
		return <-job.answer
	case <-w.done:
		return ErrBroken
	}
}

// run commits batch after batch until the queue is closed.
func (w *writer) run() {
	defer close(w.done)
	batch := make([]*write, 0, maxBatch)
	for {
		select {
		case job, ok := <-w.queue:
			if !ok {
				return
			}
			batch = w.collect(append(batch[:0], job))
			start := time.Now()
			err := w.commit(batch)
			if err == nil && w.onCommit != nil {
				w.onCommit(len(batch), time.Since(start))
			}
			w.answer(batch, err)
		case job := <-w.alone:
			w.answer([]*write{job}, w.byItself(job))
		}
	}
}

// answer tells the callers of a batch what became of it.
func (w *writer) answer(batch []*write, err error) {
	for _, job := range batch {
		if err != nil {
			job.err = err
		}
		job.answer <- job.err
	}
	if errors.Is(err, ErrBroken) {
		w.giveUp()
	}
}

func (w *writer) byItself(job *write) error {
	select {
	case <-w.broken:
		return ErrBroken
	default:
		return job.alone(w.conn)
	}
}

// collect adds what is waiting already, and what those add who are about to
// write: letting them run first makes batches fuller when there is much to do,
// and takes no time when there is not.
func (w *writer) collect(batch []*write) []*write {
	for waiting := -1; len(w.queue) > waiting && len(w.queue) < maxBatch; {
		waiting = len(w.queue)
		runtime.Gosched()
	}
	for len(batch) < maxBatch {
		select {
		case job, ok := <-w.queue:
			if !ok {
				return batch
			}
			batch = append(batch, job)
		default:
			return batch
		}
	}
	return batch
}

// commit writes a batch. Its error concerns the whole batch: nothing of it is
// in the database then. What concerns one write only is left in that write.
func (w *writer) commit(batch []*write) error {
	select {
	case <-w.broken:
		return ErrBroken
	default:
	}
	ctx := context.Background() // a caller that leaves must not interrupt the others
	t := &tx{w: w}
	if _, err := t.exec(`BEGIN IMMEDIATE`); err != nil {
		return fail("beginning a transaction", err)
	}
	for _, job := range batch {
		if job.err = job.ctx.Err(); job.err != nil {
			job.err = fail("waiting for the writer", job.err)
			continue
		}
		if err := t.attempt(job); err != nil {
			w.rollback(ctx)
			return err
		}
	}
	if _, err := t.exec(`COMMIT`); err != nil {
		w.rollback(ctx)
		return fail("committing", err)
	}
	return nil
}

// rollback leaves the connection ready for the next batch. SQLite has often
// rolled back by itself, and then this fails with nothing to do.
func (w *writer) rollback(ctx context.Context) {
	_, _ = w.conn.ExecContext(ctx, `ROLLBACK`)
}

// giveUp ends all writing: after a failed write nobody knows what the disk holds.
func (w *writer) giveUp() {
	select {
	case <-w.broken:
	default:
		close(w.broken)
	}
}

// stop lets the queue run empty and closes the connection.
func (w *writer) stop() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	close(w.queue)
	w.mu.Unlock()
	<-w.done
	return w.close()
}

func (w *writer) close() error {
	w.stmts.close()
	return errors.Join(w.conn.Close(), w.db.Close())
}

// tx is the transaction as a write sees it.
type tx struct {
	w *writer
}

// attempt runs one write. It returns an error only where the transaction as a
// whole is lost; what the write declines by itself is kept in job.err.
func (t *tx) attempt(job *write) error {
	if job.single {
		job.err = job.run(t)
		return lost(job.err)
	}
	if _, err := t.exec(`SAVEPOINT one`); err != nil {
		return fail("beginning a write", err)
	}
	job.err = job.run(t)
	if err := lost(job.err); err != nil {
		return err
	}
	if job.err != nil {
		if _, err := t.exec(`ROLLBACK TO one`); err != nil {
			return fail("undoing a write", err)
		}
	}
	_, err := t.exec(`RELEASE one`)
	return fail("ending a write", err)
}

// lost returns err unless it is one by which a write declines: those leave the
// transaction whole, while after any other nobody knows what SQLite kept of it.
func lost(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrFull), errors.Is(err, ErrBroken), errors.Is(err, ErrBusy), !isOurs(err):
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	stmt, err := t.w.stmts.prepare(query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// each calls f for every row that query returns.
func (t *tx) each(f func(*sql.Rows) error, query string, args ...any) error {
	stmt, err := t.w.stmts.prepare(query)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(context.Background(), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// scan reads the one row that query returns into dest; sql.ErrNoRows without.
func (t *tx) scan(dest []any, query string, args ...any) error {
	stmt, err := t.w.stmts.prepare(query)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(context.Background(), args...).Scan(dest...)
}
