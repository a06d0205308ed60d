package server

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/store/sqldb"
	"rollcall/store/storetest"
)

// contents returns every row of every table of the database that stands for folder.
func contents(t testing.TB, folder string) map[string][]string {
	t.Helper()
	db := storetest.Shell(t, folder)
	defer db.Close()
	tables := map[string][]string{}
	if storetest.Postgres {
		for _, table := range texts(t, db, `SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()`) {
			tables[table] = texts(t, db, `SELECT r::text FROM `+table+` r ORDER BY 1`)
		}
		return tables
	}
	for _, table := range texts(t, db, `SELECT name FROM sqlite_schema WHERE type = 'table'`) {
		columns := texts(t, db, `SELECT 'quote('||name||')' FROM pragma_table_info('`+table+`')`)
		tables[table] = texts(t, db, `SELECT `+strings.Join(columns, `||' '||`)+` FROM `+table+` ORDER BY 1`)
	}
	return tables
}

func texts(t testing.TB, db *sql.DB, query string) (found []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		found = append(found, text)
	}
	return found
}

// stored is all that a database holds, with what was deleted from its files.
func stored(t testing.TB, folder string) string {
	t.Helper()
	var all strings.Builder
	if storetest.Postgres { // whose files are not ours to read
		for _, rows := range contents(t, folder) {
			all.WriteString(strings.Join(rows, "\n"))
		}
		return all.String()
	}
	for _, name := range []string{sqldb.FileName, sqldb.FileName + "-wal"} {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(content)
	}
	return all.String()
}
