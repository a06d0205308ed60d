package web

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"rollcall/store/sqldb"
)

// Troubles are the reasons for which much fails, again and again, such as a full disk. The log
// has one line when one begins, and one that counts what failed when it is over.
type Troubles struct {
	Log     zerolog.Logger
	Damaged func(error) // is told of every error that is due to damage of the database; may be nil

	mu   sync.Mutex
	open map[string]*trouble // by how they begin, or by the text of an error that is none of them
	away chan struct{}       // closed when the database can be reached again; nil: it can be
}

// trouble is one that goes on.
type trouble struct {
	kind        *troubleKind // nil: of an error that nobody foresaw
	since, last time.Time
	failed      int
}

type troubleKind struct {
	err          error
	begins, ends string // as the log has it; "" for the end: it lasts until a restart
}

// troubleKinds are the errors of the database that fail much. The first that is met counts.
var troubleKinds = []troubleKind{
	{sqldb.ErrUnavailable, "the database is out of reach", "the database is back"},
	{sqldb.ErrFull, "the disk is full", "there is room on the disk again"},
	{sqldb.ErrDamaged, "the database is damaged; keep a copy of the data folder and restore the latest backup: rollcall restore BACKUP", ""},
	{sqldb.ErrBroken, "the disk failed", "the disk works again"},
	{sqldb.ErrNewerSchema, "a newer version has upgraded the database", "the database is of this version again"},
	{sqldb.ErrBusy, "the database is too busy", "the database keeps up again"},
}

// A trouble is over when nothing has failed by it for this long. What fails on and off is one.
const troubleQuiet = 5 * time.Second

// maxUnforeseen bounds how many texts of errors are remembered.
const maxUnforeseen = 100

// Observe notes that something failed, and tells whether that needs no line of its own in the
// log: it is part of a trouble, of which this writes where it begins; or whoever asked has left.
// Of errors that nobody foresaw the caller logs the first.
func (t *Troubles) Observe(err error) bool {
	kind := troubleOf(err)
	left := errors.Is(err, context.Canceled) && (kind == nil || kind.err == sqldb.ErrBusy)
	switch {
	case err == nil:
		return false
	case left:
		t.Log.Debug().Err(err).Msg("whoever asked has left")
		return true
	}
	if kind != nil && kind.err == sqldb.ErrDamaged && t.Damaged != nil {
		t.Damaged(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if kind != nil && kind.err == sqldb.ErrUnavailable && t.away == nil {
		t.away = make(chan struct{})
	}
	is, began := t.note(kind, err)
	if began && kind != nil {
		t.Log.Error().Err(err).Msg(kind.begins)
	}
	return kind != nil || is != nil && !began
}

// note returns the trouble that err is of, nil where too many are open, and whether it begins.
func (t *Troubles) note(kind *troubleKind, err error) (is *trouble, began bool) {
	key := err.Error()
	if kind != nil {
		key = kind.begins
	}
	is, now := t.open[key], time.Now()
	if is == nil {
		if kind == nil && len(t.open) >= maxUnforeseen {
			return nil, false
		}
		if t.open == nil {
			t.open = map[string]*trouble{}
		}
		is, began = &trouble{kind: kind, since: now}, true
		t.open[key] = is
	}
	is.last = now
	is.failed++
	return is, began
}

func troubleOf(err error) *troubleKind {
	for i := range troubleKinds {
		if errors.Is(err, troubleKinds[i].err) {
			return &troubleKinds[i]
		}
	}
	return nil
}

// Wait returns when the database can be reached, or an error when ctx ends before.
func (t *Troubles) Wait(ctx context.Context) error {
	t.mu.Lock()
	away := t.away
	t.mu.Unlock()
	if away == nil {
		return nil
	}
	select {
	case <-away:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Recheck ends the troubles that are over, if the database can be read and written again, which
// ping finds out. Only this ends them: while the database is read only, some things succeed.
func (t *Troubles) Recheck(ctx context.Context, ping func(context.Context) error) {
	t.mu.Lock()
	open := len(t.open) > 0
	t.mu.Unlock()
	if !open {
		return
	}
	err := ping(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if kind := troubleOf(err); kind != nil && t.open[kind.begins] != nil {
		t.open[kind.begins].last = time.Now()
	}
	if err == nil && t.away != nil {
		close(t.away)
		t.away = nil
	}
	for key, is := range t.open {
		if time.Since(is.last) >= troubleQuiet && (is.kind == nil || err == nil && is.kind.ends != "") {
			delete(t.open, key)
			t.ended(key, is)
		}
	}
}

func (t *Troubles) ended(key string, is *trouble) {
	line, lasted := t.Log.Info().Int("failed", is.failed), is.last.Sub(is.since)
	switch {
	case is.kind != nil:
		line.Dur("after", lasted).Msg(is.kind.ends)
	case is.failed > 1:
		line.Dur("after", lasted).Str("repeated", key).Msg("an error does not come again")
	}
}
