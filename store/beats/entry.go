package beats

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"

	"rollcall/store/sqldb"
)

// Table is the log in the database.
const Table = "heartbeat_log"

// Entry is a quiet heartbeat, in unix milliseconds.
type Entry struct {
	Session int64 // id
	Base    int64 // last_activity_at of the row that it is later than
	At      int64 // last activity
	Idle    int64 // age of the last input then
	Expires int64 // when the session ends

	RowExpires int64 // expires_at of the row
}

// Input is when the last input was.
func (e Entry) Input() int64 { return e.At - e.Idle }

// appendEntry adds an entry to a row of the log whose own time is at.
func appendEntry(row []byte, at int64, e Entry) []byte {
	row = binary.BigEndian.AppendUint64(row, uint64(e.Session)) // random: no shorter form of it is
	row = binary.AppendVarint(row, e.At-at)
	row = binary.AppendVarint(row, e.At-e.Base)
	row = binary.AppendVarint(row, e.Idle)
	row = binary.AppendVarint(row, e.Expires-e.At)
	return binary.AppendVarint(row, e.RowExpires-e.Expires+e.At-e.Base) // 0 where each heartbeat moves the end by as much
}

var errTorn = fmt.Errorf("%w: a row of the log of heartbeats breaks off", sqldb.ErrDamaged)

// readEntries calls f with the entries of a row of the log.
func readEntries(row []byte, at int64, f func(Entry)) error {
	for len(row) > 0 {
		if len(row) < 8 {
			return errTorn
		}
		e := Entry{Session: int64(binary.BigEndian.Uint64(row))}
		row = row[8:]
		var numbers [5]int64
		for i := range numbers {
			n, size := binary.Varint(row)
			if size <= 0 {
				return errTorn
			}
			numbers[i], row = n, row[size:]
		}
		e.At = at + numbers[0]
		e.Base, e.Idle, e.Expires = e.At-numbers[1], numbers[2], e.At+numbers[3]
		e.RowExpires = numbers[4] + e.Expires - e.At + e.Base
		f(e)
	}
	return nil
}

// Latest returns the latest entry of each session in a log that nobody has open, by the session's id.
func Latest(ctx context.Context, look *sql.Tx) (map[int64]Entry, error) {
	latest := map[int64]Entry{}
	err := sqldb.Each(ctx, look, func(rows *sql.Rows) error {
		var number, at int64
		var row []byte
		if err := rows.Scan(&number, &at, &row); err != nil {
			return err
		}
		return readEntries(row, at, func(e Entry) { latest[e.Session] = e })
	}, readLog, 0)
	return latest, sqldb.Wrap("reading the log of heartbeats", err)
}
