package sqldb

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestNobodyWaitsForAHeavyQuestionForLong(t *testing.T) {
	for name, earlier := range map[string]time.Duration{
		"with no other question":                       0,
		"and neither who waited for an earlier answer": time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, ctx := newHeavyReads(), WithCaller(t.Context(), "somebody")
				for range maxHeavyReads {
					if _, err := h.acquire(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				answered, err := h.acquireCaller(ctx)
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				time.AfterFunc(earlier, answered)
				_, err = h.acquire(ctx)
				if took := time.Since(began); !errors.Is(err, ErrBusy) || took != 5*time.Second {
					t.Errorf("after %v: %v", took, err)
				}
			})
		})
	}
}
