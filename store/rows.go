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
func textsOf(rows *sql.Rows) (all []string, err error) {
	err = eachRow(rows, func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		all = append(all, text)
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
