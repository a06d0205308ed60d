//go:build postgres

package server

import (
	"context"
	"testing"

	"rollcall/store/storetest"
)

// TestATroubleOfPostgreSQLHasTwoLinesInTheLog has its server refuse logins, each time for another reason.
func TestATroubleOfPostgreSQLHasTwoLinesInTheLog(t *testing.T) {
	for name, test := range map[string]struct {
		begins, ends string
		trouble      func(t *testing.T, server *storetest.Server) (over func())
	}{
		"its disk is full": {"the disk is full", "there is room on the disk again", func(t *testing.T, server *storetest.Server) func() {
			db := server.Open(t, "public")
			storetest.ExecSQL(t, db, `CREATE FUNCTION full_disk() RETURNS TRIGGER LANGUAGE plpgsql AS $$
				BEGIN RAISE EXCEPTION 'could not extend file "base/5/16384": No space left on device' USING ERRCODE = 'disk_full'; END $$`)
			storetest.ExecSQL(t, db, `CREATE TRIGGER full_disk BEFORE INSERT ON user_sessions EXECUTE FUNCTION full_disk()`)
			return func() { storetest.ExecSQL(t, db, `DROP TRIGGER full_disk ON user_sessions`); db.Close() }
		}},
		"another keeps the turn": {"the database is too busy", "the database keeps up again", func(t *testing.T, server *storetest.Server) func() {
			db := server.Open(t, "public")
			kept, err := db.BeginTx(context.Background(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := kept.Exec(`LOCK TABLE drain IN EXCLUSIVE MODE`); err != nil {
				t.Fatal(err)
			}
			return func() { _ = kept.Rollback(); db.Close() }
		}},
		"it is away": {"the database is out of reach", "the database is back", func(t *testing.T, server *storetest.Server) func() {
			server.Stop()
			return func() {
				if err := server.Start(); err != nil {
					t.Fatal(err)
				}
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			server := storetest.NewServer(t)
			s := replica(t, server.URL("public")+"&lock_timeout=200")
			key := s.key(t, "shop", "sessions")
			s.person(t, key, "ada")
			over := test.trouble(t, server)
			s.refusedLogins(t, key)
			over()
			eventually(t, "it is over", patient, func() bool { return len(s.failures()) == 2 })
			s.person(t, key, "bob")
			s.hadOneTrouble(t, test.begins, test.ends)
		})
	}
}
