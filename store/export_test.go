package store

// The queries whose plan a test looks at.
const (
	DueQuery     = dueQuery
	ChangesQuery = changesQuery
)
