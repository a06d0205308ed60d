package store

import (
	"context"
	"database/sql"
	"hash/maphash"
	"slices"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// findCounts counts people, not sessions. It is for a cache, which has its turn to read.
func (s *Store) findCounts(ctx context.Context, now time.Time, f OnlineFilter) (c presence.Counts, err error) {
	if s.roster.serves(ctx) {
		return s.countInSteps(sqldb.WithOwnTurn(ctx), now, f)
	}
	err = s.snapshot(ctx, now, func(look *sql.Tx, m presence.Cutoffs) (err error) {
		c, err = s.countIn(ctx, look, m, f)
		return err
	})
	return c, err
}

// countIn counts as of one instant.
func (s *Store) countIn(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f OnlineFilter) (presence.Counts, error) {
	seen := census{seed: maphash.MakeSeed()}
	err := s.censusQuery(f).And(presence.OnlineRule("s"), m.Bounds()...).Each(ctx, look, seen.add)
	if err != nil {
		return presence.Counts{}, err
	}
	return s.countRest(ctx, look, m, f, seen.counts())
}

// censusQuery finds the sessions of those who match.
func (s *Store) censusQuery(f OnlineFilter) *sqldb.Query {
	q := sqldb.NewQuery(`SELECT s.user_id, s.idle_ms >= ? FROM user_sessions s`, s.rules.IdleAfter.Milliseconds())
	if f.aboutUsers() {
		q.Add(userJoins)
	}
	q.Add(` WHERE true`)
	f.where(q)
	return q
}

// census tells apart the people whose sessions it is shown: in half the time in which SQL does, and without its
// temporary tables.
type census struct {
	seed   maphash.Seed
	people []uint64 // a hash of each; of those of one person, a session that is not idle comes first
}

const idleBit = 1

func (c *census) add(rows *sql.Rows) error {
	var key sql.RawBytes
	var idle bool
	err := rows.Scan(&key, &idle)
	person := maphash.Bytes(c.seed, key) &^ idleBit
	if idle {
		person |= idleBit
	}
	c.people = append(c.people, person)
	return err
}

// counts counts people as available or away.
func (c *census) counts() (n presence.Counts) {
	slices.Sort(c.people)
	for _, p := range slices.CompactFunc(c.people, func(a, b uint64) bool { return a|idleBit == b|idleBit }) {
		if p&idleBit == 0 {
			n.Available++
		} else {
			n.Away++
		}
	}
	return n
}

// countRest adds to counts that were made from sessions alone what claims say, and who is hidden.
func (s *Store) countRest(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f OnlineFilter, c presence.Counts) (presence.Counts, error) {
	err := s.countClaims(ctx, look, m, f, &c)
	if err == nil && f.Status == "" {
		c.StillThere, c.Unidentified, err = countHidden(ctx, look, m, f)
	}
	return c.Of(f.Status), err
}

// countInSteps is countIn for very many people. Who comes or leaves meanwhile may be counted or not; that somebody is
// there is certain.
func (s *Store) countInSteps(ctx context.Context, now time.Time, f OnlineFilter) (c presence.Counts, err error) {
	s.settle(ctx, now)
	m := s.at(now)
	ids, err := s.recentSessions(ctx, m)
	if err != nil {
		return c, err
	}
	seen := census{people: make([]uint64, 0, len(ids)), seed: maphash.MakeSeed()}
	err = s.eachOf(ctx, ids, m, func() *sqldb.Query { return s.censusQuery(f) }, seen.add)
	if err != nil {
		return c, err
	}
	c = seen.counts()
	err = s.db.Snapshot(ctx, func(look *sql.Tx) error {
		if c.People() == 0 { // who was about to be read may have come back by another session
			c, err = s.countIn(ctx, look, s.at(now), f)
		} else if c, err = s.countRest(ctx, look, m, f, c); err == nil {
			c.Available, c.Away = max(c.Available, 0), max(c.Away, 0) // who claims something may have come meanwhile
		}
		return err
	})
	return c, err
}

// eachOnline calls scan with these columns of each session s that is online at now, in no order.
func (s *Store) eachOnline(ctx context.Context, now time.Time, columns string, scan func(*sql.Rows) error) error {
	s.settle(ctx, now)
	m := s.at(now)
	query := func() *sqldb.Query { return sqldb.NewQuery(`SELECT ` + columns + ` FROM user_sessions s WHERE true`) }
	if s.roster.serves(ctx) {
		ids, err := s.recentSessions(ctx, m)
		if err != nil {
			return err
		}
		return s.eachOf(ctx, ids, m, query, scan)
	}
	return s.db.HeavySnapshot(ctx, func(look *sql.Tx) error {
		return query().And(presence.OnlineRule("s"), m.Bounds()...).Each(ctx, look, scan)
	})
}

// eachOf calls scan with each row that a query finds of those of these sessions s that are online by m, in no order and
// in steps that hold nobody up. All at once, a million of them take both processors from everybody for seconds.
func (s *Store) eachOf(ctx context.Context, ids []int64, m presence.Cutoffs, query func() *sqldb.Query, scan func(*sql.Rows) error) error {
	return inSteps(ctx, s.db, ids, func(look *sql.Tx, some []int64) error {
		q := whereSession(query(), some, func(id int64) int64 { return id })
		return q.And(presence.OnlineRule("s"), m.Bounds()...).Each(ctx, look, scan)
	})
}
