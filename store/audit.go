package store

import (
	"context"
	"time"
)

// Deed is something that somebody did and that others may want to know of.
type Deed struct {
	Actor  string // user:ID, key:ID:APP, ActorCLI or ActorSystem
	Action string // what was done to what, such as session.revoke
	Target string // user:ID, session:ID, key:ID, ...; "" where the action says it
	Detail string
}

// Actors without an id.
const (
	ActorCLI    = "cli"    // the command line on the data folder
	ActorSystem = "system" // the program by itself
)

// Record adds to the audit log what changes nothing in the database.
func (s *Store) Record(ctx context.Context, now time.Time, d Deed) error {
	return s.write(ctx, func(t *tx) error { return t.record(now, d) })
}

// record adds a deed to the audit log, in the transaction that does it.
func (t *tx) record(now time.Time, d Deed) error {
	_, err := t.exec(`INSERT INTO audit (at, actor, action, target, detail) VALUES ($1, $2, $3, $4, $5)`,
		millis(now), d.Actor, d.Action, d.Target, d.Detail)
	return fail("writing the audit log", err)
}
