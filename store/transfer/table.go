//go:build postgres

package transfer

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"rollcall/store/beats"
	"rollcall/store/sqldb"
)

// table is one that is copied, and what has been read of it in the source.
type table struct {
	name    string
	columns []string
	of      int64 // rows
	read    fingerprint
}

// query reads all rows, in the SQL of both databases.
func (t *table) query() string {
	columns := make([]string, len(t.columns))
	for i, column := range t.columns {
		columns[i] = pgx.Identifier{column}.Sanitize()
	}
	return fmt.Sprintf("SELECT %s FROM %s", strings.Join(columns, ", "), t.quoted())
}

func (t *table) quoted() string { return pgx.Identifier{t.name}.Sanitize() }

// scan reads a row of the source, with the heartbeat that waits for it, as PostgreSQL can store it, and
// tells how many texts had to be replaced for that.
func (t *table) scan(rows *sql.Rows, waiting map[int64]beats.Entry) (row []any, replaced int64, err error) {
	row = make([]any, len(t.columns))
	into := make([]any, len(row))
	for i := range row {
		into[i] = &row[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, 0, err
	}
	if t.name == "user_sessions" {
		t.overlay(row, waiting)
	}
	for i, value := range row {
		switch value := value.(type) {
		case int64:
			row[i] = number(value)
		case string:
			if storable := sqldb.StorableText(value); storable != value {
				row[i] = storable
				replaced++
			}
		}
	}
	return row, replaced, nil
}

// overlay has a session's row say what its waiting heartbeat does.
func (t *table) overlay(row []any, waiting map[int64]beats.Entry) {
	at := func(column string) *any { return &row[slices.Index(t.columns, column)] }
	id, _ := (*at("id")).(int64)
	if e, ok := waiting[id]; ok && *at("last_activity_at") == any(e.Base) {
		expires, _ := (*at("expires_at")).(int64)
		*at("last_activity_at"), *at("idle_ms"), *at("expires_at") = e.At, e.Idle, max(expires, e.Expires)
	}
}

// number is an INTEGER of SQLite, for which PostgreSQL has a BIGINT or a BOOLEAN.
type number int64

// Int64Value is asked for where the column is a BIGINT.
func (n number) Int64Value() (pgtype.Int8, error) {
	return pgtype.Int8{Int64: int64(n), Valid: true}, nil
}

// BoolValue is asked for where the column is a BOOLEAN.
func (n number) BoolValue() (pgtype.Bool, error) { return pgtype.Bool{Bool: n == 1, Valid: true}, nil }

// fingerprint stands for a set of rows, in whatever order they are added.
type fingerprint struct {
	rows int64
	sum  big.Int // of their hashes
}

// add adds a row of either database: a truth of PostgreSQL is a number in SQLite.
func (f *fingerprint) add(row []any) {
	for i, value := range row {
		switch value {
		case false:
			row[i] = number(0)
		case true:
			row[i] = number(1)
		}
	}
	hash := sha256.Sum256(fmt.Appendf(nil, "%#v", row)) // Go source: different rows are different texts
	f.sum.Add(&f.sum, new(big.Int).SetBytes(hash[:]))
	f.rows++
}

func (f *fingerprint) equal(other *fingerprint) bool {
	return f.rows == other.rows && f.sum.Cmp(&other.sum) == 0
}
