package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestADamagedFileIsToldFromADiskThatFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	if err := os.WriteFile(path, make([]byte, 8<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", DSN(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.ExecContext(context.Background(), `CREATE TABLE t (x)`)
	if err = Wrap("writing", err); !errors.Is(err, ErrDamaged) || !errors.Is(err, ErrBroken) {
		t.Errorf("of a file that is no database: %v", err)
	}
}
