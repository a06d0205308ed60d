//go:build postgres

package transfer_test

import (
	"testing"

	. "rollcall/store/storetest"
)

// TestTextsThatPostgreSQLCanNotStoreAreReplaced has them in every kind of column, as
// earlier versions and the sqlite3 shell let them in.
func TestTextsThatPostgreSQLCanNotStoreAreReplaced(t *testing.T) {
	folder, _, _, _ := populated(t, 10)
	db := ShellFile(t, folder, "&_pragma=foreign_keys(1)")
	for _, statement := range []string{
		`INSERT INTO users (id, name, created_at, updated_at) VALUES (char(0) || 'first', 'a' || char(0) || 'b', 1, 1)`,
		`INSERT INTO users (id, name, created_at, updated_at) VALUES (CAST(x'80ff21' AS TEXT), '', 1, 1)`,
		`INSERT INTO status_claims (user_id, app, status, created_at) VALUES (char(0) || 'first', '', 'busy', 1)`,
		`UPDATE user_sessions SET page = CAST(x'2f80' AS TEXT) WHERE user_id = 'user1'`,
	} {
		ExecSQL(t, db, statement)
	}
	// The triggers of SQLite have noted the claim and the page: two more texts in changes, of which one is clean.
	target, done := copied(t, folder)
	if done.Replaced != 6 {
		t.Fatalf("%+v", done)
	}
	for _, query := range []string{
		`SELECT COUNT(*) FROM users WHERE id = U&'\FFFDfirst' AND name = U&'a\FFFDb'`,
		`SELECT COUNT(*) FROM users WHERE id = U&'\FFFD!'`,
		`SELECT COUNT(*) FROM status_claims WHERE user_id = U&'\FFFDfirst'`,
		`SELECT COUNT(*) FROM user_sessions WHERE page = U&'/\FFFD' AND user_id = 'user1'`,
	} {
		if n := Number(t, Shell(t, target), query); n != 1 {
			t.Errorf("%s: %d", query, n)
		}
	}
}
