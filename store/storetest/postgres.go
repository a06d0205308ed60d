//go:build postgres

package storetest

import (
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // for Shell

	"rollcall/store"
	"rollcall/store/presence"
)

// Postgres tells whether this build knows PostgreSQL. Then stores are kept there
// unless a test asks for a file.
const Postgres = true

// shared is the server of all tests of a package.
var shared = sync.OnceValues(func() (*Server, error) { return start("-c", "fsync=off", "-c", "full_page_writes=off") })

var (
	schemas  sync.Map // folder -> name of the schema that stands for it
	numbered atomic.Int64
)

// database returns a schema, empty when it is first asked for, of the shared
// server as it is addressed. Each folder has its own.
func database(t testing.TB, folder string) string {
	t.Helper()
	server, err := shared()
	if err != nil {
		t.Fatal("PostgreSQL is needed: ", err)
	}
	name, known := schemas.LoadOrStore(folder, fmt.Sprint("test", numbered.Add(1)))
	if !known {
		admin := server.Open(t, "postgres")
		if _, err := admin.Exec(`CREATE SCHEMA ` + name.(string)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			schemas.Delete(folder)
			admin := server.Open(t, "postgres")
			defer admin.Close()
			if _, err := admin.Exec(`DROP SCHEMA ` + name.(string) + ` CASCADE`); err != nil {
				t.Error(err)
			}
		})
		admin.Close()
	}
	return server.URL(name.(string))
}

// Config says where the database is that stands for folder.
func Config(t testing.TB, folder string) store.Config {
	t.Helper()
	return store.Config{Database: database(t, folder)}
}

// Shell opens the database that stands for folder as psql would.
func Shell(t testing.TB, folder string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", database(t, folder))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Each runs f as a subtest with an empty store of every database in this build.
func Each(t *testing.T, f func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, OpenFile(t, t.TempDir(), presence.DefaultRules())) })
	t.Run("postgres", func(t *testing.T) { f(t, New(t)) })
}
