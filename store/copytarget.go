package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// target is the database of PostgreSQL that a copy goes to. Its one connection
// has the target's lock, so that what a killed copy still has under way is over
// before the next one looks.
type target struct {
	e    *engine
	conn *sql.Conn
}

const settingsTable = "settings"

// copyUnfinished is the setting that a target has until it is complete: the
// fingerprint of its source.
const copyUnfinished = "copy_unfinished"

func openTarget(ctx context.Context, e *engine) (*target, error) {
	conn, err := e.write.Conn(ctx)
	if err != nil {
		return nil, wrapErr("connecting to the database", err)
	}
	to := &target{e: e, conn: conn}
	err = wrapErr("locking the database", run(ctx, conn, []string{
		`SET application_name = 'rollcall copy'`,
		`SELECT pg_advisory_lock(hashtext('rollcall copy'), hashtext(current_schema()))`,
	}))
	if err != nil {
		to.close()
	}
	if errors.Is(err, ErrBusy) && ctx.Err() == nil {
		return nil, fmt.Errorf("%w: another copy to it is under way", ErrTargetTaken)
	}
	return to, err
}

func (to *target) close() { to.conn.Close() }

// contents is what a target has that may be copied to.
type contents struct {
	tables   bool // of a copy of this source
	mark     int64
	complete bool
}

// look finds what is in the target. ErrTargetTaken where that is anything but a
// copy of this source, begun by this version of the program.
func (to *target) look(ctx context.Context, from *source) (c contents, err error) {
	version, err := schemaVersion(ctx, to.conn, to.e.tables)
	if err = wrapErr("looking at the database", err); errors.Is(err, ErrUnavailable) || errors.Is(err, ErrBusy) {
		return c, err
	}
	if err != nil {
		return c, fmt.Errorf("%w: it has tables that are not rollcall's", ErrTargetTaken)
	}
	if version == 0 {
		return c, nil
	}
	c.tables = true
	key, mark, err := to.marks(ctx)
	if err != nil {
		return c, wrapErr("looking at the database", err)
	}
	c.mark, c.complete = mark.Int64, !mark.Valid
	switch {
	case c.complete && key.Int64 == from.idKey:
		return c, nil
	case c.complete:
		return c, to.taken(ctx, "it has the data of another rollcall")
	case key.Int64 != from.idKey:
		return c, to.taken(ctx, "it has an unfinished copy of another rollcall")
	case version != to.newest():
		return c, to.taken(ctx, "the copy in it was begun by another version of rollcall; empty it first")
	}
	return c, nil
}

// marks returns what tells whose data the target has, and whether all of it.
func (to *target) marks(ctx context.Context) (key, unfinished sql.NullInt64, err error) {
	err = to.conn.QueryRowContext(ctx, `
		SELECT (SELECT value FROM settings WHERE name = 'session_id_key'), (SELECT value FROM settings WHERE name = $1)`,
		copyUnfinished).Scan(&key, &unfinished)
	return key, unfinished, err
}

func (to *target) newest() int { return to.e.oldest + len(to.e.steps) }

// taken is ErrTargetTaken with the reason, and whether that may be in use.
func (to *target) taken(ctx context.Context, why string) error {
	var served bool
	err := to.conn.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rollcall')`).Scan(&served)
	if err == nil && served {
		why += ", and a rollcall is connected to this server's database"
	}
	return fmt.Errorf("%w: %s", ErrTargetTaken, why)
}

// check refuses a target that can not take this source.
func (to *target) check(ctx context.Context, from *source) error {
	_, err := to.look(ctx, from)
	return err
}

// begin makes the tables with the settings and the mark, all in one transaction:
// there is no moment at which a server would take the target for its own.
func (to *target) begin(ctx context.Context, from *source) (state CopyState, err error) {
	err = to.within(ctx, to.e.upgrade, func() error {
		has, err := to.look(ctx, from)
		switch {
		case err != nil:
			return err
		case has.complete:
			state = CopyComplete
			return nil
		case has.tables && has.mark == from.mark:
			state = CopyResumed
			return nil
		case has.tables:
			state, err = CopyRestarted, run(ctx, to.conn, emptying(from.tables))
		default:
			state, err = CopyNew, run(ctx, to.conn, []string{to.e.schema})
		}
		if err != nil {
			return err
		}
		return to.settle(ctx, from)
	})
	return state, wrapErr("preparing the database", err)
}

// settle writes the settings of the source, which the target is known by.
func (to *target) settle(ctx context.Context, from *source) error {
	for _, t := range from.tables {
		if t.name != settingsTable {
			continue
		}
		for row, err := range from.rows(ctx, t, nil) {
			if err == nil {
				_, err = to.conn.ExecContext(ctx, saveSetting, row...)
			}
			if err != nil {
				return err
			}
		}
	}
	_, err := to.conn.ExecContext(ctx, saveSetting, copyUnfinished, from.mark)
	return err
}

// untriggered surrounds statements on tables whose triggers are not to fire: they would
// note as a change what is none. A transaction that fails leaves the triggers on.
func untriggered(tables []*table, statements ...string) []string {
	var off, on []string
	for _, t := range tables {
		off = append(off, `ALTER TABLE `+quoted(t.name)+` DISABLE TRIGGER USER`)
		on = append(on, `ALTER TABLE `+quoted(t.name)+` ENABLE TRIGGER USER`)
	}
	return append(append(off, statements...), on...)
}

func emptying(tables []*table) []string {
	return untriggered(tables, `TRUNCATE `+strings.Join(quotedNames(tables), ", "))
}

func quotedNames(tables []*table) (names []string) {
	for _, t := range tables {
		names = append(names, quoted(t.name))
	}
	return names
}

// last returns the greatest key of a table in the target, nil for none, and how
// many rows there are.
func (to *target) last(ctx context.Context, t *table) (key []any, rows int64, err error) {
	if err := to.conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+quoted(t.name)).Scan(&rows); err != nil || rows == 0 {
		return nil, 0, err
	}
	into := make([]any, len(t.key))
	for i := range into {
		into[i] = new(any)
	}
	names := t.keyNames()
	err = to.conn.QueryRowContext(ctx, fmt.Sprintf(`SELECT %s FROM %s ORDER BY %s DESC LIMIT 1`,
		strings.Join(names, ", "), quoted(t.name), strings.Join(names, " DESC, "))).Scan(into...)
	for _, value := range into {
		key = append(key, *value.(*any))
	}
	return key, rows, err
}

// add brings rows into a table, all or none.
func (to *target) add(ctx context.Context, t *table, rows [][]any) error {
	return to.within(ctx, to.e.begin, func() error {
		around := untriggered([]*table{t})
		if err := run(ctx, to.conn, around[:1]); err != nil {
			return err
		}
		if err := to.e.server.load(ctx, to.conn, t.name, t.columns, rows); err != nil {
			return err
		}
		return run(ctx, to.conn, around[1:])
	})
}

// finish lets the target be used: numbers go on after the greatest one.
func (to *target) finish(ctx context.Context, tables []*table) error {
	err := to.within(ctx, to.e.begin, func() error {
		if err := to.continueNumbers(ctx); err != nil {
			return err
		}
		// So that the first questions are answered as quickly as later ones.
		if err := run(ctx, to.conn, []string{`ANALYZE ` + strings.Join(quotedNames(tables), ", ")}); err != nil {
			return err
		}
		_, err := to.conn.ExecContext(ctx, `DELETE FROM settings WHERE name = $1`, copyUnfinished)
		return err
	})
	return wrapErr("finishing the copy", err)
}

// distrust has the next copy begin anew.
func (to *target) distrust(ctx context.Context) error {
	_, err := to.conn.ExecContext(ctx, saveSetting, copyUnfinished, 0)
	return wrapErr("marking the copy", err)
}

// continueNumbers sets what numbers new rows past the rows that were copied.
func (to *target) continueNumbers(ctx context.Context) error {
	rows, err := to.conn.QueryContext(ctx, `
		SELECT format('SELECT setval(pg_get_serial_sequence(%L, %L), MAX(%I)) FROM %I', quote_ident(table_name), column_name, column_name, table_name)
		FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'`)
	if err != nil {
		return err
	}
	statements, err := textsOf(rows)
	if err != nil {
		return err
	}
	return run(ctx, to.conn, statements)
}

// within runs f in a transaction.
func (to *target) within(ctx context.Context, begin []string, f func() error) error {
	return inTx(ctx, to.conn, begin, f)
}
