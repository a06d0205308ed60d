//go:build postgres

package transfer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"rollcall/store/beats"
	"rollcall/store/sqldb"
)

// source is an SQLite database as of one instant.
type source struct {
	db     *sql.DB
	tx     *sql.Tx
	idKey  int64    // tells it from any other installation's
	tables []*table // each after those that it refers to

	waiting map[int64]beats.Entry // what the sessions' rows do not say yet
}

// openSource begins to read the database in folder, which must be whole and of
// this program's version.
func openSource(ctx context.Context, folder string) (*source, error) {
	path := filepath.Join(folder, sqldb.FileName)
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", sqldb.ReadOnlyDSN(path))
	if err != nil {
		return nil, err
	}
	s := &source{db: db}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *source) begin(ctx context.Context) (err error) {
	if s.tx, err = s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}); err != nil {
		return err
	}
	if err := s.check(ctx); err != nil {
		return err
	}
	if s.waiting, err = beats.Latest(ctx, s.tx); err != nil {
		return err
	}
	return s.listTables(ctx)
}

func (s *source) check(ctx context.Context) error {
	var verdict string
	var version int
	err := s.tx.QueryRowContext(ctx, `
		SELECT integrity_check, COALESCE((SELECT value FROM settings WHERE name = 'schema_version'), 0),
			COALESCE((SELECT value FROM settings WHERE name = 'session_id_key'), 0)
		FROM pragma_integrity_check LIMIT 1`).Scan(&verdict, &version, &s.idKey)
	switch newest := sqldb.SchemaVersion(); {
	case err != nil:
		return err
	case verdict != "ok":
		return fmt.Errorf("it is damaged: %s", verdict)
	case version > newest:
		return fmt.Errorf("%w: its schema is version %d, this program knows %d", sqldb.ErrNewerSchema, version, newest)
	case version < newest:
		return fmt.Errorf("%w: its schema is version %d, this program's %d; start this program's server on it once", sqldb.ErrOlderSchema, version, newest)
	}
	return nil
}

// listTables finds the tables and columns in the database itself, so that none is
// forgotten, but for the log of heartbeats: PostgreSQL has none. A table's depth is greater than that of every table it refers to.
func (s *source) listTables(ctx context.Context) error {
	rows, err := s.tx.QueryContext(ctx, `
		WITH RECURSIVE deep (name, depth) AS (
			SELECT name, 0 FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name <> '`+beats.Table+`'
			UNION
			SELECT t.name, depth + 1 FROM deep, sqlite_schema t, pragma_foreign_key_list(t.name) f
			WHERE t.type = 'table' AND f."table" = deep.name AND t.name <> deep.name AND depth < 100)
		SELECT t.name, c.name FROM (SELECT name, MAX(depth) AS depth FROM deep GROUP BY name) t, pragma_table_info(t.name) c
		ORDER BY t.depth, t.name, c.cid`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name, column string
		if err := rows.Scan(&name, &column); err != nil {
			return err
		}
		if n := len(s.tables); n == 0 || s.tables[n-1].name != name {
			s.tables = append(s.tables, &table{name: name})
		}
		t := s.tables[len(s.tables)-1]
		t.columns = append(t.columns, column)
	}
	return rows.Err()
}

func (s *source) close() error {
	if s.tx != nil {
		_ = s.tx.Rollback()
	}
	return s.db.Close()
}
