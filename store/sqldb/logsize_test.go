package sqldb

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTheLogIsBoundedWhileSomebodyAlwaysReads(t *testing.T) {
	folder := t.TempDir()
	db := openIn(t, folder)
	log := db.engine.log
	err := db.BetweenWrites(func(context.Context, *sql.Conn) error {
		log.most, log.measured = 64<<10, time.Time{}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	reading, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	defer readers.Wait()
	defer stop()
	for range 2 {
		readers.Go(func() {
			for reading.Err() == nil {
				_ = db.Snapshot(reading, func(look *sql.Tx) error {
					var n int
					return look.QueryRowContext(reading, `SELECT COUNT(*) FROM organizations`).Scan(&n)
				})
			}
		})
	}
	largest, text := int64(0), string(bytes.Repeat([]byte("x"), 4000))
	for i := range 100 {
		err := db.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec(`INSERT INTO organizations (id, name, created_at) VALUES ($1, $2, 0)`, i+1, text[:3990]+string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676)))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(log.path)
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, info.Size())
	}
	if largest > 4*log.most {
		t.Errorf("the log has grown to %d KiB, of which it is to be folded at %d", largest>>10, log.most>>10)
	}
}

func TestALogThatSomebodyHoldsIsTold(t *testing.T) {
	folder := t.TempDir()
	db := openIn(t, folder)
	held := func() bool {
		usage, err := db.Usage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return usage.LogHeld > 0
	}
	err := db.BetweenWrites(func(context.Context, *sql.Conn) error {
		db.engine.log.most, db.engine.log.measured = 16<<10, time.Time{}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	id, text := 0, strings.Repeat("x", 4000)
	write := func() {
		id++
		err := db.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec(`INSERT INTO organizations (id, name, created_at) VALUES ($1, $2, 0)`, id, fmt.Sprint(text, id))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	write()
	err = db.Snapshot(t.Context(), func(look *sql.Tx) error {
		var n int
		if err := look.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM organizations`).Scan(&n); err != nil {
			return err
		}
		for id < 100 && !held() {
			write()
		}
		if !held() {
			t.Error("while somebody holds it, it is not told")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.BetweenWrites(func(context.Context, *sql.Conn) error {
		db.engine.log.busy = time.Time{} // which is to be over before it is tried again
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	write()
	write() // once it is committed the one before has been followed by a look at the log
	if held() {
		t.Error("nobody holds it any more, and it is told")
	}
}

func TestAFullLogMakesRoomForTheNextWrite(t *testing.T) {
	db := open(t)
	log := db.engine.log
	write := func(id int) error { return db.Do(t.Context(), adds(t.Context(), id, nil)) }
	for id := range 50 {
		if err := write(id + 1); err != nil {
			t.Fatal(err)
		}
	}
	tries := 0
	err := db.Do(t.Context(), &Job{Run: func(tx *Tx) error {
		if tries++; tries == 1 {
			tx.dbErr = ErrFull // as of a statement that met a full disk
			return ErrFull
		}
		return nil
	}})
	if err != nil || tries != 2 {
		t.Errorf("after %d tries: %v", tries, err)
	}
	if info, err := os.Stat(log.path); err != nil || info.Size() > 8<<10 {
		t.Errorf("the log was not cut: %v, %v", info.Size(), err)
	}
}

func TestAFileIsWholeByItselfWhenNobodyWrites(t *testing.T) {
	folder := t.TempDir()
	db := openIn(t, folder)
	if err := db.Do(t.Context(), adds(t.Context(), 1, nil)); err != nil {
		t.Fatal(err)
	}
	err := db.BetweenWrites(func(_ context.Context, conn *sql.Conn) error {
		db.engine.log.fold(conn, 1) // a commit of long ago
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(folder + "/" + FileName)
	if err != nil {
		t.Fatal(err)
	}
	alone := t.TempDir()
	if err := os.WriteFile(alone+"/"+FileName, file, 0o600); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := openIn(t, alone).Scan(t.Context(), []any{&n}, `SELECT COUNT(*) FROM organizations`); err != nil || n != 1 {
		t.Errorf("a copy of the file alone holds %d of 1 rows: %v", n, err)
	}
}

func TestTheLogIsCopiedInPartsWhileNobodyWaits(t *testing.T) {
	folder := t.TempDir()
	db := openIn(t, folder)
	size := func() int64 {
		info, err := os.Stat(folder + "/" + FileName)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	text := strings.Repeat("x", 3900)
	for i := range int64(copyAt / 1000) { // each takes four pages at least, which are twice as much as is to be copied
		before := size()
		err := db.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec(`INSERT INTO organizations (id, name, created_at) VALUES ($1, $2, 0)`, i+1, fmt.Sprint(i, text))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if before > copyAt/2 {
			return
		}
	}
	t.Errorf("of %d MB nothing is in the database, which has %d KB", 4*copyAt>>20, size()>>10)
}
