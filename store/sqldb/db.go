// Package sqldb is how rows reach a disk and are read from it: one writer whose transactions
// many callers share (group commit), readers, SQLite and PostgreSQL behind one DB, the schema
// and its upgrades, and the wake-up of other replicas. It knows no users, sessions or other
// entities; it defines the errors that a database can give.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"
)

// Config says where a database is.
type Config struct {
	Folder   string // of an SQLite database; created when missing
	Schema   string // text of schema.sql, for a new SQLite database
	Address  string // of a PostgreSQL database, instead of Folder and Schema; needs the build tag postgres
	Existing bool   // refuse an empty database with ErrNoData
	Older    Older  // what becomes of one of an older version
	Reserve  bool   // keep some room on the disk of an SQLite database, by which one that is full can be opened

	// OnCommit is told of each transaction that is on the disk: how many writes
	// shared it and how long it took. Their callers wait for it. May be nil.
	OnCommit func(writes int, took time.Duration)
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	engine *engine
	read   *sql.DB // of the engine: connections that only look
	reads  *statements
	writer *writer
	heavy  *heavyReads
	kept   string // see KeptCopy
	health health

	changed       chan struct{} // see Changed; of capacity 1
	stopListening context.CancelFunc
	listeners     sync.WaitGroup // for the commits of other replicas
}

// Open opens a database, creating its schema or upgrading it as cfg says. A database of a
// newer version is refused with ErrNewerSchema and left alone.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Address != "" || !cfg.Reserve {
		return openDB(ctx, cfg, nil)
	}
	room := reserveIn(cfg.Folder)
	db, err := openDB(ctx, cfg, room)
	if errors.Is(err, ErrFull) && room.release() {
		db, err = openDB(ctx, cfg, room)
	}
	return db, err
}

func openDB(ctx context.Context, cfg Config, room *reserve) (*DB, error) {
	connect := openSQLite
	if cfg.Address != "" {
		connect = openPostgres
	}
	e, err := connect(cfg)
	if err != nil {
		return nil, err
	}
	e.reserve = room
	w := newWriter(e)
	w.onCommit = cfg.OnCommit
	db := &DB{engine: e, read: e.read, reads: newStatements(e.read), writer: w,
		heavy: newHeavyReads(), changed: make(chan struct{}, 1)}
	if err := db.prepare(ctx, cfg); err != nil {
		return nil, errors.Join(e.files.orFull(err), w.disconnect(), e.close())
	}
	go w.run()
	db.startListener()
	return db, nil
}

// prepare brings the schema up to date before the first write is queued.
func (db *DB) prepare(ctx context.Context, cfg Config) (err error) {
	if err := db.writer.connect(ctx); err != nil {
		return err
	}
	if cfg.Existing {
		if err := db.engine.holdsData(ctx, db.writer.conn); err != nil {
			return err
		}
	}
	if db.kept, err = db.engine.prepareOlder(ctx, db.writer.conn, cfg.Older); err != nil {
		return err
	}
	if err := migrate(ctx, db.writer.conn, db.engine); err != nil {
		return err
	}
	return db.engine.files.remember()
}

// startListener begins to listen for the commits of other replicas, and returns once it
// does or has to try again.
func (db *DB) startListener() {
	ctx, stop := context.WithCancel(context.Background())
	db.stopListening = stop
	server := db.engine.server
	if server == nil {
		return
	}
	begun, begin := context.WithCancel(ctx)
	db.listeners.Go(func() {
		server.listen(ctx, func() {
			db.NotifyChanged()
			begin()
		})
	})
	<-begun.Done()
}

// Close finishes the writes that are queued and closes the database.
func (db *DB) Close() error {
	db.stopListening()
	db.listeners.Wait()
	return errors.Join(db.writer.stop(), db.engine.close())
}

// Broken is closed when the disk failed and the database accepts no more writes.
func (db *DB) Broken() <-chan struct{} { return db.writer.broken }

// KeptCopy is where the database is as it was before it was upgraded when it was opened; "" where
// it was not, or where no copy was to be kept.
func (db *DB) KeptCopy() string { return db.kept }

// Failure is why the database accepts no more writes; to be asked once Broken is closed.
func (db *DB) Failure() error { return db.writer.failure }

// Changed receives after every commit, of this process or of another replica, that may have
// changed something for anybody who looks on. Several commits may be told as one. It is for
// one receiver.
func (db *DB) Changed() <-chan struct{} { return db.changed }

// NotifyChanged tells the receiver of Changed. Write and WriteOne do so by themselves.
func (db *DB) NotifyChanged() {
	select {
	case db.changed <- struct{}{}:
	default: // it has not looked since the last time, and will
	}
}

// Timeline changes when what was read before may have been taken back: where a standby of
// the database server has taken over without the last commits, it gives their numbers to others.
func (db *DB) Timeline() int64 {
	if db.engine.server == nil {
		return 0
	}
	return db.engine.server.timeline()
}

// KeepReserve takes the room of Config.Reserve, now that whatever a start has to write is written. Later the
// writer looks after it.
func (db *DB) KeepReserve() { db.engine.reserve.keep() }

// Usage returns what the database takes on the disk.
func (db *DB) Usage(ctx context.Context) (Usage, error) { return db.engine.usage(ctx) }

// CleanUp runs f, a cleanup, while no other replica runs one. Where one does, it waits or, unless wait, does nothing.
func (db *DB) CleanUp(ctx context.Context, wait bool, f func() error) error {
	if db.engine.server == nil { // this process is the only one, but for short commands
		return f()
	}
	return db.engine.server.withCleanupTurn(ctx, wait, f)
}
