package store

import (
	"context"
	"time"
)

// Backing is what a database's server says of how it keeps what it is given.
type Backing struct {
	NoSync bool // fsync=off: after a crash of its machine the database may be lost
	Early  bool // synchronous_commit=off: it answers before a commit is on the disk
	Clear  bool // the way to it is a network, and not encrypted
}

// Backing asks the database's server; nil where the database is a file.
func (s *Store) Backing(ctx context.Context) (*Backing, error) {
	if s.engine.remote == nil {
		return nil, nil
	}
	b, err := s.engine.remote.backing(ctx)
	return &b, fail("asking the database's server about itself", err)
}

// Clock returns the time of the database's server; zero where the database is a file.
func (s *Store) Clock(ctx context.Context) (now time.Time, err error) {
	if s.engine.remote == nil {
		return now, nil
	}
	err = s.read.QueryRowContext(ctx, `SELECT clock_timestamp()`).Scan(&now)
	return now, fail("asking the database's server for the time", err)
}
