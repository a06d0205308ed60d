package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// DifferenceError: a row is not the same in both databases, or only in one. It
// names the row and not what is in it.
type DifferenceError struct {
	Table string
	Key   []any
}

func (e *DifferenceError) Error() string {
	return fmt.Sprintf("%s: row %s is not the same in both databases", e.Table, strings.Trim(fmt.Sprint(e.Key), "[]"))
}

// Is makes every DifferenceError one of its kind.
func (e *DifferenceError) Is(target error) bool {
	_, same := target.(*DifferenceError)
	return same
}

// compare reads both databases side by side, each as of one instant.
func (c Copying) compare(ctx context.Context, from *source, to *target) error {
	look, err := to.e.read.BeginTx(ctx, to.e.snapshotOpts)
	if err != nil {
		return wrapErr("comparing", err)
	}
	defer look.Rollback()
	if err := sameTables(ctx, look, from.tables); err != nil {
		return err
	}
	for _, t := range from.tables {
		if err := c.compareTable(t, from.rows(ctx, t, nil), withoutMark(t, readRows(ctx, look, t, nil))); err != nil {
			return wrapErr("comparing", err)
		}
	}
	return nil
}

func (c Copying) compareTable(t *table, source, target iter.Seq2[[]any, error]) error {
	next, stop := iter.Pull2(target)
	defer stop()
	var n int64
	for want, err := range source {
		if err != nil {
			return err
		}
		got, err, more := next()
		if err != nil {
			return err
		}
		if !more || !slices.EqualFunc(want, got, sameValue) {
			return t.difference(want, got)
		}
		if n++; n%copyBatch == 0 || n == t.rows {
			c.tell(CopyProgress{CopyVerifying, t.name, n, t.rows})
		}
	}
	got, err, more := next()
	if err == nil && more {
		err = t.difference(nil, got)
	}
	return err
}

// difference names the first of two rows that are not the same.
func (t *table) difference(want, got []any) error {
	first := want
	if want == nil || got != nil && compareKeys(t.keyOf(got), t.keyOf(want)) < 0 {
		first = got
	}
	return &DifferenceError{Table: t.name, Key: t.keyOf(first)}
}

func sameValue(a, b any) bool {
	if a, ok := a.([]byte); ok {
		b, ok := b.([]byte)
		return ok && bytes.Equal(a, b)
	}
	if _, ok := b.([]byte); ok { // which can not be compared by ==
		return false
	}
	return a == b
}

// sameTables makes sure that no table or column is known to one database only,
// besides the marks of the replicas, which a file has no use for.
func sameTables(ctx context.Context, look *sql.Tx, tables []*table) error {
	var want []string
	for _, t := range tables {
		for _, column := range t.columns {
			want = append(want, t.name+"."+column)
		}
	}
	slices.Sort(want)
	rows, err := look.QueryContext(ctx, `
		SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name <> 'replica_marks'`)
	if err != nil {
		return wrapErr("reading the tables", err)
	}
	got, err := textsOf(rows)
	if err != nil {
		return wrapErr("reading the tables", err)
	}
	slices.Sort(got)
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			return fmt.Errorf("the tables of the two databases are not the same: %q and %q", want[i:min(i+1, len(want))], got[i:min(i+1, len(got))])
		}
	}
	return nil
}

// withoutMark leaves out what only an unfinished copy has.
func withoutMark(t *table, rows iter.Seq2[[]any, error]) iter.Seq2[[]any, error] {
	if t.name != settingsTable {
		return rows
	}
	return func(yield func([]any, error) bool) {
		for row, err := range rows {
			if err == nil && slices.Contains(row, any(copyUnfinished)) {
				continue
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// readRows yields the rows of a table of either database, from after a key on, in
// the order of their keys. Truth is a number in one of them, and so it is here.
func readRows(ctx context.Context, look *sql.Tx, t *table, after []any) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		rows, err := look.QueryContext(ctx, t.query(after), after...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close()
		into := make([]any, len(t.columns))
		for rows.Next() {
			row := make([]any, len(t.columns))
			for i := range row {
				into[i] = &row[i]
			}
			if err = rows.Scan(into...); err != nil {
				break
			}
			for i, value := range row {
				if truth, ok := value.(bool); ok {
					row[i] = number(truth)
				}
			}
			if !yield(row, nil) {
				return
			}
		}
		if err == nil {
			err = rows.Err()
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func number(truth bool) int64 {
	if truth {
		return 1
	}
	return 0
}
