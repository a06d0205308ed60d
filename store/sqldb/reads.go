package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Snapshot lets f read the state of one instant.
func (db *DB) Snapshot(ctx context.Context, f func(*sql.Tx) error) error {
	look, err := db.read.BeginTx(ctx, db.engine.snapshotOpts)
	if err != nil {
		return err
	}
	defer look.Rollback()
	err = f(look)
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil { // whoever asked has gone between two questions
		return ctx.Err()
	}
	return err
}

// HeavySnapshot is Snapshot for what may read very many rows: only a few of these run at once,
// and one of each caller: see [WithCaller].
func (db *DB) HeavySnapshot(ctx context.Context, f func(*sql.Tx) error) error {
	done, err := db.heavy.acquire(ctx)
	if err != nil {
		return err
	}
	defer done()
	return db.Snapshot(ctx, f)
}

// HeavyStep is HeavySnapshot for one of many steps. Where nobody waits for them it returns later: see [Aside].
func (db *DB) HeavyStep(ctx context.Context, f func(*sql.Tx) error) error {
	began := time.Now()
	err := db.HeavySnapshot(ctx, f)
	if err == nil && isAside(ctx) {
		err = restAfter(ctx, time.Since(began))
	}
	return err
}

// SnapshotFor is HeavySnapshot where heavy, else Snapshot.
func (db *DB) SnapshotFor(ctx context.Context, heavy bool, f func(*sql.Tx) error) error {
	if heavy {
		return db.HeavySnapshot(ctx, f)
	}
	return db.Snapshot(ctx, f)
}

// Rows runs a query, whose statement is kept for the next time: its text must not be made
// of what callers choose.
func (db *DB) Rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := db.reads.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// Scan reads the one row that query returns into dest; sql.ErrNoRows without. The statement
// is kept, as by Rows.
func (db *DB) Scan(ctx context.Context, dest []any, query string, args ...any) error {
	stmt, err := db.reads.prepare(ctx, query)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(ctx, args...).Scan(dest...)
}

// Texts returns the only column that a query reads.
func (db *DB) Texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := db.Rows(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return Collect(rows, func(rows *sql.Rows) (text string, err error) {
		err = rows.Scan(&text)
		return text, err
	})
}

// Each calls f for every row that query returns.
func Each(ctx context.Context, look *sql.Tx, f func(*sql.Rows) error, query string, args ...any) error {
	rows, err := look.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, f)
}

// Collect returns what scan makes of each of rows.
func Collect[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error)) (all []T, err error) {
	err = eachRow(rows, func(rows *sql.Rows) error {
		one, err := scan(rows)
		all = append(all, one)
		return err
	})
	return all, err
}

func eachRow(rows *sql.Rows, f func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// statements are prepared once a connection and found again by their text.
type statements struct {
	db preparer
	mu sync.Mutex
	by map[string]*sql.Stmt
}

type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

func newStatements(db preparer) *statements {
	return &statements{db: db, by: map[string]*sql.Stmt{}}
}

// prepare returns the statement for a query. While the database is asked for it, which may take as
// long as a network does, nobody waits who needs another one.
func (s *statements) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mu.Lock()
	known, ok := s.by[query]
	s.mu.Unlock()
	if ok {
		return known, nil
	}
	stmt, err := s.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.by[query]; ok { // somebody else was as quick
		return known, stmt.Close()
	}
	s.by[query] = stmt
	return stmt, nil
}

// close forgets the statements; those of a pool hold nothing that outlives it.
func (s *statements) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for query, stmt := range s.by {
		stmt.Close()
		delete(s.by, query)
	}
}

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

type ownTurnKey struct{}

// WithOwnTurn has what is asked with the context wait for no heavy question of anybody. It is for those few
// who are asked one at a time.
func WithOwnTurn(ctx context.Context) context.Context {
	return context.WithValue(ctx, ownTurnKey{}, true)
}

func hasOwnTurn(ctx context.Context) bool { return ctx.Value(ownTurnKey{}) != nil }

type asideKey struct{}

// Aside has what is read in steps with the context, for nobody who waits, leave most of a processor to others; or, with
// false, take it because somebody waits after all.
func Aside(ctx context.Context, yes bool) context.Context {
	return context.WithValue(ctx, asideKey{}, yes)
}

func isAside(ctx context.Context) bool { return ctx.Value(asideKey{}) == true }

// acquire waits for a turn, which ends when the caller calls done. Whoever waits
// must not hold a connection.
func (h *heavyReads) acquire(ctx context.Context) (done func(), err error) {
	if hasOwnTurn(ctx) {
		return func() {}, nil
	}
	patience := time.After(heavyPatience)
	leave, err := h.acquireCaller(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; leave() }, nil
	case <-patience:
		leave()
		return nil, fmt.Errorf("waiting for a turn to read: %w", ErrBusy)
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}

// CallerTurn waits until the heavy questions of the caller from before are answered: see [WithCaller]. The turn ends
// when the caller calls done.
func (db *DB) CallerTurn(ctx context.Context) (done func(), err error) {
	if hasOwnTurn(ctx) {
		return func() {}, nil
	}
	return db.heavy.acquireCaller(ctx)
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

// Time is what a column with unix milliseconds says.
func Time(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// OptionalTime is what a column says that may be NULL.
func OptionalTime(ms *int64) *time.Time {
	if ms == nil {
		return nil
	}
	t := Time(*ms)
	return &t
}

// OptionalMillis is a time that may be missing, as a column keeps it.
func OptionalMillis(at *time.Time) *int64 {
	if at == nil {
		return nil
	}
	ms := at.UnixMilli()
	return &ms
}
