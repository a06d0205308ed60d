package sqldb

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestNobodyWaitsForAHeavyQuestionForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeavyReads()
		for range maxHeavyReads {
			if _, err := h.acquire(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		_, err := h.acquire(t.Context())
		if took := time.Since(began); !errors.Is(err, ErrBusy) || took != 5*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
	})
}
