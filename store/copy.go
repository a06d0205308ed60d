package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Copying says which SQLite database is copied to which database of PostgreSQL.
type Copying struct {
	Folder   string             // data folder; its lock is the caller's
	Database string             // address; empty, or with what an interrupted Copy of this folder has left
	Progress func(CopyProgress) // called now and then, by whoever called Copy; may be nil

	batch int // rows that share a transaction; 0: copyBatch
}

// CopyProgress is how far a copy is.
type CopyProgress struct {
	Doing CopyStep
	Table string
	Rows  int64 // of the table that are done
	Of    int64
}

// CopyStep is one of the passes that a copy makes over all tables.
type CopyStep string

// The steps, in their order.
const (
	CopyReading   CopyStep = "reading"
	CopyWriting   CopyStep = "copying"
	CopyVerifying CopyStep = "verifying"
)

// Copied is what a copy has come to: all of it is there, and was compared.
type Copied struct {
	Tables   []CopiedTable
	Begun    CopyState
	Replaced int64 // texts with characters that PostgreSQL can not store; they have U+FFFD there
}

// CopiedTable is one table of both databases.
type CopiedTable struct {
	Name string
	Rows int64
}

// CopyState is what a copy found when it began.
type CopyState string

// The states of a database that a copy may go to.
const (
	CopyNew       CopyState = "new"
	CopyResumed   CopyState = "resumed"
	CopyRestarted CopyState = "restarted" // the source has changed since what was there was copied
	CopyComplete  CopyState = "complete"  // it was only compared
)

// Copy copies an SQLite database to PostgreSQL and compares every row. The source
// is not changed. Until all is there and compared, Open refuses the new database
// with ErrUnfinishedCopy; whatever interrupts it, the same Copy again goes on
// where it was. ErrTargetTaken for a database with anything else in it,
// ErrSourceChanged where another program wrote to the source meanwhile, a
// [DifferenceError] where a row is not the same on both sides.
func Copy(ctx context.Context, c Copying) (Copied, error) {
	if !withPostgres { // said here, so that a program without it has nothing of what follows
		return Copied{}, ErrNoPostgres
	}
	e, err := openPostgres(Config{Database: c.Database})
	if err != nil {
		return Copied{}, err
	}
	defer e.close()
	to, err := openTarget(ctx, e)
	if err != nil {
		return Copied{}, err
	}
	defer to.close()
	from, err := openSource(ctx, c.Folder)
	if err != nil {
		return Copied{}, err
	}
	defer from.close()
	return c.run(ctx, from, to)
}

func (c Copying) run(ctx context.Context, from *source, to *target) (Copied, error) {
	if err := to.check(ctx, from); err != nil { // before all of the source is read
		return Copied{}, err
	}
	if err := from.survey(ctx, c.tell); err != nil {
		return Copied{}, wrapErr("reading the source", err)
	}
	begun, err := to.begin(ctx, from)
	if err != nil {
		return Copied{}, err
	}
	done := Copied{Begun: begun}
	for _, t := range from.tables {
		if begun != CopyComplete && t.name != settingsTable { // which came with the beginning
			if err := c.fill(ctx, t, from, to); err != nil {
				return Copied{}, wrapErr("copying "+t.name, err)
			}
		}
		done.Tables = append(done.Tables, CopiedTable{Name: t.name, Rows: t.rows})
		done.Replaced += t.replaced
	}
	err = errors.Join(c.compare(ctx, from, to), from.unchanged(ctx))
	different := errors.Is(err, &DifferenceError{})
	switch {
	case different && begun == CopyComplete:
		return done, fmt.Errorf("the database has a complete copy, but one of the two has been used since: %w", err)
	case different: // what else is there can not be relied on either
		return done, errors.Join(err, to.distrust(ctx))
	case err != nil, begun == CopyComplete:
		return done, err
	}
	return done, to.finish(ctx, from.tables)
}

// copyBatch is how many rows share a transaction.
const copyBatch = 2000

func (c Copying) rowsAtOnce() int { return cmp.Or(c.batch, copyBatch) }

// fill copies the rows of a table that are not in the target yet.
func (c Copying) fill(ctx context.Context, t *table, from *source, to *target) error {
	last, there, err := to.last(ctx, t)
	if err != nil {
		return err
	}
	batch := make([][]any, 0, c.rowsAtOnce())
	flush := func() error {
		if err := to.add(ctx, t, batch); err != nil {
			return err
		}
		there += int64(len(batch))
		batch = batch[:0]
		c.tell(CopyProgress{CopyWriting, t.name, there, t.rows})
		return nil
	}
	for row, err := range from.rows(ctx, t, last) {
		if err != nil {
			return err
		}
		if batch = append(batch, row); len(batch) == cap(batch) {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return flush()
}

func (c Copying) tell(p CopyProgress) {
	if c.Progress != nil {
		c.Progress(p)
	}
}

// parentsFirst orders tables so that each comes after those that it refers to.
func parentsFirst(tables []*table) ([]*table, error) {
	var ordered []*table
	placed := map[string]bool{}
	for len(ordered) < len(tables) {
		before := len(ordered)
		for _, t := range tables {
			ready := !slices.ContainsFunc(t.parents, func(parent string) bool { return parent != t.name && !placed[parent] })
			if ready && !placed[t.name] {
				ordered, placed[t.name] = append(ordered, t), true
			}
		}
		if len(ordered) == before {
			return nil, errors.New("the tables refer to each other in a circle")
		}
	}
	return ordered, nil
}
