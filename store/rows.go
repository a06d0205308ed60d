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

func eachRow(rows *sql.Rows, f func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
