// Package transfer copies a data folder's SQLite database to PostgreSQL.
//
// It knows tables, rows and columns, as the databases describe them, and nothing
// of what they mean. Everything happens in one transaction of PostgreSQL, the
// comparison included: whatever interrupts a copy, nothing of it is left.
package transfer

import (
	"errors"
	"fmt"
)

// Options says which data folder is copied to which database.
type Options struct {
	Folder   string         // its lock is the caller's
	Database string         // address of an empty PostgreSQL database
	Progress func(Progress) // called now and then, by one goroutine at a time; may be nil
}

// Progress is how far a copy is.
type Progress struct {
	Step  Step
	Table string
	Rows  int64 // of the table that are done
	Of    int64
}

// Step is one of the passes that a copy makes over all tables.
type Step string

// The steps, in their order.
const (
	Copying   Step = "copying"
	Verifying Step = "verifying"
)

// Result is what was copied: all of it is committed, and was compared before.
type Result struct {
	Tables   []Table
	Replaced int64 // texts with characters that PostgreSQL can not store; they have U+FFFD there
}

// Table is one table of both databases.
type Table struct {
	Name string
	Rows int64
}

var (
	// ErrTargetTaken: the database is not empty.
	ErrTargetTaken = errors.New("this is no database to copy to")

	// ErrCommitUnknown: the connection was lost while the copy was committed. All
	// of it is in the database or nothing.
	ErrCommitUnknown = errors.New("the connection was lost during the commit, so the copy is complete or not there at all; " +
		"run the same command again: it says so if the database has it, and else copies")
)

// DifferenceError: what PostgreSQL has of a table is not what SQLite has. Nothing
// was committed.
type DifferenceError struct {
	Table        string
	Source, Copy int64 // rows
}

func (e *DifferenceError) Error() string {
	return fmt.Sprintf("%s is not the same in both databases: %d rows in the source, %d in the copy, and not all alike", e.Table, e.Source, e.Copy)
}
