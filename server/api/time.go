package api

import (
	"encoding/json"
	"time"

	"rollcall/store/sqldb"
)

const timeFormat = "2006-01-02T15:04:05.000Z"

// Time is an instant as the API writes it: RFC 3339 in UTC, always with three digits of
// milliseconds. It reads any RFC 3339.
type Time struct{ time.Time }

// At is t for an answer.
func At(t time.Time) Time { return Time{t} }

// AtOptional is t for an answer, nil for none.
func AtOptional(t *time.Time) *Time {
	if t == nil {
		return nil
	}
	return &Time{*t}
}

// String is the time as the API writes it.
func (t Time) String() string { return t.UTC().Format(timeFormat) }

func (t Time) append(text []byte) []byte {
	return append(t.UTC().AppendFormat(append(text, '"'), timeFormat), '"')
}

// MarshalJSON writes the time.
func (t Time) MarshalJSON() ([]byte, error) { return t.append(make([]byte, 0, len(timeFormat)+2)), nil }

// UnmarshalJSON reads a time. It refuses others with a sqldb.InvalidError.
func (t *Time) UnmarshalJSON(text []byte) (err error) {
	if string(text) == "null" {
		return nil
	}
	var written string
	if err = json.Unmarshal(text, &written); err == nil {
		t.Time, err = time.Parse(time.RFC3339, written)
	}
	if err != nil {
		return &sqldb.InvalidError{Problem: "a time must be such as 2026-03-02T17:30:00Z"}
	}
	return nil
}

// milliseconds is a length of time, nil for none. One that a clock that was set back has made
// negative is 0.
func milliseconds(d *time.Duration) *int64 {
	if d == nil {
		return nil
	}
	ms := max(d.Milliseconds(), 0)
	return &ms
}

// minutes is how many whole minutes lie between, 0 where the clock was set back.
func minutes(from, to time.Time) int { return int(max(to.Sub(from), 0) / time.Minute) }
