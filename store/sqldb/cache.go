package sqldb

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// cacheTTL is how long an answer from a large database is used again, so that nobody can keep
// the machine busy by asking. In a small one every answer is found anew, and so exact.
const cacheTTL = 2 * time.Second

// IsLarge tells whether looking at all rows may take long.
func (db *DB) IsLarge(ctx context.Context) bool { return db.engine.isLarge(ctx) }

// lastsTimes is for how many times as long as it took to find it an answer is used that lasts, and for as long again
// while another is found. So a tenth of a processor at most is busy with the same question.
const lastsTimes = 10

// maxCached is how many different questions are remembered.
const maxCached = 64

// Cache finds answers to questions that are heavy where there are many rows, and remembers
// those for a while. There, whoever asks the same at the same time shares one answer.
type Cache[Q comparable, A any] struct {
	db    *DB
	find  func(context.Context, time.Time, Q) (A, error)
	keeps func(context.Context) bool
	ttl   time.Duration // 0: until Invalidate
	lasts func(A) bool  // see KeepWhile

	flight singleflight.Group
	mu     sync.Mutex
	age    int // how often Invalidate was called
	known  map[Q]cached[A]
}

type cached[A any] struct {
	answer A
	found  time.Time
	took   time.Duration
}

// NewCache returns a cache of what find answers as of a time. Only a large database's answers
// are remembered, for a short time.
func NewCache[Q comparable, A any](db *DB, find func(context.Context, time.Time, Q) (A, error)) *Cache[Q, A] {
	return &Cache[Q, A]{db: db, find: find, keeps: db.engine.isLarge, ttl: cacheTTL, known: map[Q]cached[A]{}}
}

// NewLastingCache is NewCache for answers that stay right until Invalidate: the question
// says of which time it is.
func NewLastingCache[Q comparable, A any](db *DB, find func(context.Context, time.Time, Q) (A, error)) *Cache[Q, A] {
	c := NewCache(db, find)
	c.ttl, c.keeps = 0, func(context.Context) bool { return true }
	return c
}

// KeepWhile has an answer that took long be used for longer if lasts says so of it, and none be waited for that is to
// take its place.
func (c *Cache[Q, A]) KeepWhile(lasts func(A) bool) { c.lasts = lasts }

// Get returns the answer to q as of now, or one from shortly before.
func (c *Cache[Q, A]) Get(ctx context.Context, now time.Time, q Q) (answer A, err error) {
	answer, fresh, usable := c.lookup(q)
	if fresh {
		return answer, nil
	}
	if usable {
		c.start(Aside(ctx, true), now, q)
		return answer, nil
	}
	if !c.keeps(ctx) {
		return c.findHeavy(ctx, now, q)
	}
	leave, err := c.db.heavy.acquireCaller(ctx)
	if err != nil {
		return answer, err
	}
	defer leave()
	select {
	case result := <-c.start(ctx, now, q):
		answer, _ = result.Val.(A)
		return answer, result.Err
	case <-ctx.Done():
		return answer, ctx.Err()
	}
}

// start begins to find an answer, if nobody has yet.
func (c *Cache[Q, A]) start(ctx context.Context, now time.Time, q Q) <-chan singleflight.Result {
	c.mu.Lock()
	flight := fmt.Sprintf("%d %t %t %#v", c.age, hasOwnTurn(ctx), isAside(ctx), q) // not to wait for one that waits for its turn, or takes its time
	c.mu.Unlock()
	// Whoever asked first may give up, or ask too much; the others still want the answer.
	return c.flight.DoChan(flight, func() (any, error) { return c.load(WithCaller(context.WithoutCancel(ctx), ""), now, q) })
}

// lookup returns what is remembered: it is fresh, or usable while another answer is found.
func (c *Cache[Q, A]) lookup(q Q) (answer A, fresh, usable bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.known[q]
	if !ok || c.ttl == 0 {
		return known.answer, ok, ok
	}
	age, lasts := time.Since(known.found), time.Duration(0)
	if c.lasts != nil && c.lasts(known.answer) {
		lasts = lastsTimes * known.took
	}
	return known.answer, age < max(c.ttl, lasts), age < 2*lasts
}

func (c *Cache[Q, A]) load(ctx context.Context, now time.Time, q Q) (A, error) {
	c.mu.Lock()
	age := c.age
	c.mu.Unlock()
	began := time.Now()
	answer, err := c.findHeavy(ctx, now, q)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && age == c.age { // else it may be of before
		if len(c.known) >= maxCached {
			clear(c.known)
		}
		took := time.Since(began)
		if isAside(ctx) {
			took /= 1 + othersShare // the rest was not work
		}
		c.known[q] = cached[A]{answer, time.Now(), took}
	}
	return answer, err
}

func (c *Cache[Q, A]) findHeavy(ctx context.Context, now time.Time, q Q) (answer A, err error) {
	done, err := c.db.heavy.acquire(ctx)
	if err != nil {
		return answer, err
	}
	defer done()
	return c.find(ctx, now, q)
}

// Invalidate makes sure that what is asked from now on is found anew.
func (c *Cache[Q, A]) Invalidate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.age++
	clear(c.known)
}
