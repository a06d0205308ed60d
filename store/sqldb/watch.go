package sqldb

import (
	"context"
	"database/sql"

	"modernc.org/sqlite"
)

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

// OthersWrote tells whether another connection to an SQLite file, such as that of another process, has written to it
// since this was asked last.
func (t *Tx) OthersWrote() (bool, error) {
	var version int64
	err := t.Scan([]any{&version}, `PRAGMA data_version`)
	before := t.w.dataVersion
	t.w.dataVersion = version
	return version != before, Wrap("asking whether others wrote", err)
}
