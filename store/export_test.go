package store

import "time"

// The queries whose plan a test looks at.
const (
	DueQuery     = dueQuery
	ChangesQuery = changesQuery
)

// CountClaimsQuery is what countClaims asks.
func CountClaimsQuery(s *Store, now time.Time) (string, []any) {
	q := s.claimsQuery(s.at(now), OnlineFilter{})
	return q.String(), q.args
}

// BusyQuery is how the list of those who are busy is read.
func BusyQuery(s *Store, now time.Time) (string, []any) {
	order, _ := SortActivity.order()
	q := s.onlineQuery(s.at(now), OnlineFilter{Status: StatusBusy, Limit: 50}, order, nil)
	return q.String(), q.args
}

// SessionsQuery is how the first page of a list of sessions is read.
func SessionsQuery(s *Store, now time.Time, f SessionFilter) (string, []any) {
	q := s.sessionsQuery(s.at(now), f.settled(), nil)
	return q.String(), q.args
}

// Costly tells whether a page waits for a turn.
func (f SessionFilter) Costly() bool { return f.settled().costly() }

// WithBatch makes a copy commit after so many rows.
func (c Copying) WithBatch(rows int) Copying {
	c.batch = rows
	return c
}
