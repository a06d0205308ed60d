package sqldb

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAReserveIsKeptWhereItIsAskedFor(t *testing.T) {
	schema, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{"by a server": reserveBytes, "by a command": 0} {
		folder := t.TempDir()
		db, err := Open(t.Context(), Config{Folder: folder, Schema: string(schema), Reserve: want > 0})
		if err != nil {
			t.Fatal(err)
		}
		db.KeepReserve()
		info, err := os.Stat(filepath.Join(folder, reserveName))
		if got := err == nil && info.Size() == want; got != (want > 0) {
			t.Errorf("%s: %v, %v", name, info, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAReserveThatWasTakenInPartIsMadeWhole(t *testing.T) {
	r := reserveIn(t.TempDir())
	if r.release() {
		t.Error("there is one")
	}
	for range 2 {
		r.keep()
		if info, err := os.Stat(r.path); err != nil || info.Size() != reserveBytes {
			t.Fatalf("%v, %v", info, err)
		}
		if err := os.Truncate(r.path, 4<<10); err != nil {
			t.Fatal(err)
		}
	}
	if !r.release() {
		t.Error("it is not released")
	}
}
