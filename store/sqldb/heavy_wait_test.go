package sqldb

import (
	"context"
	"database/sql"
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

func TestWhoGoesBetweenTwoQuestionsIsNoError(t *testing.T) {
	db := open(t)
	ctx, leave := context.WithCancel(t.Context())
	err := db.Snapshot(ctx, func(look *sql.Tx) error {
		leave()
		for {
			if _, err := look.ExecContext(t.Context(), `SELECT 1`); err != nil {
				return Wrap("asking once more", err)
			}
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
