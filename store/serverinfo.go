package store

import (
	"context"
	"time"
)

// ServerInfo is what a database's server says of how it keeps what it is given.
type ServerInfo struct {
	FsyncOff    bool // fsync=off: after a crash of its machine the database may be lost
	AsyncCommit bool // synchronous_commit=off: it answers before a commit is on the disk
	Plaintext   bool // the way to it is a network, and not encrypted
}

// ServerInfo asks the database's server; nil where the database is a file.
func (s *Store) ServerInfo(ctx context.Context) (*ServerInfo, error) {
	if s.engine.server == nil {
		return nil, nil
	}
	b, err := s.engine.server.info(ctx)
	return &b, wrapErr("asking the database's server about itself", err)
}

// Clock returns the time of the database's server; zero where the database is a file.
func (s *Store) Clock(ctx context.Context) (now time.Time, err error) {
	if s.engine.server == nil {
		return now, nil
	}
	err = s.read.QueryRowContext(ctx, `SELECT clock_timestamp()`).Scan(&now)
	return now, wrapErr("asking the database's server for the time", err)
}
