package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"rollcall/store/sqldb"
)

// CopyRows makes the database of a folder, laid out by the schema and by nothing else, with the rows that the tables of the
// SQLite file at from hold. Rows that the schema does not allow, or that refer to none, are an error.
func CopyRows(ctx context.Context, from, folder, schema string) error {
	fresh, err := sqldb.Open(ctx, sqldb.Config{Folder: folder, Schema: schema})
	if err == nil {
		err = fresh.Close()
	}
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", sqldb.DSN(filepath.Join(folder, sqldb.FileName)))
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, step := range []string{
		`PRAGMA foreign_keys = 0`, // fillTables looks at the end
		`ATTACH '` + strings.ReplaceAll(sqldb.ReadOnlyDSN(from), "'", "''") + `' AS source`, `BEGIN IMMEDIATE`} {
		if _, err := conn.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	if err := fillTables(ctx, conn); err != nil {
		return err // and closing takes it back
	}
	_, err = conn.ExecContext(ctx, `COMMIT`)
	return err
}

// fillTables copies the rows of all tables, before there are triggers that they would run and indexes that they would
// have to be sorted into one by one.
func fillTables(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, `DELETE FROM main.settings`); err != nil { // its version, which comes again
		return err
	}
	later, err := sqldb.TextRows(ctx, conn, 3, `
		SELECT type, name, sql FROM main.sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY type`)
	if err != nil {
		return err
	}
	for _, object := range later {
		if _, err := conn.ExecContext(ctx, `DROP `+object[0]+` main."`+object[1]+`"`); err != nil {
			return err
		}
	}
	tables, err := sqldb.TextRows(ctx, conn, 2, `
		SELECT t.name, group_concat('"' || c.name || '"') FROM main.sqlite_schema t, pragma_table_info(t.name, 'main') c
		WHERE t.type = 'table' GROUP BY t.name ORDER BY t.name`)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if _, err := conn.ExecContext(ctx, fmt.Sprintf(`INSERT INTO main."%s" (%s) SELECT %s FROM source."%s"`, t[0], t[1], t[1], t[0])); err != nil {
			return fmt.Errorf("copying the rows of %s: %w", t[0], err)
		}
	}
	for _, object := range later {
		if _, err := conn.ExecContext(ctx, object[2]); err != nil {
			return fmt.Errorf("making %s %s: %w", object[0], object[1], err)
		}
	}
	strays, err := sqldb.TextRows(ctx, conn, 2, `SELECT "table", "parent" FROM pragma_foreign_key_check LIMIT 1`)
	if err == nil && len(strays) > 0 {
		err = errors.New("a row of " + strays[0][0] + " refers to none of " + strays[0][1])
	}
	return err
}
