package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// engine is a database as a store needs it: what SQLite and PostgreSQL do each
// in their own way. Everything else is one SQL text for both.
type engine struct {
	write *sql.DB // of one connection
	read  *sql.DB // for everything that only looks

	schema string // text for a new database
	oldest int    // version from which steps lead on
	steps  []string
	check  func(context.Context, *sql.Conn) error // that the schema is ours; nil: its owner alone could change it
	tables string                                 // query that counts the tables that there are

	connected    []string         // are run by the writer first
	upgrade      []string         // begin a transaction that may change the schema
	lockSchema   string           // has others wait who would upgrade it, too; "" where the transaction itself does
	madeByOther  func(error) bool // tells that another replica has made the tables; nil: there is none
	begin        []string         // begin any other that writes
	snapshotOpts *sql.TxOptions   // of a transaction that sees one instant

	isLarge func(context.Context) bool           // whether counting rows may take long
	usage   func(context.Context) (Usage, error) // what it takes on the disk
	rewrite func(context.Context, *DB) error     // leaves nothing of what was deleted in the files

	files   *openFiles // nil: the database is on a server
	reserve *reserve   // nil: none is kept
	unclean bool       // see [DB.StoppedUncleanly]
	log     *logSize   // likewise
	server  *server    // nil: nobody but this process has the database for long, and it can not go away
}

// largeBytes is from how many bytes on counting rows may take long. A session takes about 600.
const largeBytes = 16 << 20

// Usage is what a database takes on the disk, in bytes.
type Usage struct {
	Database int64
	Log      int64 // that is not folded into it yet; -1 where that is the database server's own business

	LogHeld time.Duration // for how long the log has been larger than it should be, because somebody reads what it holds
}

// server is what there is to do about a database on a server, which other
// replicas use too, and which restarts and is out of reach at times.
type server struct {
	txTimeout time.Duration // how long a transaction may take before it counts as lost

	// listen calls woken after commits of anybody that changed something for
	// those who look on, and whenever it may have missed some, until ctx ends.
	listen func(ctx context.Context, woken func())

	// timeline changes when what was committed last may have been taken back; see [DB.Timeline].
	timeline func() int64

	// withCleanupTurn runs f while no other replica does; where one does, it waits or, unless wait, leaves it.
	withCleanupTurn func(ctx context.Context, wait bool, f func() error) error

	// checkRoom returns ErrFull where its disk has no room for more.
	checkRoom func(context.Context) error

	// info asks the server how it keeps what it is given.
	info func(context.Context) (ServerInfo, error)
}

// txContext returns the context of one transaction. That of a file is never cut short: nobody
// would know what is on the disk.
func (e *engine) txContext(parent context.Context) (context.Context, context.CancelFunc) {
	if e.server == nil {
		return context.Background(), func() {}
	}
	return context.WithTimeout(parent, e.server.txTimeout)
}

func (e *engine) close() error { return errors.Join(e.write.Close(), e.read.Close()) }

// ServerInfo is what a database's server says of how it keeps what it is given.
type ServerInfo struct {
	FsyncOff    bool // fsync=off: after a crash of its machine the database may be lost
	AsyncCommit bool // synchronous_commit=off: it answers before a commit is on the disk
	Plaintext   bool // the way to it is a network, and not encrypted
	Pooled      bool // a pooler such as PgBouncer stands between
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
