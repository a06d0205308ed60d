package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"hash"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// source is an SQLite database that is copied, as of one instant.
type source struct {
	db     *sql.DB
	conn   *sql.Conn
	look   *sql.Tx
	found  int64    // SQLite's mark of the instant
	idKey  int64    // tells it from any other installation's
	tables []*table // each after those that it refers to
	mark   int64    // fingerprint of all rows
}

// table is one that is copied, as the schema of the source describes it.
type table struct {
	name     string
	columns  []string
	key      []int // of columns, in the order of the primary key
	parents  []string
	rows     int64
	replaced int64 // texts, see storable
	reorder  bool  // because a key has such a text
}

// openSource begins to look at the database in folder, which must be of this version.
func openSource(ctx context.Context, folder string) (*source, error) {
	path := filepath.Join(folder, FileName)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("reading the source: %w", err)
	}
	version, err := verify(ctx, path)
	if err != nil {
		return nil, wrapErr("reading the source", err)
	}
	newest := len(steps) + 1
	if err := checkVersion(version, newest); err != nil {
		return nil, err
	}
	if version < newest {
		return nil, fmt.Errorf("%w: its schema is version %d, this program's %d; start this program's server on it once", ErrOlderSchema, version, newest)
	}
	db, err := sql.Open("sqlite", dsn(path, "query_only(1)")+readOnly)
	if err != nil {
		return nil, wrapErr("opening the source", err)
	}
	s := &source{db: db}
	if err := s.begin(ctx); err != nil {
		s.close()
		return nil, wrapErr("reading the source", err)
	}
	return s, nil
}

const dataVersion = `PRAGMA data_version` // of the connection: changes when another has committed

func (s *source) begin(ctx context.Context) (err error) {
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return err
	}
	if s.look, err = s.conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}); err != nil {
		return err
	}
	if err := s.look.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'session_id_key'`).Scan(&s.idKey); err != nil {
		return err
	}
	if err := s.look.QueryRowContext(ctx, dataVersion).Scan(&s.found); err != nil {
		return err
	}
	return s.describe(ctx)
}

// unchanged ends the look and tells whether what was seen is still the newest.
func (s *source) unchanged(ctx context.Context) error {
	if err := s.look.Rollback(); err != nil {
		return wrapErr("reading the source", err)
	}
	var found int64
	if err := s.conn.QueryRowContext(ctx, dataVersion).Scan(&found); err != nil {
		return wrapErr("reading the source", err)
	}
	if found != s.found {
		return ErrSourceChanged
	}
	return nil
}

func (s *source) close() {
	if s.look != nil {
		s.look.Rollback()
	}
	if s.conn != nil {
		s.conn.Close()
	}
	s.db.Close()
}

// describe finds the tables with their columns. They come from the database
// itself, so that none is forgotten.
func (s *source) describe(ctx context.Context) error {
	names, err := s.texts(ctx, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`)
	if err != nil {
		return err
	}
	for _, name := range names {
		t := &table{name: name}
		s.tables = append(s.tables, t)
		if t.columns, err = s.texts(ctx, `SELECT name FROM pragma_table_info($1) ORDER BY cid`, name); err != nil {
			return err
		}
		key, err := s.texts(ctx, `SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk`, name)
		if err != nil {
			return err
		}
		for _, column := range key {
			t.key = append(t.key, slices.Index(t.columns, column))
		}
		if t.parents, err = s.texts(ctx, `SELECT "table" FROM pragma_foreign_key_list($1)`, name); err != nil {
			return err
		}
	}
	s.tables, err = parentsFirst(s.tables)
	return err
}

func (s *source) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := s.look.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return textsOf(rows)
}

// survey reads everything once: how much there is, what can not be stored as it
// is, and the fingerprint by which an interrupted copy knows its source again.
func (s *source) survey(ctx context.Context, tell func(CopyProgress)) error {
	sum := sha256.New()
	for _, t := range s.tables {
		fmt.Fprintf(sum, "%s %q\n", t.name, t.columns)
		for row, err := range readRows(ctx, s.look, t, nil) {
			if err != nil {
				return err
			}
			if t.rows++; t.rows%copyBatch == 0 {
				tell(CopyProgress{Doing: CopyReading, Table: t.name, Rows: t.rows})
			}
			t.clean(row, true)
			addRow(sum, row)
		}
	}
	s.mark = positive(sum.Sum(nil))
	return nil
}

// addRow makes a row part of a fingerprint, with the length of each value.
func addRow(sum hash.Hash, row []any) {
	for _, value := range row {
		switch v := value.(type) {
		case int64:
			fmt.Fprintf(sum, "i%d,", v)
		case string:
			fmt.Fprintf(sum, "t%d:", len(v))
			sum.Write([]byte(v))
		case []byte:
			fmt.Fprintf(sum, "b%d:", len(v))
			sum.Write(v)
		default:
			fmt.Fprintf(sum, "%v,", v)
		}
	}
}

// rows yields the rows of a table as PostgreSQL can store them, in the order of
// their keys there, from after a key on; nil for all.
func (s *source) rows(ctx context.Context, t *table, after []any) iter.Seq2[[]any, error] {
	if t.reorder {
		return s.reordered(ctx, t, after)
	}
	return func(yield func([]any, error) bool) {
		for row, err := range readRows(ctx, s.look, t, after) {
			t.clean(row, false)
			if !yield(row, err) {
				return
			}
		}
	}
}

// reordered is rows of a table whose keys are not what they were: all of them in memory.
func (s *source) reordered(ctx context.Context, t *table, after []any) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		var all [][]any
		for row, err := range readRows(ctx, s.look, t, nil) {
			if err != nil {
				yield(nil, err)
				return
			}
			t.clean(row, false)
			all = append(all, row)
		}
		slices.SortFunc(all, func(a, b []any) int { return compareKeys(t.keyOf(a), t.keyOf(b)) })
		for _, row := range all {
			if after != nil && compareKeys(t.keyOf(row), after) <= 0 {
				continue
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// clean replaces the texts of a row that PostgreSQL can not store, and counts them if asked.
func (t *table) clean(row []any, count bool) {
	for i, value := range row {
		text, ok := value.(string)
		if !ok || storable(text) {
			continue
		}
		row[i] = storableText(text)
		if count {
			t.replaced++
			t.reorder = t.reorder || slices.Contains(t.key, i)
		}
	}
}

// query reads the table in the order of its key, in the SQL of both databases.
func (t *table) query(after []any) string {
	var columns, bounds []string
	for _, column := range t.columns {
		columns = append(columns, quoted(column))
	}
	key, where := strings.Join(t.keyNames(), ", "), ""
	if after != nil {
		for i := range t.key {
			bounds = append(bounds, fmt.Sprint("$", i+1))
		}
		where = fmt.Sprintf(" WHERE (%s) > (%s)", key, strings.Join(bounds, ", "))
	}
	return fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %s", strings.Join(columns, ", "), quoted(t.name), where, key)
}

// keyNames are the columns of the key, as SQL names them.
func (t *table) keyNames() (names []string) {
	for _, column := range t.key {
		names = append(names, quoted(t.columns[column]))
	}
	return names
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func (t *table) keyOf(row []any) []any {
	key := make([]any, len(t.key))
	for i, column := range t.key {
		key[i] = row[column]
	}
	return key
}

// compareKeys orders keys as both databases do: numbers, and texts by their bytes.
func compareKeys(a, b []any) int {
	return slices.CompareFunc(a, b, func(a, b any) int {
		if n, ok := a.(int64); ok {
			m, _ := b.(int64)
			return cmp.Compare(n, m)
		}
		return strings.Compare(a.(string), b.(string))
	})
}
