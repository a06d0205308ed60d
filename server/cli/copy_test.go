//go:build postgres

package cli_test

import (
	"database/sql"
	"errors"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/storetest"
)

// TestACopyThatIsKilledGoesOn kills copies at any point. Nobody serves what they
// leave, and the last one goes on from it.
func TestACopyThatIsKilledGoesOn(t *testing.T) {
	const kills, most = 8, 40
	folder := t.TempDir()
	withEverything(t, folder)
	seed := rand.Uint64()
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	target := storetest.Config(t, t.TempDir()).Database
	took := copyTakes(t, folder, target)
	begun := map[string]int{}
	target = storetest.Config(t, t.TempDir()).Database
	for kill := 0; kill < kills || begun["unfinished"] == 0 && kill < most; kill++ {
		cmd := command(t, "copy", "--from", folder, "--to", target)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(random.Int64N(int64(took))), func() { _ = cmd.Process.Kill() })
		killed := cmd.Wait() != nil
		timer.Stop()
		state := stateOf(t, target)
		begun[state]++
		if !killed && state != "complete" {
			t.Fatalf("after kill %d it was complete, and is %s", kill, state)
		}
		if state == "complete" { // another one
			copyTakes(t, folder, target)
			target = storetest.Config(t, t.TempDir()).Database
		}
	}
	t.Log("after kills:", begun)
	if begun["unfinished"] == 0 {
		t.Error("no copy was killed half-way")
	}
	copyTakes(t, folder, target)
	if state := stateOf(t, target); state != "complete" {
		t.Error("in the end it is", state)
	}
}

// withEverything makes a database in folder with rows in every table, and in some
// of them more than a transaction has.
func withEverything(t *testing.T, folder string) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: folder, Schema: storetest.Schema(t)})
	if err != nil {
		t.Fatal(err)
	}
	storetest.Everything(t, s, 15)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := storetest.ShellFile(t, folder, "").ExecContext(t.Context(), `
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 7000)
		INSERT INTO users (id, created_at, updated_at) SELECT 'many' || i, 1, 1 FROM n;
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 7000)
		INSERT INTO user_sessions (id, user_id, app, token_sha256, last_activity_at, created_at, expires_at)
		SELECT i, 'many' || i, 'shop', randomblob(32), i, 1, i + 1 FROM n`); err != nil {
		t.Fatal(err)
	}
}

// copyTakes copies folder without a kill and returns how long that took.
func copyTakes(t *testing.T, folder, target string) time.Duration {
	t.Helper()
	began := time.Now()
	said, err := command(t, "copy", "--from", folder, "--to", target).CombinedOutput()
	if err != nil || !strings.Contains(string(said), "complete") {
		t.Fatalf("%v\n%s", err, said)
	}
	return time.Since(began)
}

// stateOf tells what a server that is to serve a database says: that it is
// "complete", "unfinished" or, before anything is in it, "empty".
func stateOf(t *testing.T, target string) string {
	t.Helper()
	db, err := sql.Open("pgx", target)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var tables, off int
	if err := db.QueryRowContext(t.Context(), `
		SELECT (SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()),
		       (SELECT COUNT(*) FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
		         WHERE NOT tgisinternal AND tgenabled <> 'O' AND c.relnamespace = current_schema()::regnamespace)`).Scan(&tables, &off); err != nil {
		t.Fatal(err)
	}
	if off > 0 {
		t.Errorf("%d triggers are off", off)
	}
	if tables == 0 {
		return "empty"
	}
	said, err := command(t, "account", "list", "--database", target).CombinedOutput()
	refused, failed := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil && strings.Contains(string(said), "root"):
		return "complete"
	case failed && refused.ExitCode() == 1 && strings.Contains(string(said), "the copy to this database is unfinished"):
		return "unfinished"
	}
	t.Fatalf("%v: %s", err, said)
	return ""
}
