package store

import (
	"context"
	"database/sql"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// GateQuestion says whose presence matters to whoever deploys. Without an App
// that is everybody but who is in the panel only.
type GateQuestion struct {
	App        string
	IgnoreRole string // people of this role do not count, in any case of letters
	Max        int    // how many active people may be disturbed

	IgnoreUnidentified bool // who is on no record does not count
}

// Gate is the answer at one instant, with who is in the way.
type Gate struct {
	Level    presence.GateLevel
	Counts   presence.Counts
	Blocking []OnlinePerson // busy people first, then active, then idle ones; at most MaxBlocking

	StillThere   []StillThere   // at most MaxBlocking
	Unidentified []Unidentified // likewise

	NeverReported bool // nobody has ever been reported to be logged in to the app that is asked about
}

// MaxBlocking is how many people a gate names.
const MaxBlocking = 100

// Gate answers the question as of now. Unlike those of a list its counts are
// never from before: somebody is about to act on them. It does not wait for the
// questions of others, however much they ask; only where many are asked about other
// apps and roles it may return sqldb.ErrBusy after some seconds. What it returns is shared by many
// callers and must not be changed.
func (s *Store) Gate(ctx context.Context, now time.Time, ask GateQuestion) (Gate, error) {
	gate, err := s.gates.ask(ctx, now, ask)
	return gate, sqldb.Wrap("asking the gate", err)
}

func (s *Store) findGate(ctx context.Context, now time.Time, ask GateQuestion) (gate Gate, err error) {
	err = s.snapshot(ctx, now, func(look *sql.Tx, m presence.Cutoffs) (err error) {
		gate, err = s.gate(ctx, look, m, ask)
		return err
	})
	return gate, err
}

// gate finds all but the level, which depends on who asks.
func (s *Store) gate(ctx context.Context, look *sql.Tx, m presence.Cutoffs, ask GateQuestion) (Gate, error) {
	var err error
	gate := Gate{Blocking: []OnlinePerson{}}
	filter := OnlineFilter{App: ask.App, ExceptRole: ask.IgnoreRole}
	if gate.Counts, err = s.countIn(ctx, look, m, filter); err != nil {
		return Gate{}, sqldb.Wrap("counting who is in the way", err)
	}
	for _, filter.Status = range []presence.Status{presence.StatusBusy, presence.StatusAvailable, presence.StatusAway} {
		if filter.Limit = MaxBlocking - len(gate.Blocking); filter.Limit == 0 || gate.Counts.Of(filter.Status).People() == 0 {
			continue
		}
		some, err := s.peopleIn(ctx, look, m, filter)
		if err != nil {
			return Gate{}, sqldb.Wrap("listing who is in the way", err)
		}
		gate.Blocking = append(gate.Blocking, some...)
	}
	if gate.Counts.StillThere > 0 {
		filter.Status, filter.Limit = "", MaxBlocking
		if gate.StillThere, err = s.stillThere(ctx, look, m, filter); err != nil {
			return Gate{}, err
		}
	}
	if gate.Counts.Unidentified > 0 {
		if gate.Unidentified, err = unidentified(ctx, look, m, ask.App); err != nil {
			return Gate{}, err
		}
	}
	if ask.App != "" && gate.Counts.People() == 0 {
		err = look.QueryRowContext(ctx, neverReported, ask.App).Scan(&gate.NeverReported)
	}
	return gate, sqldb.Wrap("finding out whether an app reports its people", err)
}

// neverReported is whether neither a session nor the history has anything of an app.
const neverReported = `SELECT NOT EXISTS (SELECT 1 FROM user_sessions WHERE app = $1)
	AND NOT EXISTS (SELECT 1 FROM activity_samples WHERE organization_id = 0 AND app = $1)`

// peopleIn lists the first people that match, the most recent first.
func (s *Store) peopleIn(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f OnlineFilter) ([]OnlinePerson, error) {
	var page OnlinePage
	if err := s.listByActivity(ctx, look, m, f, nil, &page); err != nil {
		return nil, err
	}
	err := s.addPresence(ctx, look, m, f.App, page.People)
	f.sort(page.People)
	return page.People, err
}
