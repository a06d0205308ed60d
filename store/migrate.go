package store

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
)

// A step is SQL that turns the schema of one version into that of the next.
type step string

// steps upgrade every older schema: steps[i] leads from version i+1 to i+2. A
// change of schema.sql adds its step here.
var steps = []step{livePresence, endNotes, historyAndNotices, appAndAddress}

//go:embed upgrade2.sql
var livePresence step

//go:embed upgrade3.sql
var endNotes step

//go:embed upgrade4.sql
var historyAndNotices step

//go:embed upgrade5.sql
var appAndAddress step

// migrate creates the schema in an empty database or runs the missing steps on
// an older one, in one transaction: all of it happens or nothing does.
func migrate(ctx context.Context, conn *sql.Conn, schema string, steps []step) error {
	if _, err := conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return fail("beginning the upgrade", err)
	}
	err := upgrade(ctx, conn, schema, steps)
	if err == nil {
		_, err = conn.ExecContext(ctx, `COMMIT`)
	}
	if err != nil {
		_, _ = conn.ExecContext(ctx, `ROLLBACK`)
		return fail("upgrading the database", err)
	}
	return nil
}

func upgrade(ctx context.Context, conn *sql.Conn, schema string, steps []step) error {
	newest := len(steps) + 1
	version, err := schemaVersion(ctx, conn)
	if err == nil {
		err = known(version, newest)
	}
	switch {
	case err != nil:
		return err
	case version == newest:
		return nil
	case version == 0:
		steps = []step{step(schema)}
	default:
		steps = steps[version-1:]
	}
	for _, s := range steps {
		if _, err := conn.ExecContext(ctx, string(s)); err != nil {
			return err
		}
	}
	_, err = conn.ExecContext(ctx, saveSetting, "schema_version", newest)
	return err
}

// known refuses a schema of which nobody here knows what it means.
func known(version, newest int) error {
	if version > newest {
		return fmt.Errorf("%w: its schema is version %d, this program knows %d", ErrNewerSchema, version, newest)
	}
	return nil
}

// schemaVersion returns 0 for an empty database.
func schemaVersion(ctx context.Context, conn *sql.Conn) (int, error) {
	var tables, version int
	err := conn.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE type = 'table'`).Scan(&tables)
	if err != nil || tables == 0 {
		return 0, err
	}
	err = conn.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'schema_version'`).Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("this is not a database of rollcall: %w", err)
	}
	return version, nil
}
