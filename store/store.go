// Package store is what is true: users, their sessions, accounts, keys, claims, notices, the
// drain, the audit log, and who is online.
//
// It applies the rules of package presence to the rows of package sqldb, and knows nothing of
// HTTP, logs or clocks: every method that depends on time takes now. A write has reached the
// disk when its method returns nil; a method that returns an error has changed nothing, but for
// sqldb.ErrUnavailable, after which nobody knows.
package store

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"rollcall/store/beats"
	"rollcall/store/history"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Config says where a database is and by which rules it is read.
type Config struct {
	Path     string         // data folder, created when missing
	Schema   string         // text of schema.sql, for a new database
	Database string         // address of a PostgreSQL database, instead of Path and Schema; needs the build tag postgres
	Existing bool           // refuse an empty database with sqldb.ErrNoData
	Older    sqldb.Older    // what becomes of one of an older version; zero: it is refused with sqldb.ErrOlderSchema
	Rules    presence.Rules // zero: those that the database was last opened with
	Limit    SessionLimit
	Reserve  bool // see sqldb.Config

	// OnCommit is told of each transaction that is on the disk: how many writes
	// shared it and how long it took. Their callers wait for it. May be nil.
	OnCommit func(writes int, took time.Duration)
	Now      time.Time // when it is opened, for the record of rules that change; zero: not recorded
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	History *history.History // of how many people were online

	db    *sqldb.DB
	beats *beats.Log // nil in PostgreSQL
	rules presence.Rules
	limit SessionLimit

	idKey     [8]byte // makes session ids from tokens
	deviceKey []byte  // see DeviceMark

	counts  *sqldb.Cache[OnlineFilter, presence.Counts]
	totals  *sqldb.Cache[struct{}, Stats]
	notices *sqldb.Cache[struct{}, []ListedNotice]
	gates   *sharedGates
	roster  *sharedRoster
	doubted doubted
	purged  atomic.Pointer[purged] // by the last cleanup; nil: nothing

	slack        atomic.Pointer[presence.Slack] // see SetSlack; never nil
	lastDueSlack atomic.Pointer[presence.Slack] // by which Due judged last
}

// Open opens a database, creating it where there is none. A database of a newer version is
// refused with sqldb.ErrNewerSchema and left alone.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	db, err := sqldb.Open(ctx, sqldb.Config{
		Folder: cfg.Path, Schema: cfg.Schema, Address: cfg.Database, Existing: cfg.Existing, Older: cfg.Older, Reserve: cfg.Reserve, OnCommit: cfg.OnCommit})
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, limit: cfg.Limit}
	s.slack.Store(&presence.Slack{})
	s.lastDueSlack.Store(&presence.Slack{})
	err = s.write(ctx, func(t *tx) (err error) {
		if s.rules, err = t.saveRules(cfg.Now, cfg.Rules); err != nil {
			return sqldb.Wrap("saving the rules", err)
		}
		return s.loadKeys(t)
	})
	if err == nil && cfg.Database == "" {
		s.beats, err = beats.Open(ctx, db, s.rules)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	db.KeepReserve()
	s.counts, s.totals, s.notices = sqldb.NewCache(db, s.findCounts), sqldb.NewCache(db, s.countAll), sqldb.NewCache(db, s.listNotices)
	s.counts.KeepWhile(func(c presence.Counts) bool { return c.People() > 0 }) // that nobody is there is never from before
	s.gates = newSharedGates(s.findGate)
	s.roster = newSharedRoster(s)
	s.History = history.New(db, s.rules, func() presence.Slack { return *s.slack.Load() }, s.eachOnline)
	return s, nil
}

// Close finishes the writes that are queued and closes the database.
func (s *Store) Close() error { return s.db.Close() }

// DB is the database itself, for what is the same whatever is in it.
func (s *Store) DB() *sqldb.DB { return s.db }

// Rules returns the rules that the store was opened with.
func (s *Store) Rules() presence.Rules { return s.rules }

// tx is a transaction with the writes that several of the store's methods share.
type tx struct{ *sqldb.Tx }

// write runs f in the next transaction and returns when that is on disk. An error of f undoes
// what f did and nothing else.
func (s *Store) write(ctx context.Context, f func(*tx) error) error {
	return s.db.Write(ctx, func(t *sqldb.Tx) error { return f(&tx{t}) })
}

// writeOne is write for an f that changes the database by one statement only.
func (s *Store) writeOne(ctx context.Context, f func(*tx) error) error {
	return s.db.WriteOne(ctx, func(t *sqldb.Tx) error { return f(&tx{t}) })
}
