package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// maxBatch bounds one transaction, and with it how long its first caller waits.
const maxBatch = 512

// writer puts the writes of all callers through one connection. While one
// transaction is on its way to the disk the next writes queue up, and all of
// them share the next transaction: group commit. Each caller is answered only
// after the commit that holds its write.
type writer struct {
	engine    *engine
	conn      *sql.Conn // nil while the database is out of reach
	stmts     *statements
	queue     chan *write
	exclusive chan *write   // what can not be in a transaction
	done      chan struct{} // run has returned

	onCommit      func(writes int, took time.Duration) // may be nil
	failedCommits atomic.Int64                         // transactions, because the database was out of reach

	mu     sync.RWMutex // guards closed against a send on queue
	closed bool
	broken chan struct{}

	rewriting atomic.Bool // while one of alone runs
}

// A write is one caller's part of the next transaction.
type write struct {
	ctx         context.Context
	run         func(*tx) error
	exclusive   func(*sql.Conn) error // instead of run
	noSavepoint bool                  // one statement, which is atomic by itself: needs no savepoint
	heartbeat   *heartbeat            // that run records, where nothing else is to be done for it
	answer      chan error            // of capacity 1: the writer never waits for a caller
	err         error
}

func newWriter(e *engine) *writer {
	return &writer{
		engine:    e,
		queue:     make(chan *write, 4*maxBatch),
		exclusive: make(chan *write),
		done:      make(chan struct{}),
		broken:    make(chan struct{}),
	}
}

// write runs f in the next transaction and returns when that is on disk. An
// error of f undoes what f did and nothing else.
func (s *Store) write(ctx context.Context, f func(*tx) error) error {
	return s.notifyChanged(s.writer.do(&write{ctx: ctx, run: f}))
}

// writeOne is write for an f that changes the database by one statement only.
func (s *Store) writeOne(ctx context.Context, f func(*tx) error) error {
	return s.notifyChanged(s.writer.do(&write{ctx: ctx, run: f, noSavepoint: true}))
}

// ProbeWriter returns nil once an empty write has gone the way of all others. It
// waits as long as the writer is stuck; where it rewrites the database, another
// process keeps that, the disk is full or the database's server is away it is well.
func (s *Store) ProbeWriter(ctx context.Context) error {
	job := emptyWrite(ctx)
	err := s.writer.enqueue(job)
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for waits := err == nil; waits; {
		select {
		case err = <-job.answer:
			waits = false
		case <-look.C:
			waits = !s.writer.rewriting.Load()
		}
	}
	if errors.Is(err, ErrBusy) || errors.Is(err, ErrFull) || errors.Is(err, ErrUnavailable) {
		return nil
	}
	return err
}

// TryWrite changes nothing, but reaches the disk all the same: it tells whether a
// heartbeat could be recorded.
func (s *Store) TryWrite(ctx context.Context) error {
	return s.writer.do(&write{ctx: ctx, noSavepoint: true, run: func(t *tx) error {
		_, err := t.exec(`UPDATE settings SET value = value WHERE name = (SELECT MIN(name) FROM settings)`)
		return wrapErr("trying to write", err)
	}})
}

func emptyWrite(ctx context.Context) *write {
	return &write{ctx: ctx, noSavepoint: true, run: func(*tx) error { return nil }}
}

func (w *writer) do(job *write) error {
	if err := w.enqueue(job); err != nil {
		return err
	}
	// Not cut short by ctx: once a write runs, only its outcome is the truth.
	return <-job.answer
}

func (w *writer) enqueue(job *write) error {
	job.answer = make(chan error, 1)
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrBroken
	}
	select {
	case w.queue <- job:
		return nil
	case <-job.ctx.Done():
		return wrapErr("queueing a write", job.ctx.Err())
	}
}

// exclusively runs f on the connection between two transactions. All writes wait.
func (w *writer) exclusively(f func(*sql.Conn) error) error {
	job := &write{exclusive: f, answer: make(chan error, 1)}
	select {
	case w.exclusive <- job:
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
		case job := <-w.exclusive:
			w.answer([]*write{job}, w.runExclusive(job))
		}
	}
}

// answer tells the callers of a batch what became of it.
func (w *writer) answer(batch []*write, err error) {
	if errors.Is(err, ErrUnavailable) {
		w.failedCommits.Add(1) // first: who is told may look at once
	}
	for _, job := range batch {
		if err != nil {
			job.err = err
		}
		job.answer <- job.err
	}
	if errors.Is(err, ErrBroken) {
		w.markBroken()
	}
}

func (w *writer) runExclusive(job *write) error {
	select {
	case <-w.broken:
		return ErrBroken
	default:
		if err := w.connect(context.Background()); err != nil {
			return err
		}
		w.rewriting.Store(true)
		defer w.rewriting.Store(false)
		return job.exclusive(w.conn)
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
	ctx, done := w.engine.txContext()
	defer done()
	if err := w.connect(ctx); err != nil {
		return err
	}
	t := &tx{w: w, ctx: ctx}
	err := t.write(batch)
	if err == nil {
		err = t.commit()
	} else {
		t.rollback()
	}
	if err != nil && ctx.Err() != nil { // a database that does not answer is as good as none
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// markBroken ends all writing: after a failed write nobody knows what the disk holds.
func (w *writer) markBroken() {
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
	return w.disconnect()
}

// connect makes sure that there is a connection: the first one, or another in
// place of one that was lost.
func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	conn, err := w.engine.write.Conn(ctx)
	if err == nil {
		w.conn, w.stmts = conn, newStatements(conn)
	}
	return wrapErr("connecting to the database", err)
}

func (w *writer) disconnect() error {
	if w.conn == nil {
		return nil
	}
	w.stmts.close()
	err := w.conn.Close()
	w.conn, w.stmts = nil, nil
	return err
}
