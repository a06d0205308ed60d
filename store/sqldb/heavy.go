package sqldb

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// maxHeavyReads leaves a processor and the other readers to everybody else: four of them
// halved what the writer could do.
const maxHeavyReads = 2

// callerPatience is how long a caller's question waits for those that the same caller asked before.
const callerPatience = 2 * time.Second

// heavyReads bounds how much heavy reading goes on at once: in all, and for each caller.
type heavyReads struct {
	slots chan struct{} // full while as much goes on as may

	mu      sync.Mutex
	callers map[string]*caller // that read or wait
}

// caller is somebody of whose questions one is answered at a time.
type caller struct {
	turn  chan struct{}
	asked int // questions that are answered or wait
}

func newHeavyReads() *heavyReads {
	return &heavyReads{slots: make(chan struct{}, maxHeavyReads), callers: map[string]*caller{}}
}

// heavyPatience is how long anybody's question waits for a turn. Who asks has mostly given up by
// then, and a queue without bound would only answer those.
const heavyPatience = 5 * time.Second

type callerKey struct{}

// WithCaller has what is asked with the context count for a caller, "" for nobody in particular: of
// one caller's heavy questions one is answered at a time, and others are [ErrCrowded] after a while.
func WithCaller(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, callerKey{}, name)
}

// acquire waits for a turn, which ends when the caller calls done. Whoever waits
// must not hold a connection.
func (h *heavyReads) acquire(ctx context.Context) (done func(), err error) {
	leave, err := h.acquireCaller(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; leave() }, nil
	case <-time.After(heavyPatience):
		leave()
		return nil, fmt.Errorf("waiting for a turn to read: %w", ErrBusy)
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}

// acquireCaller waits until the caller's questions from before are answered.
func (h *heavyReads) acquireCaller(ctx context.Context) (done func(), err error) {
	name, _ := ctx.Value(callerKey{}).(string)
	if name == "" {
		return func() {}, nil
	}
	c := h.enter(name)
	patience := time.NewTimer(callerPatience)
	defer patience.Stop()
	select {
	case c.turn <- struct{}{}:
		return func() { <-c.turn; h.leave(name) }, nil
	case <-patience.C:
		err = ErrCrowded
	case <-ctx.Done():
		err = ctx.Err()
	}
	h.leave(name)
	return nil, err
}

func (h *heavyReads) enter(name string) *caller {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.callers[name]
	if c == nil {
		c = &caller{turn: make(chan struct{}, 1)}
		h.callers[name] = c
	}
	c.asked++
	return c
}

func (h *heavyReads) leave(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.callers[name].asked--; h.callers[name].asked == 0 {
		delete(h.callers, name)
	}
}
