package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
)

// FileName is the database in the data folder.
const FileName = "rollcall.db"

const sqliteTables = `SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'`

// DSN names the SQLite database at path with pragmas for each connection, because Exec would
// reach only one connection of a pool.
func DSN(path string, pragmas ...string) string {
	v := url.Values{"_pragma": append([]string{fmt.Sprintf("busy_timeout(%d)", busyTimeout), "foreign_keys(1)"}, pragmas...)}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + v.Encode()
}

// ReadOnlyDSN is DSN for connections that leave even the log beside the database as it is.
func ReadOnlyDSN(path string, pragmas ...string) string { return DSN(path, pragmas...) + "&mode=ro" }

// VerifyFile reads the whole SQLite file, which must be an undamaged database of rollcall that
// this version of the program, or an older one, has written: else ErrNewerSchema.
func VerifyFile(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", ReadOnlyDSN(path, "query_only(1)"))
	if err != nil {
		return err
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("it is damaged: %s", verdict)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	version, err := schemaVersion(ctx, conn, sqliteTables)
	if err == nil && version == 0 {
		err = errors.New("it is empty")
	}
	if err == nil {
		err = checkVersion(version, SchemaVersion())
	}
	return err
}
