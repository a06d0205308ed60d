package sqldb

import "time"

// Time is what a column with unix milliseconds says.
func Time(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// OptionalTime is what a column says that may be NULL.
func OptionalTime(ms *int64) *time.Time {
	if ms == nil {
		return nil
	}
	t := Time(*ms)
	return &t
}

// OptionalMillis is a time that may be missing, as a column keeps it.
func OptionalMillis(at *time.Time) *int64 {
	if at == nil {
		return nil
	}
	ms := at.UnixMilli()
	return &ms
}
