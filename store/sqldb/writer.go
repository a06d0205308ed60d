package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/store/sqldb/shortsleep"
)

// maxBatch bounds one transaction, and with it how long its first caller waits.
const maxBatch = 512

// A commit costs the device some pages and the processors a wait for it, however small it is. So where several writes
// came together last time, small batches begin no more often than that.
const (
	severalWrites = 3
	enoughWrites  = 32
	commitEvery   = time.Millisecond
)

// writer puts the writes of all callers through one connection. While one
// transaction is on its way to the disk the next writes queue up, and all of
// them share the next transaction: group commit. Each caller is answered only
// after the commit that holds its write.
type writer struct {
	engine    *engine
	conn      *sql.Conn // nil while the database is out of reach
	stmts     *statements
	queue     chan *Job
	exclusive chan *Job     // what can not be in a transaction
	done      chan struct{} // run has returned

	onCommit   func(writes int, took time.Duration) // may be nil
	waiting    atomic.Pointer[time.Time]            // since when the first write under way has waited; nil: none is
	lastCommit atomic.Int64                         // unix nanoseconds of the last commit; 0 once one has failed
	full       atomic.Bool                          // the disk was, when something was written last or looked for room

	mu      sync.RWMutex // guards closed against a send on queue
	closed  bool
	broken  chan struct{}
	failure error // why; set before broken is closed

	began       time.Time   // when the last batch did; the writer's own
	rewriting   atomic.Bool // while one of exclusive runs
	dataVersion int64       // see OthersWrote

	// What is under way when the end comes is waited for, but neither a rewriting of the
	// whole database nor, for long, a server that does not answer.
	exclusiveCtx, transactionCtx context.Context
	interrupt, giveUp            context.CancelFunc
}

// A Job is one caller's part of the next transaction.
type Job struct {
	Run         func(*Tx) error // its error undoes what it did and nothing else
	NoSavepoint bool            // Run is one statement, which is atomic by itself
	Bulk        Bulk            // nil, or how Run can be done together with others

	ctx       context.Context
	queued    time.Time
	exclusive func(context.Context, *sql.Conn) error // instead of Run
	answer    chan error                             // of capacity 1: the writer never waits for a caller
	err       error
}

// Bulk is a write that is done together with others of its kind.
type Bulk interface {
	// RunBulk does those of bulk, which were queued one after the other and begin with this
	// one, that can be done together.
	RunBulk(t *Tx, bulk []Bulk) error

	// DoneIn tells whether RunBulk has done this one in the transaction, which may be the second try.
	DoneIn(t *Tx) bool
}

func newWriter(e *engine) *writer {
	w := &writer{
		engine:    e,
		queue:     make(chan *Job, 4*maxBatch),
		exclusive: make(chan *Job),
		done:      make(chan struct{}),
		broken:    make(chan struct{}),
	}
	w.exclusiveCtx, w.interrupt = context.WithCancel(context.Background())
	w.transactionCtx, w.giveUp = context.WithCancel(context.Background())
	return w
}

func (w *writer) do(job *Job) error {
	if err := w.enqueue(job); err != nil {
		return err
	}
	// Not cut short by ctx: once a write runs, only its outcome is the truth.
	return <-job.answer
}

func (w *writer) enqueue(job *Job) error {
	job.answer, job.queued = make(chan error, 1), time.Now()
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrBroken
	}
	select {
	case w.queue <- job:
		return nil
	case <-job.ctx.Done():
		return Wrap("queueing a write", job.ctx.Err())
	}
}

// exclusively runs f on the connection between two transactions. All writes wait. Its context
// ends when the writer is to stop.
func (w *writer) exclusively(f func(context.Context, *sql.Conn) error) error {
	job := &Job{exclusive: f, answer: make(chan error, 1), queued: time.Now()}
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
	batch := make([]*Job, 0, maxBatch)
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case job, ok := <-w.queue:
			if !ok {
				w.answer(nil, w.engine.files.check())
				return
			}
			before := len(batch)
			batch = w.gather(w.collect(append(batch[:0], job)), before)
			w.waiting.Store(&batch[0].queued)
			w.began = time.Now()
			err := w.engine.files.orFull(w.commit(batch))
			if errors.Is(err, ErrFull) && w.engine.log.makeRoom(w.conn) {
				err = w.engine.files.orFull(w.commit(batch))
			}
			if err == nil {
				err = w.engine.files.check()
			}
			w.noteCommit(err)
			if err == nil && w.onCommit != nil {
				w.onCommit(len(batch), time.Since(w.began))
			}
			w.answer(batch, err)
			w.engine.log.bound(w.conn)
			if len(w.queue) == 0 {
				w.tidy(func() error { return w.engine.log.copySome(w.conn) })
			}
		case job := <-w.exclusive:
			w.waiting.Store(&job.queued)
			w.answer([]*Job{job}, w.runExclusive(job))
		case <-look.C:
			w.answer(nil, w.engine.files.check())
			w.tidy(func() error { return w.engine.log.fold(w.conn, w.lastCommit.Load()) })
			w.engine.reserve.keep()
		}
	}
}

func (w *writer) noteCommit(err error) {
	if err != nil {
		w.lastCommit.Store(0)
		if errors.Is(err, ErrFull) {
			w.full.Store(true)
		}
		return
	}
	w.lastCommit.Store(time.Now().UnixNano())
}

// committedWithin tells whether the last commit has succeeded, not longer ago than that.
func (w *writer) committedWithin(d time.Duration) bool {
	ago := time.Since(time.Unix(0, w.lastCommit.Load()))
	return ago >= 0 && ago < d // the clock may be set
}

// answer tells the callers of a batch what became of it.
func (w *writer) answer(batch []*Job, err error) {
	w.waiting.Store(nil)
	for _, job := range batch {
		if err != nil {
			job.err = err
		}
		job.answer <- job.err
	}
	if errors.Is(err, ErrBroken) {
		w.markBroken(err)
	}
}

// tidy does what no caller has asked for. Whoever comes meanwhile waits: a disk that hangs is noticed by that, too.
func (w *writer) tidy(f func() error) {
	w.waiting.Store(new(time.Now()))
	w.answer(nil, f())
}

func (w *writer) runExclusive(job *Job) error {
	select {
	case <-w.broken:
		return ErrBroken
	default:
		if err := w.connect(context.Background()); err != nil {
			return err
		}
		w.rewriting.Store(true)
		defer w.rewriting.Store(false)
		return job.exclusive(w.exclusiveCtx, w.conn)
	}
}

// collect adds what is waiting already, and what those add who are about to
// write: letting them run first makes batches fuller when there is much to do,
// and takes no time when there is not.
func (w *writer) collect(batch []*Job) []*Job {
	for waiting := -1; len(w.queue) > waiting && len(w.queue) < maxBatch; {
		waiting = len(w.queue)
		runtime.Gosched()
	}
	return w.take(batch)
}

// gather adds to a small batch what comes up to the time of the next commit; the batch before had so many writes.
func (w *writer) gather(batch []*Job, before int) []*Job {
	if before < severalWrites || len(batch) >= enoughWrites {
		return batch
	}
	wait := commitEvery - time.Since(w.began)
	if wait <= 0 || wait > commitEvery { // the clock may be set
		return batch
	}
	shortsleep.For(wait)
	return w.take(batch)
}

// take adds what is waiting already.
func (w *writer) take(batch []*Job) []*Job {
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
func (w *writer) commit(batch []*Job) error {
	select {
	case <-w.broken:
		return ErrBroken
	default:
	}
	ctx, done := w.engine.txContext(w.transactionCtx)
	defer done()
	if err := w.connect(ctx); err != nil {
		return err
	}
	t, err := w.begin(ctx)
	if err == nil {
		err = t.write(batch)
	}
	if err == nil {
		err = t.commit()
	} else {
		t.rollback()
	}
	if err != nil && ctx.Err() != nil { // a database that does not answer is as good as none
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if err == nil {
		for _, told := range t.committed {
			told()
		}
	}
	return err
}

// begin begins a transaction. A session may have been ended while nobody used it: nothing has
// been asked of it yet, so another one will do.
func (w *writer) begin(ctx context.Context) (*Tx, error) {
	t := &Tx{w: w, ctx: ctx}
	err := t.begin()
	if w.engine.server == nil || !errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
		return t, err
	}
	_ = w.disconnect()
	if err := w.connect(ctx); err != nil {
		return t, err
	}
	t = &Tx{w: w, ctx: ctx}
	return t, t.begin()
}

// markBroken ends all writing: after a failed write nobody knows what the disk holds.
func (w *writer) markBroken(failure error) {
	select {
	case <-w.broken:
	default:
		if _, moved := errors.AsType[*MovedError](failure); moved {
			w.foldMoved()
		}
		w.failure = failure
		close(w.broken)
	}
}

// stopWait is how long a database server may take over the last transactions.
const stopWait = 2 * time.Second

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
	w.interrupt()
	late := time.AfterFunc(stopWait, w.giveUp)
	defer late.Stop()
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
		if err = run(ctx, conn, w.engine.connected); err != nil {
			err = errors.Join(err, conn.Close())
		}
	}
	if err == nil {
		w.conn, w.stmts = conn, newStatements(conn)
	}
	return Wrap("connecting to the database", err)
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
