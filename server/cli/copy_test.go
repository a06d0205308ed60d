//go:build postgres

package cli_test

import (
	"database/sql"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/storetest"
)

// TestACopyThatIsKilledStartsAgain kills copies at any point. The database is empty
// then or, where that was after the commit, complete; the same command goes through.
func TestACopyThatIsKilledStartsAgain(t *testing.T) {
	const kills, most = 8, 40
	folder := t.TempDir()
	withEverything(t, folder)
	seed := rand.Uint64()
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	target := storetest.Config(t, t.TempDir()).Database
	took := copyTakes(t, folder, target)
	left := map[string]int{}
	target = storetest.Config(t, t.TempDir()).Database
	for kill := 0; kill < kills || left["empty"] == 0 && kill < most; kill++ {
		cmd := command(t, "copy", "--from", folder, "--to", target)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(random.Int64N(int64(took))), func() { _ = cmd.Process.Kill() })
		killed := cmd.Wait() != nil
		timer.Stop()
		state := stateOf(t, target)
		left[state]++
		if !killed && state != "complete" {
			t.Fatalf("copy %d was not killed, and the database is %s", kill, state)
		}
		if state == "complete" {
			target = storetest.Config(t, t.TempDir()).Database
		}
	}
	t.Log("after kills:", left)
	if left["empty"] == 0 {
		t.Error("no copy was killed half-way")
	}
	copyTakes(t, folder, target)
	if state := stateOf(t, target); state != "complete" {
		t.Error("in the end it is", state)
	}
}

func TestACopyIsReportedInJSON(t *testing.T) {
	folder := t.TempDir()
	withEverything(t, folder)
	said, err := command(t, "copy", "--json", "--from", folder, "--to", storetest.Config(t, t.TempDir()).Database).Output()
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Tables []struct {
			Name string
			Rows int64
		}
		Rows int64
	}
	if err := json.Unmarshal(said, &report); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	rows := map[string]int64{}
	for _, table := range report.Tables {
		rows[table.Name] = table.Rows
		report.Rows -= table.Rows
	}
	if rows["user_sessions"] < 7000 || report.Rows != 0 {
		t.Errorf("%s", said)
	}
}

// withEverything makes a database in folder with rows in every table, and in some
// of them thousands.
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

// stateOf tells whether a database is "empty" or a server can serve it: "complete".
func stateOf(t *testing.T, target string) string {
	t.Helper()
	db, err := sql.Open("pgx", target)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var tables int
	if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()`).Scan(&tables); err != nil {
		t.Fatal(err)
	}
	if tables == 0 {
		return "empty"
	}
	said, err := command(t, "account", "list", "--database", target).CombinedOutput()
	if err != nil || !strings.Contains(string(said), "root") {
		t.Fatalf("%v: %s", err, said)
	}
	return "complete"
}
