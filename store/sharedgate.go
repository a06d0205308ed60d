package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rollcall/store/fold"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// sharedGates answers one question of the gate at a time, apart from everything else that takes long.
// All who ask the same while another is answered share the next answer, which is as of when the last of
// them has asked: an answer is never from before its question. How many people may be disturbed is no
// part of it: whatever callers make up there, the same people are counted.
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
	question := GateQuestion{App: ask.App, IgnoreRole: fold.Text(ask.IgnoreRole)}
	s.mu.Lock()
	shared := s.next[question]
	if shared == nil {
		shared = &sharedGate{done: make(chan struct{})}
		s.next[question] = shared
		go s.find(context.WithoutCancel(ctx), question, shared) // whoever asked first may give up; the others still want the answer
	}
	if now.After(shared.asked) {
		shared.asked = now
	}
	s.mu.Unlock()
	select {
	case <-shared.done:
		gate := shared.gate
		if ask.IgnoreUnidentified {
			gate.Counts.Unidentified, gate.Unidentified, gate.NeverReported = 0, nil, false
		}
		if gate.Level = gate.Counts.Level(ask.Max); gate.NeverReported && gate.Level == presence.GateClear {
			gate.Level = presence.GateCaution // nobody can tell whether anybody is there
		}
		return gate, shared.err
	case <-ctx.Done():
		return Gate{}, ctx.Err()
	}
}

// gatePatience is how long a question waits for those about other apps and roles.
const gatePatience = 5 * time.Second

func (s *sharedGates) find(ctx context.Context, question GateQuestion, shared *sharedGate) {
	defer close(shared.done)
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-time.After(gatePatience):
		shared.err = fmt.Errorf("waiting for a turn: %w", sqldb.ErrBusy)
	}
	s.mu.Lock()
	delete(s.next, question)
	now := shared.asked
	s.mu.Unlock()
	if shared.err == nil {
		shared.gate, shared.err = s.answer(ctx, now, question)
	}
}
