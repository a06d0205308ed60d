package store

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// How long the answer to a costly question is used again, measured by how long
// it took to find: so nobody can keep the machine busy by asking.
const (
	recallFrom  = 100 * time.Millisecond // what is found sooner is found anew, and so exact, every time
	recallFresh = 10                     // times as long it is used as it is,
	recallStale = 40                     // and as long it is used while a newer one is on its way
	recallKeys  = 64                     // different questions remembered
)

// heavyReads are full while as much costly reading goes on as may at once.
type heavyReads chan struct{}

// maxHeavyReads leaves a processor and the other readers to everybody else.
const maxHeavyReads = 2

// acquire waits for a turn, which ends when the caller calls done. Whoever waits
// must not hold a connection.
func (t heavyReads) acquire(ctx context.Context) (done func(), err error) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// heavySnapshot lets f look at one instant, in one of the turns.
func (s *Store) heavySnapshot(ctx context.Context, f func(*sql.Tx) error) error {
	done, err := s.heavyReads.acquire(ctx)
	if err != nil {
		return err
	}
	defer done()
	return s.snapshot(ctx, f)
}

// snapshot lets f look at one instant.
func (s *Store) snapshot(ctx context.Context, f func(*sql.Tx) error) error {
	look, err := s.read.BeginTx(ctx, s.engine.snapshotOpts)
	if err != nil {
		return err
	}
	defer look.Rollback()
	return f(look)
}

// recall finds answers to questions that are costly where there is much to
// count, and remembers those for a while.
type recall[Q comparable, A any] struct {
	find    func(context.Context, time.Time, Q) (A, error)
	large   func(context.Context) bool // whether there is so much that answers are worth remembering
	lasting bool                       // answers stay right until forget: the question says of which time it is
	turns   heavyReads

	mu      sync.Mutex
	known   map[Q]*recalled[A]
	renew   context.Context // ends with close
	end     context.CancelFunc
	renewal sync.WaitGroup
}

type recalled[A any] struct {
	answer   A
	asOf     time.Time
	took     time.Duration
	renewing bool
}

// newRecall returns a recall of what find finds in one of turns.
func newRecall[Q comparable, A any](turns heavyReads, large func(context.Context) bool, find func(context.Context, time.Time, Q) (A, error)) *recall[Q, A] {
	r := &recall[Q, A]{find: find, large: large, turns: turns, known: map[Q]*recalled[A]{}}
	r.renew, r.end = context.WithCancel(context.Background())
	return r
}

// ask returns the answer to q as of now, or one from shortly before.
func (r *recall[Q, A]) ask(ctx context.Context, now time.Time, q Q) (A, error) {
	if answer, ok := r.remembered(now, q); ok {
		return answer, nil
	}
	done, err := r.turns.acquire(ctx)
	if err != nil {
		var none A
		return none, err
	}
	defer done()
	if answer, ok := r.remembered(now, q); ok { // found while this one waited
		return answer, nil
	}
	return r.work(ctx, now, q)
}

// remembered returns an answer that is recent enough. Where it is not quite, the
// next one is looked for in the meantime, so that nobody ever waits for it.
func (r *recall[Q, A]) remembered(now time.Time, q Q) (answer A, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.known[q]
	if known == nil {
		return answer, false
	}
	if r.lasting {
		return known.answer, true
	}
	age := now.Sub(known.asOf).Abs() // the clock may be set back
	if age > recallStale*known.took {
		return answer, false
	}
	if age > recallFresh*known.took && !known.renewing && r.renew.Err() == nil {
		known.renewing = true
		r.renewal.Go(func() { r.again(now, q) })
	}
	return known.answer, true
}

// again finds a newer answer. Where that fails the old one grows too old, and
// then whoever asks is told why.
func (r *recall[Q, A]) again(now time.Time, q Q) {
	if done, err := r.turns.acquire(r.renew); err == nil {
		_, _ = r.work(r.renew, now, q)
		done()
	}
}

// work finds an answer and remembers it if that took long.
func (r *recall[Q, A]) work(ctx context.Context, now time.Time, q Q) (A, error) {
	r.mu.Lock()
	known := r.known
	r.mu.Unlock()
	start := time.Now() // only to measure: which time it is, now says
	answer, err := r.find(ctx, now, q)
	took := time.Since(start)
	worth := err == nil && (r.lasting || took >= recallFrom && r.large(ctx)) // a small database was only kept waiting
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(known, q)
	if worth {
		r.makeRoom()
		known[q] = &recalled[A]{answer: answer, asOf: now, took: took}
	}
	return answer, err
}

// forget makes sure that what is asked from now on is found anew. What is being
// found right now goes into the map that is thrown away.
func (r *recall[Q, A]) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known = map[Q]*recalled[A]{}
}

// makeRoom forgets the oldest answer where there are too many.
func (r *recall[Q, A]) makeRoom() {
	if len(r.known) < recallKeys {
		return
	}
	var oldest Q
	var since time.Time
	for q, known := range r.known {
		if since.IsZero() || known.asOf.Before(since) {
			oldest, since = q, known.asOf
		}
	}
	delete(r.known, oldest)
}

// close waits until nothing is looked for any more.
func (r *recall[Q, A]) close() {
	r.mu.Lock()
	r.end()
	r.mu.Unlock()
	r.renewal.Wait()
}
