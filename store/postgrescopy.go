//go:build postgres

package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

// loadRows inserts rows by COPY, in the transaction that conn is in.
func loadRows(ctx context.Context, conn *sql.Conn, table string, columns []string, rows [][]any) error {
	return conn.Raw(func(driver any) error {
		direct := driver.(*stdlib.Conn).Conn()
		described, err := direct.Query(ctx, fmt.Sprintf(`SELECT * FROM %s LIMIT 0`, pgx.Identifier{table}.Sanitize()))
		if err != nil {
			return err
		}
		described.Close()
		if err := described.Err(); err != nil {
			return err
		}
		for _, field := range described.FieldDescriptions() {
			if i := slices.Index(columns, field.Name); i >= 0 && field.DataTypeOID == pgtype.BoolOID {
				for _, row := range rows {
					row[i] = row[i] == int64(1)
				}
			}
		}
		_, err = direct.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
		return err
	})
}
