package store

import (
	"context"
	"database/sql"
	"math"
	"slices"
	"strconv"

	"rollcall/store/beats"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// byActivity is the order of a list by last activity, with the heartbeats that wait. A session's place is the same
// before and after a fold: between two pages only those move who are heard of.
type byActivity struct {
	log    *beats.Log
	blocks bool         // of a large list, whose places are blocks of activity: see [presence.ActivityBlock]
	after  *beats.Place // where the page begins, nil for the first
}

// byActivity returns the order of a page that begins at a cursor.
func (s *Store) byActivity(blocks bool, c *cursor) byActivity {
	o := byActivity{log: s.beats, blocks: blocks}
	if c != nil {
		o.after = new(beats.PlaceOf(c.Tie.(int64), c.Key.(int64), blocks))
	}
	return o
}

// foundSession is a session in a list, with the key of its user.
type foundSession struct {
	beats.Place
	user string
}

func (f foundSession) id() int64 { return f.Session }

func (f foundSession) cursor() cursor { return cursor{SortActivity, f.At, f.Session} }

func (f foundSession) compare(o foundSession) int { return f.Place.Compare(o.Place) }

// placeOf returns where a session stands whose row has this last activity, and whether that is by a heartbeat that waits.
func (o byActivity) placeOf(session, activity int64) (p beats.Place, waits bool) {
	at := activity
	o.log.Overlay(session, &at, new(int64), new(int64))
	return beats.PlaceOf(session, at, o.blocks), at != activity
}

// has tells whether a place is after where the page begins.
func (o byActivity) has(p beats.Place) bool { return o.after == nil || p.Compare(*o.after) > 0 }

// later tells in SQL whether the row of a session t comes before that of s, which then does not stand before t either,
// unless its heartbeat waits.
func (o byActivity) later() string {
	s, t := o.latest(`s`), o.latest(`t`)
	return `(` + t + ` > ` + s + ` OR ` + t + ` = ` + s + ` AND t.id > s.id)`
}

// latest is the last activity of the row of a session in SQL, as the order has it.
func (o byActivity) latest(alias string) string {
	if o.blocks {
		return presence.InActivityBlock(alias + `.last_activity_at`)
	}
	return alias + `.last_activity_at`
}

// inOrder completes a query for sessions s with their order by rows, from where the page begins.
func (o byActivity) inOrder(q *sqldb.Query, limit int) *sqldb.Query {
	block := presence.InActivityBlock(`s.last_activity_at`)
	if o.after != nil {
		at := o.after.At
		if o.blocks {
			at = presence.ActivityBlock(at)
		}
		q.And(`(`+o.latest(`s`)+`, s.id) < (?, ?)`, at, o.after.Session)
		q.And(block+` <= ?`, presence.ActivityBlock(o.after.At))
	}
	q.Add(` ORDER BY ` + block + ` DESC, `)
	if !o.blocks {
		q.Add(o.latest(`s`) + ` DESC, `)
	}
	return q.Add(`s.id DESC LIMIT ?`, limit)
}

// sessionQuery makes a query for sessions s with the columns s.id, s.last_activity_at and s.user_id, to which conditions
// can be added. With byRows it may leave out whoever has a session whose row is later: see [byActivity.later].
type sessionQuery func(byRows bool) *sqldb.Query

// first finds the first n sessions of a page, or about as many, and tells whether more follow. Those whose heartbeats
// wait it finds by the log, as of one instant, and all others by their rows. Whoever is heard of after that instant
// counts by the row, wherever they stand by then: nobody is missed on a first page.
func (o byActivity) first(ctx context.Context, look *sql.Tx, n int, query sessionQuery) (found []foundSession, more bool, err error) {
	places := o.log.First(n, o.after, o.blocks)
	if found, err = o.waiting(ctx, look, places, query); err != nil {
		return nil, false, err
	}
	known := make(map[int64]bool, len(found))
	for _, f := range found {
		known[f.Session] = true
	}
	waiting, before := found, 0 // how many are found that stand before a row
	limit := n + 1
	if o.log != nil {
		limit = math.MaxInt // rows may be of sessions that stand on a page before
	}
	var end *beats.Place // before which all are found
	err = eachUntil(ctx, look, o.inOrder(query(true), limit), func(id, activity int64, user string) bool {
		row := beats.PlaceOf(id, activity, o.blocks)
		for len(waiting) > 0 && waiting[0].Place.Compare(row) < 0 {
			waiting, before = waiting[1:], before+1
		}
		if before >= n || len(places) == n && row.Compare(places[n-1]) > 0 {
			end = &row
			return false
		}
		if p, _ := o.placeOf(id, activity); !known[id] && o.has(p) {
			found, before = append(found, foundSession{p, user}), before+1
		}
		return true
	})
	if end != nil {
		found = slices.DeleteFunc(found, func(f foundSession) bool { return f.Place.Compare(*end) >= 0 })
	}
	slices.SortFunc(found, foundSession.compare)
	return found, end != nil || len(places) == n, err
}

// waiting returns the sessions at these places whose heartbeats wait, in order.
func (o byActivity) waiting(ctx context.Context, look *sql.Tx, places []beats.Place, query sessionQuery) (found []foundSession, err error) {
	at := make(map[int64]beats.Place, len(places))
	for _, p := range places {
		at[p.Session] = p
	}
	for some := range slices.Chunk(places, rosterStep) {
		q := whereSession(query(false), some, func(p beats.Place) int64 { return p.Session })
		err := eachUntil(ctx, look, q, func(id, activity int64, user string) bool {
			if _, waits := o.placeOf(id, activity); waits {
				found = append(found, foundSession{at[id], user})
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(found, foundSession.compare)
	return found, nil
}

// next is first for at least n, where there are as many.
func (o byActivity) next(ctx context.Context, look *sql.Tx, n int, query sessionQuery) (found []foundSession, more bool, err error) {
	for size := n; ; size *= 4 {
		found, more, err = o.first(ctx, look, size, query)
		if err != nil || !more || len(found) >= n {
			return found, more, err
		}
	}
}

// all finds the first n sessions of a page among all that match, whatever the order in which the query finds them.
func (o byActivity) all(ctx context.Context, look *sql.Tx, n int, q *sqldb.Query) (found []foundSession, err error) {
	shorten := func() {
		slices.SortFunc(found, foundSession.compare)
		found = found[:min(len(found), n)]
	}
	if o.log == nil { // the rows are in order
		q = o.inOrder(q, n)
	}
	err = eachUntil(ctx, look, q, func(id, activity int64, user string) bool {
		if p, _ := o.placeOf(id, activity); o.has(p) {
			found = append(found, foundSession{p, user})
		}
		if len(found) == 2*n {
			shorten()
		}
		return true
	})
	shorten()
	return found, err
}

// eachUntil calls f for each session that a query finds until it returns false.
func eachUntil(ctx context.Context, look *sql.Tx, q *sqldb.Query, f func(id, activity int64, user string) bool) error {
	rows, err := look.QueryContext(ctx, q.String(), q.Args()...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, activity int64
		var user string
		if err := rows.Scan(&id, &activity, &user); err != nil {
			return err
		}
		if !f(id, activity, user) {
			return nil
		}
	}
	return rows.Err()
}

// whereSession adds the condition that sessions s are some of those that are found, of which there must be one. They
// stand in the text of the query, which has numbers only: SQLite looks for each parameter among all others.
func whereSession[F any](q *sqldb.Query, found []F, id func(F) int64) *sqldb.Query {
	for i, f := range found {
		q.Add([]string{` AND s.id IN (`, `,`}[min(i, 1)] + strconv.FormatInt(id(f), 10))
	}
	return q.Add(`)`)
}
