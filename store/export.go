package store

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/store/sqldb"
)

// Record is a row of what is held on a person, as fields by the names of their
// columns. Times are time.Time, ids text.
type Record map[string]any

// Part is one kind of what is held on a person.
type Part string

// exportBatch bounds how long a reader holds the database.
const exportBatch = 500

type exportPart struct {
	part       Part
	rows, key  string
	integerKey bool
}

// exportParts is what there is about the user $1, by the column in whose order it is
// read. A table is here as a whole, with whatever columns it will have.
var exportParts = []exportPart{
	{"account", `SELECT * FROM accounts WHERE user_id = $1`, "name", false},
	{"totp", `SELECT * FROM totp WHERE user_id = $1`, "created_at", true},
	{"recovery_codes", `SELECT * FROM recovery_codes WHERE user_id = $1`, "number", true},
	{"sessions", `SELECT s.*, ` + agentColumns + ` FROM user_sessions s` + agentJoin + ` WHERE s.user_id = $1`, "id", true},
	{"claims", `SELECT * FROM status_claims WHERE user_id = $1`, "app", false},
	{"notices_seen", `SELECT r.*, n.message FROM notice_receipts r JOIN notices n ON n.id = r.notice_id WHERE r.user_id = $1`, "notice_id", true},
	{"visits", `SELECT * FROM daily_visitors WHERE user_id = $1`, "day", true},
	{"notices_made", `SELECT id, message, level, app, created_at, until, withdrawn_at FROM notices WHERE created_by = 'user:' || $1`, "id", true},
	{"drains", `SELECT id, message, started_at, end_sessions_at FROM drain WHERE started_by = 'user:' || $1`, "id", true},
	{"sessions_ended", `SELECT id, app, ended_at, end_reason, end_note FROM user_sessions WHERE is_active = false AND ended_by = 'user:' || $1 AND user_id <> $1`, "id", true},
	{"audit", `SELECT * FROM audit WHERE actor = 'user:' || $1 OR target = 'user:' || $1`, "id", true},
}

// secret are columns that help nobody but who wants to sign in as the person.
var secret = []string{"token_sha256", "session_key_sha256", "password_hash", "key_sha256", "link_sha256", "secret", "code_sha256", "salt", "content_sha256", "chain_sha256"}

// ExportUser is the row of the user with this key. ErrNotFound for an unknown one.
func (s *Store) ExportUser(ctx context.Context, key string) (Record, error) {
	found, err := s.records(ctx, `
		SELECT u.*, COALESCE(o.name, '') AS organization FROM users u LEFT JOIN organizations o ON o.id = u.organization_id WHERE u.id = $1`, key)
	if err == nil && len(found) == 0 {
		return nil, sqldb.ErrNotFound
	}
	if err != nil {
		return nil, sqldb.Wrap("reading what is held", err)
	}
	found[0]["directory"], found[0]["id"] = SplitUserKey(key)
	return found[0], nil
}

// ExportParts are the parts besides the user's own row.
func ExportParts() (parts []Part) {
	for _, h := range exportParts {
		parts = append(parts, h.part)
	}
	return parts
}

// ExportPart calls f with everything that a part holds on a user, some rows at a time.
// Nothing is held in the database while f works.
func (s *Store) ExportPart(ctx context.Context, key string, part Part, f func([]Record) error) error {
	s.settleUser(ctx, key)
	h := exportParts[slices.IndexFunc(exportParts, func(h exportPart) bool { return h.part == part })]
	for after := any(nil); ; {
		args := []any{key}
		if after != nil {
			args = append(args, after)
		}
		found, err := s.records(ctx, h.page(after != nil), args...)
		if err != nil {
			return sqldb.Wrap("reading what is held", err)
		}
		if err := f(found); err != nil || len(found) < exportBatch {
			return err
		}
		after = h.place(found[len(found)-1])
	}
}

// page is the query of the first rows, or of those behind the key $2.
func (h exportPart) page(further bool) string {
	where := ``
	if further {
		where = ` WHERE ` + h.key + ` > $2`
	}
	return `SELECT * FROM (` + h.rows + `) h` + where + ` ORDER BY ` + h.key + ` LIMIT ` + strconv.Itoa(exportBatch)
}

// place is the key of a record as the database has it.
func (h exportPart) place(last Record) any {
	switch key := last[h.key].(type) {
	case time.Time:
		return key.UnixMilli()
	case string:
		if n, err := strconv.ParseInt(key, 10, 64); err == nil && h.integerKey {
			return n
		}
		return key
	}
	return last[h.key]
}

func (s *Store) records(ctx context.Context, query string, args ...any) (found []Record, err error) {
	rows, err := s.db.Rows(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return sqldb.Collect(rows, scanRecord)
}

func scanRecord(rows *sql.Rows) (Record, error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, dest := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		dest[i] = &values[i]
	}
	if err := rows.Scan(dest...); err != nil {
		return nil, err
	}
	record := Record{}
	for i, column := range columns {
		if !slices.Contains(secret, column) {
			record[column] = readable(column, values[i])
		}
	}
	return record, nil
}

// readable is a value as people and programs elsewhere understand it.
func readable(column string, value any) any {
	n, isInteger := value.(int64)
	switch {
	case !isInteger:
		return value
	case strings.HasSuffix(column, "_at"), column == "at", column == "until", column == "day":
		return sqldb.Time(n)
	case column == "id", strings.HasSuffix(column, "_id"):
		return strconv.FormatInt(n, 10) // it has more digits than a float
	case strings.HasPrefix(column, "is_"):
		return n != 0
	}
	return n
}
