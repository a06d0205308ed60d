package cli_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/backup"
	"rollcall/store/sqldb"
	"rollcall/store/storetest"
)

// TestARestoreThatIsKilledLeavesTheOldOrTheNew kills a restore at any point.
func TestARestoreThatIsKilledLeavesTheOldOrTheNew(t *testing.T) {
	const kills = 30
	file, took := filepath.Join(t.TempDir(), "file.db"), time.Duration(0)
	data := t.TempDir()
	withUser(t, data, "new", func(*store.Store) error { return backup.Write(t.Context(), data, file) })
	seed := rand.Uint64()
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	outcomes := map[string]int{}
	for kill := range kills {
		folder := t.TempDir()
		withUser(t, folder, "old", nil)
		cmd := command(t, "restore", file, "--data", folder)
		began := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		aside := func() []string {
			found, _ := filepath.Glob(filepath.Join(folder, sqldb.FileName+".before-restore-*"))
			return found
		}
		switch {
		case kill == 0: // to know how long it takes
		case kill%2 == 0:
			timer := time.AfterFunc(time.Duration(random.Int64N(int64(took))), func() { _ = cmd.Process.Kill() })
			defer timer.Stop()
		default: // just before the new one takes its place
			for began := time.Now(); len(aside()) == 0 && time.Since(began) < patience; {
				continue
			}
			_ = cmd.Process.Kill()
		}
		_ = cmd.Wait() // mostly killed
		took = max(took, time.Since(began))
		outcome := userOf(t, folder)
		outcomes[outcome]++
		switch {
		case outcome != "old" && outcome != "new" || kill == 0 && outcome != "new":
			t.Errorf("after kill %d somebody called %q is logged in", kill, outcome)
		case outcome == "new" && len(aside()) != 1:
			t.Errorf("after kill %d the old one is in %v", kill, aside())
		}
	}
	t.Log(outcomes)
}

// withUser makes a database in folder in which one user is logged in.
func withUser(t *testing.T, folder, user string, then func(*store.Store) error) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: folder, Schema: storetest.Schema(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Login(t.Context(), time.Now(), store.By{App: "shop"}, store.Login{User: store.UserInput{ID: user}}); err != nil {
		t.Fatal(err)
	}
	if then != nil {
		if err := then(s); err != nil {
			t.Fatal(err)
		}
	}
}

// userOf returns who is online by the database in folder, after a look at all of it.
func userOf(t *testing.T, folder string) (users string) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: folder, Schema: storetest.Schema(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := backup.Write(t.Context(), folder, filepath.Join(t.TempDir(), "verified.db")); err != nil {
		t.Error(err)
	}
	page, err := s.Online(t.Context(), time.Now(), store.OnlineFilter{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range page.People {
		users += p.ID
	}
	return users
}

// command is `rollcall ARGS`.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("rollcall")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := filepath.Abs("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), schemaVariable+"="+schema)
	return cmd
}
