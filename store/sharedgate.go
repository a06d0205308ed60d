package store

import (
	"context"
	"sync"
	"time"
)

// sharedGates answers one question of the gate at a time, apart from everything else that takes long.
// All who ask the same while another is answered share the next answer, which is as of when the last of
// them has asked: an answer is never from before its question.
type sharedGates struct {
	answer func(context.Context, time.Time, GateQuestion) (Gate, error)
	turn   chan struct{} // full while one is answered

	mu   sync.Mutex
	next map[GateQuestion]*sharedGate
}

// sharedGate is an answer that several wait for.
type sharedGate struct {
	asked time.Time
	done  chan struct{} // closed when the answer is there
	gate  Gate
	err   error
}

func newSharedGates(answer func(context.Context, time.Time, GateQuestion) (Gate, error)) *sharedGates {
	return &sharedGates{answer: answer, turn: make(chan struct{}, 1), next: map[GateQuestion]*sharedGate{}}
}

func (s *sharedGates) ask(ctx context.Context, now time.Time, ask GateQuestion) (Gate, error) {
	s.mu.Lock()
	shared := s.next[ask]
	if shared == nil {
		shared = &sharedGate{done: make(chan struct{})}
		s.next[ask] = shared
		go s.find(context.WithoutCancel(ctx), ask, shared) // whoever asked first may give up; the others still want the answer
	}
	if now.After(shared.asked) {
		shared.asked = now
	}
	s.mu.Unlock()
	select {
	case <-shared.done:
		return shared.gate, shared.err
	case <-ctx.Done():
		return Gate{}, ctx.Err()
	}
}

func (s *sharedGates) find(ctx context.Context, ask GateQuestion, shared *sharedGate) {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.mu.Lock()
	delete(s.next, ask)
	now := shared.asked
	s.mu.Unlock()
	shared.gate, shared.err = s.answer(ctx, now, ask)
	close(shared.done)
}
