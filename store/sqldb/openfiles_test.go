package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// replacing puts another database in the place of one at the worst moment: after a look at its
// files, and before it is opened.
type replacing struct {
	driver.Connector
	by, path string
}

func (r replacing) Connect(ctx context.Context) (driver.Conn, error) {
	if err := os.Rename(r.by, r.path); err != nil {
		return nil, err
	}
	return r.Connector.Connect(ctx)
}

// TestADatabaseThatIsPutInTheWayOfAConnectionIsNotTouched holds what nobody sees who looks at the
// files only before a connection is opened: the connection would read one database by the log of
// another, and fold that into it when it is closed.
func TestADatabaseThatIsPutInTheWayOfAConnectionIsNotTouched(t *testing.T) {
	db, backup := open(t), filepath.Join(t.TempDir(), "backup.db")
	for id := range 50 {
		if err := db.Do(t.Context(), adds(t.Context(), id, nil)); err != nil {
			t.Fatal(err)
		}
		if id == 25 {
			err := db.BetweenWrites(func(ctx context.Context, conn *sql.Conn) error {
				_, err := conn.ExecContext(ctx, `VACUUM INTO ?`, backup)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	files := db.engine.files
	to, err := files.connector("query_only(1)", "cache_size(-8192)")
	if err != nil {
		t.Fatal(err)
	}
	to.Connector = replacing{to.Connector, backup, files.path}
	pool := sql.OpenDB(to)
	if err := pool.PingContext(t.Context()); !errors.Is(err, ErrBroken) {
		t.Errorf("a connection to another database is %v", err)
	}
	if err := errors.Join(pool.Close(), db.Close()); err != nil && !errors.Is(err, ErrBroken) {
		t.Error(err)
	}
	if err := VerifyFile(t.Context(), files.path); err != nil {
		t.Error(err)
	}
}
