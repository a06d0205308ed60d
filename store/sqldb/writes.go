package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"modernc.org/sqlite"
)

// batchRows bounds what one write of InBatches touches, so that heartbeats never wait long
// behind it.
const batchRows = 500

// Write runs f in the next transaction and returns when that is on disk. An
// error of f undoes what f did and nothing else.
func (db *DB) Write(ctx context.Context, f func(*Tx) error) error {
	return db.notified(db.Do(ctx, &Job{Run: f}))
}

// WriteOne is Write for an f that changes the database by one statement only.
func (db *DB) WriteOne(ctx context.Context, f func(*Tx) error) error {
	return db.notified(db.Do(ctx, &Job{Run: f, NoSavepoint: true}))
}

func (db *DB) notified(err error) error {
	if err == nil {
		db.NotifyChanged()
	}
	return err
}

// Do runs a job in the next transaction and returns when that is on disk. Where it may have
// changed something for anybody who looks on, its caller calls NotifyChanged.
func (db *DB) Do(ctx context.Context, job *Job) error {
	job.ctx = ctx
	return db.writer.do(job)
}

// BetweenWrites runs f on the connection that writes, between two transactions. All writes wait.
// The context of f ends when the database is to be closed.
func (db *DB) BetweenWrites(f func(context.Context, *sql.Conn) error) error {
	return db.writer.exclusively(f)
}

// Waiting returns how many writes wait for the next transaction.
func (db *DB) Waiting() int { return len(db.writer.queue) }

// Stalled returns for how long the write has waited that is at the head of the queue or on its
// way to the disk; 0 where none waits. A disk that hangs says nothing, and fails nothing.
func (db *DB) Stalled() time.Duration {
	since := db.writer.waiting.Load()
	if since == nil {
		return 0
	}
	return time.Since(*since)
}

// othersShare is for how many times as long as it took others have the writer after a write of [DB.WriteAside], or a
// processor after a step of [DB.HeavyStep].
const othersShare = 3

// WriteAside is Write for one of many writes that nobody waits for. It returns later, so that whoever repeats it leaves
// most of the writer's time to others.
func (db *DB) WriteAside(ctx context.Context, f func(*Tx) error) error {
	var took time.Duration
	err := db.Write(ctx, func(t *Tx) error {
		began := time.Now()
		defer func() { took = time.Since(began) }()
		return f(t)
	})
	if err == nil {
		err = restAfter(ctx, took)
	}
	return err
}

// restAfter returns later, after what took that long and was for nobody.
func restAfter(ctx context.Context, took time.Duration) error {
	if took <= 0 {
		return nil
	}
	select {
	case <-time.After(othersShare * took):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// InBatchesAside is InBatches for what nobody waits for: see [DB.WriteAside].
func (db *DB) InBatchesAside(ctx context.Context, statement string, args ...any) (total int64, err error) {
	return db.inBatches(ctx, db.WriteAside, statement, args)
}

// InBatches repeats a statement, whose last parameter is how many rows it may
// touch, until it finds nothing more, and returns how many there were.
func (db *DB) InBatches(ctx context.Context, statement string, args ...any) (total int64, err error) {
	return db.inBatches(ctx, db.WriteOne, statement, args)
}

func (db *DB) inBatches(ctx context.Context, write func(context.Context, func(*Tx) error) error, statement string, args []any) (total int64, err error) {
	args = append(args, batchRows)
	for {
		var n int64
		err := write(ctx, func(t *Tx) (err error) {
			n, err = t.Exec(statement, args...)
			return Wrap("cleaning up", err)
		})
		total += n
		if err != nil || n < batchRows {
			return total, err
		}
	}
}

// recentCommit is how long a commit tells that others would succeed: whoever asks often must
// not keep others from writing.
const recentCommit = time.Second

// CanWrite tells whether a heartbeat could be recorded now: the database can be read, and a
// write reaches its disk. One that has just been done is proof enough, unless there was no room
// for another; else it looks for room and tries one that changes nothing. While the
// database's files are rewritten writes only wait, so it can.
func (db *DB) CanWrite(ctx context.Context) error {
	if err := db.CheckSchema(ctx); err != nil {
		return err
	}
	if db.writer.rewriting.Load() || db.writer.committedWithin(recentCommit) && !db.writer.full.Load() {
		return nil
	}
	if err := db.checkRoom(ctx); err != nil {
		return err
	}
	db.writer.full.Store(false)
	return db.tryWrite(ctx)
}

// checkRoom looks for room on the disk. A database server is asked only after it had none: what
// is there already it can write even then.
func (db *DB) checkRoom(ctx context.Context) error {
	if db.engine.server != nil && db.writer.full.Load() {
		return db.engine.server.checkRoom(ctx)
	}
	return db.engine.files.checkRoom()
}

// CheckSchema returns ErrNewerSchema where a replica of a newer version has upgraded the database
// since it was opened.
func (db *DB) CheckSchema(ctx context.Context) error {
	var version int
	err := db.Scan(ctx, []any{&version}, `SELECT value FROM settings WHERE name = 'schema_version'`)
	if err != nil {
		return Wrap("asking the database", err)
	}
	return checkVersion(version, db.engine.newest())
}

// tryWrite writes what is there already. It waits no longer than ctx.
func (db *DB) tryWrite(ctx context.Context) error {
	job := &Job{ctx: ctx, NoSavepoint: true, Run: func(t *Tx) error {
		_, err := t.Exec(`UPDATE settings SET value = value WHERE name = (SELECT MIN(name) FROM settings)`)
		return Wrap("trying to write", err)
	}}
	if err := db.writer.enqueue(job); err != nil {
		return err
	}
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case err := <-job.answer:
			return err
		case <-ctx.Done():
			return Wrap("waiting for the writer", ctx.Err())
		case <-look.C:
			if db.writer.rewriting.Load() {
				return nil
			}
		}
	}
}

// answerWait is how long a database server may take to say that it is there.
const answerWait = 3 * time.Second

// WriterAlive returns when the writer has answered, or with an error when ctx ends before. That
// the disk is full, another process keeps the database or its server is away is an answer too, and
// so is the silence of that server: the writer itself gives up on it after a while.
func (db *DB) WriterAlive(ctx context.Context) error {
	ask := ctx
	if db.engine.server != nil {
		var cancel context.CancelFunc
		ask, cancel = context.WithTimeout(ctx, answerWait)
		defer cancel()
	}
	err := db.CanWrite(ask)
	if ctx.Err() == nil && (ask.Err() != nil || errors.Is(err, ErrBusy) || errors.Is(err, ErrFull) || errors.Is(err, ErrUnavailable) || errors.Is(err, ErrNewerSchema)) {
		return nil
	}
	return err
}

// WatchRows has f called for each row of an SQLite table that a transaction of this process inserts, changes or deletes,
// with its id, by the writer and before it is done. What others write is told by [Tx.OthersWrote]. It is to be called
// once, before anything is written. Of a database on a server nothing is told.
func (db *DB) WatchRows(table string, f func(row int64)) error {
	if db.engine.server != nil {
		return nil
	}
	told := func(d sqlite.SQLitePreUpdateData) {
		if d.TableName != table {
			return
		}
		if d.Op != sqliteInsert {
			f(d.OldRowID)
		}
		if d.Op != sqliteDelete && (d.Op == sqliteInsert || d.NewRowID != d.OldRowID) {
			f(d.NewRowID)
		}
	}
	return db.BetweenWrites(func(_ context.Context, conn *sql.Conn) error {
		return conn.Raw(func(c any) error {
			c.(sqlite.HookRegisterer).RegisterPreUpdateHook(told)
			return nil
		})
	})
}

// The kinds of writes, as SQLite numbers them.
const (
	sqliteDelete = 9
	sqliteInsert = 18
)
