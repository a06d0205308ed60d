// Package store is what is true: users, their sessions, and who is online.
//
// It knows the rules and the SQL, and nothing of HTTP, logs or clocks: every
// method that depends on time takes now. A write has reached the disk when its
// method returns nil; a method that returns an error has changed nothing, but
// for ErrUnavailable, after which nobody knows.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/store/presence"
)

// Config says where a database is and by which rules it is read.
type Config struct {
	Path     string         // data folder, created when missing
	Schema   string         // text of schema.sql, for a new database
	Database string         // address of a PostgreSQL database, instead of Path and Schema; needs the build tag postgres
	Existing bool           // refuse an empty database with ErrNoData
	Rules    presence.Rules // zero: those that the database was last opened with
	Limit    SessionLimit

	// OnCommit is told of each transaction that is on the disk: how many writes
	// shared it and how long it took. Their callers wait for it. May be nil.
	OnCommit func(writes int, took time.Duration)
	Now      time.Time // when it is opened, for the record of rules that change; zero: not recorded
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	rules      presence.Rules
	limit      SessionLimit
	idKey      [8]byte // makes session ids from tokens
	engine     *engine
	read       *sql.DB // of the engine: query-only connections
	reads      *statements
	writer     *writer
	heavyReads heavyReads
	counts     *recall[OnlineFilter, presence.Counts]
	totals     *recall[struct{}, Stats]

	activity *recall[activityQuestion, Activity]
	heatmap  *recall[heatmapQuestion, Heatmap]
	notices  *recall[struct{}, []ListedNotice]

	changed      chan struct{}                  // see Committed; of capacity 1
	slack        atomic.Pointer[presence.Slack] // see SetSlack; never nil
	lastDueSlack atomic.Pointer[presence.Slack] // by which Due judged last
	sampled      atomic.Int64                   // the interval that has its sample, see SampleActivity

	probe         probe              // see Ping
	stopListening context.CancelFunc // ends the listening to a remote database
	listeners     sync.WaitGroup
}

// Open opens the database in cfg.Path, or at cfg.Database, creating or upgrading
// it as needed. A database of a newer version is refused with ErrNewerSchema and
// left alone.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	open := openSQLite
	if cfg.Database != "" {
		open = openPostgres
	}
	e, err := open(cfg)
	if err != nil {
		return nil, err
	}
	w := newWriter(e)
	w.onCommit = cfg.OnCommit
	s := &Store{limit: cfg.Limit, engine: e, read: e.read, reads: newStatements(e.read), writer: w,
		heavyReads: make(heavyReads, maxHeavyReads), changed: make(chan struct{}, 1), probe: probe{turn: make(chan struct{}, 1)}}
	s.slack.Store(&presence.Slack{})
	s.lastDueSlack.Store(&presence.Slack{})
	s.counts, s.totals = newRecall(s.heavyReads, e.isLarge, s.findCounts), newRecall(s.heavyReads, e.isLarge, s.countAll)
	s.notices = newRecall(s.heavyReads, e.isLarge, s.listNotices)
	s.activity, s.heatmap = newRecall(s.heavyReads, e.isLarge, s.findActivity), newRecall(s.heavyReads, e.isLarge, s.findHeatmap)
	s.heatmap.lasting = true
	if err := s.prepare(ctx, cfg); err != nil {
		return nil, errors.Join(err, w.disconnect(), e.close())
	}
	go w.run()
	s.startListener()
	return s, nil
}

// prepare brings the schema up to date before the first write is queued.
func (s *Store) prepare(ctx context.Context, cfg Config) error {
	if err := s.writer.connect(ctx); err != nil {
		return err
	}
	if cfg.Existing {
		if err := s.engine.holdsData(ctx, s.writer.conn); err != nil {
			return err
		}
	}
	if err := migrate(ctx, s.writer.conn, s.engine); err != nil {
		return err
	}
	settle := &write{ctx: ctx, run: func(t *tx) (err error) {
		s.rules, err = t.saveRules(cfg.Now, cfg.Rules)
		return err
	}}
	err := errors.Join(s.writer.commit([]*write{settle}), settle.err)
	if err != nil {
		return wrapErr("settling the rules", err)
	}
	s.idKey, err = loadIDKey(ctx, s.writer.conn)
	return wrapErr("settling the key of session ids", err)
}

// startListener begins to listen for the commits of other replicas, and returns once it
// does or has to try again.
func (s *Store) startListener() {
	ctx, deaf := context.WithCancel(context.Background())
	s.stopListening = deaf
	remote := s.engine.server
	if remote == nil {
		return
	}
	begun, begin := context.WithCancel(ctx)
	s.listeners.Go(func() {
		remote.listen(ctx, func() {
			_ = s.notifyChanged(nil)
			begin()
		})
	})
	<-begun.Done()
}

// Close finishes the writes that are queued and closes the database.
func (s *Store) Close() error {
	s.stopListening()
	s.listeners.Wait()
	s.counts.close()
	s.totals.close()
	s.notices.close()
	s.activity.close()
	s.heatmap.close()
	return errors.Join(s.writer.stop(), s.engine.close())
}

// Usage returns what the database takes on the disk.
func (s *Store) Usage(ctx context.Context) (Usage, error) { return s.engine.usage(ctx) }

// Broken is closed when the disk failed and the store accepts no more writes.
func (s *Store) Broken() <-chan struct{} { return s.writer.broken }

// Rules returns the rules that the store was opened with.
func (s *Store) Rules() presence.Rules { return s.rules }

// wrapErr is the only place that reads database errors: it names what was being
// done and turns the database's own codes into the errors of this package.
func wrapErr(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case isOurs(err):
		return err
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && !unconnected(err):
		return fmt.Errorf("%s: %w: %w", doing, ErrBusy, err)
	}
	for _, kind := range []error{sqliteKind(err), postgresKind(err)} {
		if kind != nil {
			return fmt.Errorf("%s: %w: %w", doing, kind, err)
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// isOurs tells the errors by which a write declines from those of the database.
func isOurs(err error) bool {
	for _, ours := range []error{
		ErrNotFound, ErrSessionEnded, ErrTokenTaken, ErrSessionLimit, ErrForbidden, ErrInvalid, ErrNameTaken,
		ErrTooLate, ErrLastAdmin, ErrAlreadySetUp, ErrWrongPassword, ErrTooManyNotices, ErrDraining, ErrFull, ErrBusy, ErrBroken, ErrUnavailable,
	} {
		if errors.Is(err, ours) {
			return true
		}
	}
	return false
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
