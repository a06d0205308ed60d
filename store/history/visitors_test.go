package history

import (
	"database/sql"
	"os"
	"slices"
	"strings"
	"testing"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// TestTheWalkThroughADayReadsItsOwnPart: what is behind it or before it can be a million sessions.
func TestTheWalkThroughADayReadsItsOwnPart(t *testing.T) {
	schema, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqldb.Open(t.Context(), sqldb.Config{Folder: t.TempDir(), Schema: string(schema)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, v := range []visitors{
		{which: `s.is_active = true`, key: presence.InActivityBlock(`s.last_activity_at`)},
		{which: `s.is_active = false`, key: `s.ended_at`},
	} {
		q := sqldb.NewQuery(`EXPLAIN QUERY PLAN SELECT s.user_id`)
		v.sessions(q)
		v.upTo(q)
		var plan []string
		err := db.Snapshot(t.Context(), func(look *sql.Tx) error {
			return q.Each(t.Context(), look, func(rows *sql.Rows) error {
				var step string
				err := rows.Scan(new(int), new(int), new(int), &step)
				plan = append(plan, step)
				return err
			})
		})
		if err != nil || !slices.ContainsFunc(plan, func(step string) bool {
			return strings.HasPrefix(step, "SEARCH s USING INDEX ") && strings.Contains(step, ">?") && strings.Contains(step, "<?")
		}) {
			t.Errorf("by %s: %q, %v", v.key, plan, err)
		}
	}
}
