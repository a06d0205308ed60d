package doctor

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"rollcall/store/sqldb"
)

func TestALogThatIsHeldForLongIsAFinding(t *testing.T) {
	for name, c := range map[string]struct {
		held time.Duration
		want string
	}{
		"it is not held":      {0, "ok SQLite's log takes 90 MB"},
		"by a backup, say":    {heldLong - time.Second, "ok SQLite's log takes 90 MB"},
		"by what never ended": {heldLong, "warning SQLite's log takes 90 MB and can not be cut fuser -v /srv/data/rollcall.db"},
	} {
		f := heldLogFinding(sqldb.Usage{Log: 90 << 20, LogHeld: c.held}, "/srv/data")
		got := string(f.State) + " " + f.Words
		for _, part := range f.Paste {
			got += " " + part
		}
		if got != c.want || (f.Fix == "") != (f.State == "ok") {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestALogWithoutAServerIsJudgedByItsSize(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, sqldb.FileName)
	for size, want := range map[int64]string{
		-1:                 "ok SQLite's log takes 0 MB",
		sqldb.LargeLog:     "ok SQLite's log takes 160 MB",
		sqldb.LargeLog + 1: "warning SQLite's log takes 160 MB and can not be cut",
	} {
		_ = os.Remove(path + "-wal")
		if size >= 0 {
			if err := os.WriteFile(path+"-wal", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path+"-wal", size); err != nil {
				t.Fatal(err)
			}
		}
		if f := logFinding(path, folder); string(f.State)+" "+f.Words != want {
			t.Errorf("of %d bytes: %s %s", size, f.State, f.Words)
		}
	}
}
