//go:build postgres

package transfer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"rollcall/store/sqldb"
)

// Copy copies the SQLite database in a folder to an empty database of PostgreSQL,
// compares what is there with the source, and commits. The source is not changed.
// After an error nothing is in the new database, but for ErrCommitUnknown, after
// which nobody knows. ErrTargetTaken for a database that is not empty,
// sqldb.ErrOlderSchema and sqldb.ErrNewerSchema for a source of another version, and a
// [DifferenceError] where a table is not the same on both sides.
func Copy(ctx context.Context, o Options) (Result, error) {
	from, err := openSource(ctx, o.Folder)
	if err != nil {
		return Result{}, fmt.Errorf("reading the source: %w", err)
	}
	defer from.close()
	conn, err := connect(ctx, o.Database)
	if err != nil {
		return Result{}, fmt.Errorf("connecting to the database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) // undoes what is not committed
	to, err := conn.Begin(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("beginning the copy: %w", err)
	}
	c := &copier{Options: o, from: from, to: to}
	if err := c.run(ctx); err != nil {
		return Result{}, err
	}
	return c.done, commit(ctx, to)
}

func connect(ctx context.Context, address string) (*pgx.Conn, error) {
	config, err := sqldb.PostgresConfig(address)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = "rollcall copy"
	config.RuntimeParams["statement_timeout"] = "0" // a whole table is one statement
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", sqldb.ErrUnavailable, err)
	}
	return conn, nil
}

// commit tells a commit that was refused from one of which there is no answer. An
// error that is FATAL ends the connection, whatever became of the commit.
func commit(ctx context.Context, to pgx.Tx) error {
	err := to.Commit(ctx)
	answer, answered := errors.AsType[*pgconn.PgError](err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrTxCommitRollback), answered && answer.SeverityUnlocalized == "ERROR":
		return fmt.Errorf("committing the copy: %w", err)
	}
	return fmt.Errorf("%w: %w", ErrCommitUnknown, err)
}

// copier is one copy in its transaction.
type copier struct {
	Options
	from *source
	to   pgx.Tx
	done Result
}

func (c *copier) run(ctx context.Context) error {
	if err := c.claim(ctx); err != nil {
		return err
	}
	for _, t := range c.from.tables {
		if err := c.copyTable(ctx, t); err != nil {
			return fmt.Errorf("copying %s: %w", t.name, err)
		}
	}
	if err := c.finishTables(ctx); err != nil {
		return fmt.Errorf("finishing the tables: %w", err)
	}
	for _, t := range c.from.tables {
		if err := c.compareTable(ctx, t); err != nil {
			return fmt.Errorf("comparing: %w", err)
		}
	}
	return nil
}

// claim makes the tables where there are none. Whoever does the same at the same time waits, as a server would.
func (c *copier) claim(ctx context.Context) error {
	var tables int
	err := c.to.QueryRow(ctx, `SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()`).Scan(&tables)
	switch {
	case err != nil:
		return fmt.Errorf("looking for tables: %w", err)
	case tables > 0:
		return c.taken(ctx)
	}
	err = pgx.BeginFunc(ctx, c.to, func(pgx.Tx) error { return c.makeTables(ctx) })
	if sqldb.MadeByOther(err) { // who has committed since
		return c.taken(ctx)
	}
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == "55P03" { // lock_not_available
		return fmt.Errorf("%w: another copy to it is under way, or a server makes its tables", ErrTargetTaken)
	}
	if err != nil {
		return fmt.Errorf("making the tables: %w", err)
	}
	return nil
}

// taken is ErrTargetTaken with what is there. The query may fail and the
// transaction with it: nothing comes after.
func (c *copier) taken(ctx context.Context) error {
	what := "it has tables that are not rollcall's"
	var idKey int64
	if c.to.QueryRow(ctx, `SELECT value FROM settings WHERE name = 'session_id_key'`).Scan(&idKey) == nil {
		what = "it has the data of another rollcall"
		if idKey == c.from.idKey {
			what = "it has a complete copy of this data already, which may have been used since"
		}
	}
	return fmt.Errorf("%w: %s", ErrTargetTaken, what)
}

func (c *copier) makeTables(ctx context.Context) error {
	if _, err := c.to.Exec(ctx, sqldb.PostgresSchema); err != nil {
		return err
	}
	return c.forTables(ctx, `ALTER TABLE %s DISABLE TRIGGER USER`) // they would note rows as changes that are none
}

// forTables runs a statement for each table.
func (c *copier) forTables(ctx context.Context, statement string) error {
	for _, t := range c.from.tables {
		if _, err := c.to.Exec(ctx, fmt.Sprintf(statement, t.quoted())); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) copyTable(ctx context.Context, t *table) error {
	if err := c.from.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+t.quoted()).Scan(&t.of); err != nil {
		return err
	}
	rows, err := c.from.tx.QueryContext(ctx, t.query())
	if err != nil {
		return err
	}
	defer rows.Close()
	_, err = c.to.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromFunc(func() ([]any, error) {
		c.tell(Copying, t, t.read.rows)
		if !rows.Next() {
			return nil, rows.Err()
		}
		row, replaced, err := t.scan(rows, c.from.waiting)
		if err != nil {
			return nil, err
		}
		c.done.Replaced += replaced
		t.read.add(row)
		return row, nil
	}))
	c.done.Tables = append(c.done.Tables, Table{Name: t.name, Rows: t.read.rows})
	return err
}

// finishTables has new rows numbered after those that were copied, and the first
// questions answered as quickly as later ones.
func (c *copier) finishTables(ctx context.Context) error {
	if err := c.forTables(ctx, `ALTER TABLE %s ENABLE TRIGGER USER`); err != nil {
		return err
	}
	rows, err := c.to.Query(ctx, `
		SELECT format('SELECT setval(pg_get_serial_sequence(%L, %L), MAX(%I)) FROM %I', quote_ident(table_name), column_name, column_name, table_name)
		FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'`)
	if err != nil {
		return err
	}
	numbering, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	if _, err := c.to.Exec(ctx, strings.Join(numbering, ";")); err != nil {
		return err
	}
	return c.forTables(ctx, `ANALYZE %s`)
}

// compareTable reads what PostgreSQL has of a table now.
func (c *copier) compareTable(ctx context.Context, t *table) error {
	rows, err := c.to.Query(ctx, t.query())
	if err != nil {
		return err
	}
	defer rows.Close()
	var written fingerprint
	for rows.Next() {
		row, err := rows.Values()
		if err != nil {
			return err
		}
		written.add(row)
		c.tell(Verifying, t, written.rows)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if !written.equal(&t.read) {
		return &DifferenceError{Table: t.name, Source: t.read.rows, Copy: written.rows}
	}
	return nil
}

const tellEvery = 1000 // rows

func (c *copier) tell(step Step, t *table, rows int64) {
	if c.Progress != nil && (rows%tellEvery == 0 || rows == t.of) {
		c.Progress(Progress{Step: step, Table: t.name, Rows: rows, Of: t.of})
	}
}
