// Package layout holds what an SQLite database is made of against a schema. A file may come from anywhere: a backup that
// somebody else had in hand, a folder that others can write to. What SQLite runs by itself, its triggers and checks, is part
// of the file. So none is used whose schema is not ours. It knows nothing of what is in the rows.
package layout

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	_ "modernc.org/sqlite" // for a schema in memory
)

// ErrForeign: somebody has changed what the database does by itself, such as its triggers.
var ErrForeign = errors.New("the database is not laid out as this program does it")

// Check returns ErrForeign where an SQLite database has a trigger that is none of the schema, or lacks
// or changed anything that is. Further tables, views and indexes are nobody's business: no statement names them.
func Check(ctx context.Context, conn *sql.Conn, schema string) error {
	if schema == "" {
		return nil // whoever opens it does not know
	}
	want, err := ofSchema(ctx, schema)
	if err != nil {
		return fmt.Errorf("reading the schema of this program: %w", err)
	}
	got, err := Of(ctx, conn)
	if err != nil {
		return err
	}
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		switch text, there := got[name]; {
		case !there:
			wrong = append(wrong, name+" is missing")
		case text != want[name]:
			wrong = append(wrong, name+" is changed")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ours := want[name]; !ours && strings.HasPrefix(name, "trigger ") {
			wrong = append(wrong, name+" is not ours")
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	const most = 5
	if more := len(wrong) - most; more > 0 {
		wrong = append(wrong[:most], fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%w: %s; whoever changed it may have changed anything: restore a backup that you trust", ErrForeign, strings.Join(wrong, ", "))
}

// ofSchema is the layout of a new database.
func ofSchema(ctx context.Context, schema string) (objects map[string]string, err error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	conn, err := db.Conn(ctx) // each has a database of its own
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, schema); err != nil {
		return nil, err
	}
	return Of(ctx, conn)
}

// Of returns what is in a database, by its kind and name, as the text that made it, without comments and with
// spaces between words only: a table that was made and altered is as one that was made at once.
func Of(ctx context.Context, conn *sql.Conn) (objects map[string]string, err error) {
	rows, err := conn.QueryContext(ctx, `SELECT type || ' ' || quote(name), tbl_name, COALESCE(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	objects = map[string]string{}
	for rows.Next() {
		var name, table, text string
		if err := rows.Scan(&name, &table, &text); err != nil {
			return nil, err
		}
		text = strings.Join(strings.Fields(comment.ReplaceAllString(text, "")), " ")
		objects[name] = "on " + table + ": " + punctuation.ReplaceAllString(text, "$1")
	}
	return objects, rows.Err()
}

var (
	comment     = regexp.MustCompile(`--[^\n]*`)
	punctuation = regexp.MustCompile(` ?([,()]) ?`)
)
