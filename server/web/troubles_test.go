package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"rollcall/store/sqldb"
)

// troubled is Troubles of a database that is well or not.
type troubled struct {
	Troubles
	log  bytes.Buffer
	ping error
}

func newTroubled() *troubled {
	b := &troubled{}
	b.Log = zerolog.New(&b.log).Level(zerolog.InfoLevel)
	return b
}

// during lets time pass, in which the troubles are looked at every second.
func (b *troubled) during(t *testing.T, d time.Duration) {
	for range d / time.Second {
		time.Sleep(time.Second)
		b.Recheck(t.Context(), func(context.Context) error { return b.ping })
	}
}

// tells fails unless the log has these lines since the last time.
func (b *troubled) tells(t *testing.T, when string, want ...string) {
	t.Helper()
	lines := strings.FieldsFunc(b.log.String(), func(c rune) bool { return c == '\n' })
	b.log.Reset()
	if len(lines) != len(want) {
		t.Fatalf("%s: %q, want %q", when, lines, want)
	}
	for i, line := range lines {
		for part := range strings.SplitSeq(want[i], " | ") {
			if !strings.Contains(line, part) {
				t.Errorf("%s: %s\nlacks %s", when, line, part)
			}
		}
	}
}

func TestATroubleThatComesAndGoesIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTroubled()
		for range 10 {
			for range 100 {
				b.Observe(fmt.Errorf("writing: %w", sqldb.ErrFull))
			}
			b.during(t, 3*time.Second) // in which other writes succeed
		}
		b.tells(t, "while it goes on", "disk is full")
		b.during(t, 10*time.Second)
		b.tells(t, "when it is over", `"failed":1000 | "after":27000 | there is room`)
		b.during(t, time.Hour)
		b.tells(t, "afterwards")
	})
}

func TestATroubleGoesOnWhileNobodyAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTroubled()
		b.ping = sqldb.ErrUnavailable
		b.Observe(b.ping)
		waited := make(chan error, 1)
		go func() { waited <- b.Wait(t.Context()) }()
		b.during(t, time.Hour)
		b.tells(t, "in the night", "out of reach")
		b.ping = nil
		b.during(t, time.Second)
		if err := <-waited; err != nil { // who waits does so no longer than needed
			t.Error(err)
		}
		b.during(t, 10*time.Second)
		b.tells(t, "in the morning", `"failed":1 | "after":3600000 | is back`)
	})
}

func TestTroublesOfTwoKindsAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTroubled()
		b.Observe(fmt.Errorf("%w: %w", sqldb.ErrUnavailable, sqldb.ErrBusy)) // of which the first counts
		b.Observe(sqldb.ErrFull)
		b.Observe(sqldb.ErrDamaged)
		b.Observe(sqldb.ErrUnavailable)
		b.tells(t, "at the begin", "out of reach", "disk is full", "damaged")
	})
}

func TestWhatNobodyForesawIsToldOnceAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTroubled()
		told := 0
		for range 1000 {
			if !b.Observe(errors.New("permission denied for table users")) {
				told++
			}
		}
		if told != 1 || b.Observe(errors.New("another")) {
			t.Errorf("%d of the same were told, and then another was not", told)
		}
		b.tells(t, "at the begin")
		b.during(t, 10*time.Second)
		b.tells(t, "when it is over", `"failed":1000 | permission denied | does not come again`)
	})
}

func TestSomebodyWhoLeavesIsNoTrouble(t *testing.T) {
	b := newTroubled()
	if !b.Observe(fmt.Errorf("%w: %w", sqldb.ErrBusy, context.Canceled)) || !b.Observe(context.Canceled) || b.Observe(nil) {
		t.Error("it is to be logged")
	}
	b.tells(t, "that somebody left")
	if !b.Observe(fmt.Errorf("%w: %w", sqldb.ErrUnavailable, context.Canceled)) { // it is not known whether that was all
		t.Error("it is to be logged")
	}
	b.tells(t, "a database that is away", "out of reach")
}
