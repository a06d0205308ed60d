package store

import (
	"context"
	"time"
)

// Backing is what a database's server says of how it keeps what it is given.
type Backing struct {
	NoSync bool      // fsync=off: after a crash of its machine the database may be lost
	Early  bool      // synchronous_commit=off: it answers before a commit is on the disk
	Clear  bool      // the way to it is a network, and not encrypted
	Clock  time.Time // its own
}

// Backing asks the database's server; nil where the database is a file.
func (s *Store) Backing(ctx context.Context) (*Backing, error) {
	if s.engine.remote == nil {
		return nil, nil
	}
	b, err := s.engine.remote.backing(ctx)
	return &b, fail("asking the database's server about itself", err)
}
