package sqldb

import (
	"context"
	"database/sql"
)

// Snapshot lets f read the state of one instant.
func (db *DB) Snapshot(ctx context.Context, f func(*sql.Tx) error) error {
	look, err := db.read.BeginTx(ctx, db.engine.snapshotOpts)
	if err != nil {
		return err
	}
	defer look.Rollback()
	return f(look)
}

// HeavySnapshot is Snapshot for what may read very many rows: only a few of these run at once,
// and one of each caller: see [WithCaller].
func (db *DB) HeavySnapshot(ctx context.Context, f func(*sql.Tx) error) error {
	done, err := db.heavy.acquire(ctx)
	if err != nil {
		return err
	}
	defer done()
	return db.Snapshot(ctx, f)
}

// SnapshotFor is HeavySnapshot where heavy, else Snapshot.
func (db *DB) SnapshotFor(ctx context.Context, heavy bool, f func(*sql.Tx) error) error {
	if heavy {
		return db.HeavySnapshot(ctx, f)
	}
	return db.Snapshot(ctx, f)
}

// Rows runs a query, whose statement is kept for the next time: its text must not be made
// of what callers choose.
func (db *DB) Rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := db.reads.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// Scan reads the one row that query returns into dest; sql.ErrNoRows without. The statement
// is kept, as by Rows.
func (db *DB) Scan(ctx context.Context, dest []any, query string, args ...any) error {
	stmt, err := db.reads.prepare(ctx, query)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(ctx, args...).Scan(dest...)
}

// Texts returns the only column that a query reads.
func (db *DB) Texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := db.Rows(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return Collect(rows, func(rows *sql.Rows) (text string, err error) {
		err = rows.Scan(&text)
		return text, err
	})
}

// Each calls f for every row that query returns.
func Each(ctx context.Context, look *sql.Tx, f func(*sql.Rows) error, query string, args ...any) error {
	rows, err := look.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, f)
}

// Collect returns what scan makes of each of rows.
func Collect[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error)) (all []T, err error) {
	err = eachRow(rows, func(rows *sql.Rows) error {
		one, err := scan(rows)
		all = append(all, one)
		return err
	})
	return all, err
}

func eachRow(rows *sql.Rows, f func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
