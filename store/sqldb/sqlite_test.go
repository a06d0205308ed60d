package sqldb

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
)

// TestADatabaseIsAsItWasAskedFor reads what a connection that writes has, not what it was told.
func TestADatabaseIsAsItWasAskedFor(t *testing.T) {
	empty := t.TempDir()
	if err := os.WriteFile(filepath.Join(empty, FileName), nil, 0o600); err != nil { // as a crash may leave it
		t.Fatal(err)
	}
	for name, folder := range map[string]string{"made anew": t.TempDir(), "of an empty file": empty} {
		db := openIn(t, folder)
		err := db.BetweenWrites(func(_ context.Context, conn *sql.Conn) error {
			for pragma, want := range map[string]string{
				"page_size": "1024", "journal_mode": "wal", "synchronous": "2", "wal_autocheckpoint": "40000", "foreign_keys": "1", "busy_timeout": "5000", "temp_store": "2",
			} {
				var got string
				if err := conn.QueryRowContext(context.Background(), `PRAGMA `+pragma).Scan(&got); err != nil || got != want {
					t.Errorf("%s: %s is %s, want %s: %v", name, pragma, got, want, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
