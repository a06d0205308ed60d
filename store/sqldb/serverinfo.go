package sqldb

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

// ServerInfo asks the database's server; ErrNotFound where the database is a file.
func (db *DB) ServerInfo(ctx context.Context) (ServerInfo, error) {
	if db.engine.server == nil {
		return ServerInfo{}, ErrNotFound
	}
	info, err := db.engine.server.info(ctx)
	return info, Wrap("asking the database's server about itself", err)
}

// ServerTime returns the time of the database's server; ErrNotFound where the database is a file.
func (db *DB) ServerTime(ctx context.Context) (now time.Time, err error) {
	if db.engine.server == nil {
		return now, ErrNotFound
	}
	err = db.Scan(ctx, []any{&now}, `SELECT clock_timestamp()`)
	return now, Wrap("asking the database's server for the time", err)
}
