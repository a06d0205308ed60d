package beats

import (
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// BenchmarkOpen takes up the log that a million sessions leave, which beat once a minute, as after a kill:
//
//	go test ./store/beats -run XXX -bench Open -benchtime 5x
func BenchmarkOpen(b *testing.B) {
	schema, err := os.ReadFile("../../schema.sql")
	if err != nil {
		b.Fatal(err)
	}
	folder := b.TempDir()
	db, err := sqldb.Open(b.Context(), sqldb.Config{Folder: folder, Schema: string(schema)})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := db.Write(b.Context(), fillLog); err != nil {
		b.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	for range b.N {
		l, err := Open(b.Context(), db, presence.DefaultRules())
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		if n, _ := l.Waiting(); n != 1_000_000 {
			b.Fatalf("%d wait", n)
		}
		b.ReportMetric(float64(after.HeapInuse-before.HeapInuse)/1e6, "MB")
		b.StartTimer()
	}
}

// fillLog logs a minute of a million sessions, 100 in a row.
func fillLog(t *sqldb.Tx) error {
	const rows, each = 10_000, 100
	random := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC).UnixMilli()
	for number := range rows {
		at := start + int64(number)*time.Minute.Milliseconds()/rows
		var row []byte
		for range each {
			row = appendEntry(row, at, Entry{Session: random.Int64(), Base: at - time.Minute.Milliseconds(), At: at, Idle: 1200, Expires: at + 24*time.Hour.Milliseconds()})
		}
		if _, err := t.Exec(`INSERT INTO heartbeat_log (number, at, beats) VALUES ($1, $2, $3)`, number+1, at, row); err != nil {
			return err
		}
	}
	return nil
}
