package store

import (
	"context"
	"database/sql"
)

// each calls f for every row that query returns.
func each(ctx context.Context, look *sql.Tx, f func(*sql.Rows) error, query string, args ...any) error {
	rows, err := look.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, f)
}

// textsOf returns the only column of rows.
func textsOf(rows *sql.Rows) ([]string, error) {
	return collect(rows, func(rows *sql.Rows) (text string, err error) {
		err = rows.Scan(&text)
		return text, err
	})
}

// collect returns what scan makes of each of rows.
func collect[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error)) (all []T, err error) {
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
