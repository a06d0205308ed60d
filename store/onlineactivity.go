package store

import (
	"context"
	"database/sql"
	"slices"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// activityQuery finds the sessions of those who match.
func (s *Store) activityQuery(m presence.Cutoffs, f OnlineFilter, o byActivity, byRows bool) *sqldb.Query {
	q := sqldb.NewQuery(`SELECT s.id, s.last_activity_at, s.user_id` + f.source())
	if f.aboutUsers() {
		q.Add(userJoins)
	}
	q.Add(` WHERE `+presence.OnlineRule("s"), m.Bounds()...)
	f.where(q)
	if byRows {
		s.addOther(q, m, f, ` AND NOT EXISTS (SELECT 1`, o.later())
	}
	s.whereStatus(q, m, f)
	return q
}

// listByActivity reads one page. A person stands in the list by the session with the latest activity, so the
// most recent people are found at once, however many are online.
func (s *Store) listByActivity(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f OnlineFilter, after *cursor, page *OnlinePage) error {
	o := s.byActivity(s.roster.byBlocks(), after)
	query := func(byRows bool) *sqldb.Query { return s.activityQuery(m, f, o, byRows) }
	for n := f.Limit + 1; ; n *= 4 {
		found, more, err := o.first(ctx, look, n, query)
		if err != nil {
			return err
		}
		chosen, err := s.firstOfEach(ctx, look, m, f, o, found)
		if err != nil {
			return err
		}
		if len(chosen) > f.Limit || !more {
			return s.readChosen(ctx, look, f, chosen, page)
		}
	}
}

// firstOfEach returns the people who have these sessions by the first of each, without those who have one that stands
// before this page.
func (s *Store) firstOfEach(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f OnlineFilter, o byActivity, found []foundSession) (people []chosenPerson, err error) {
	known := make(map[string]bool, len(found))
	var keys []string
	for _, session := range found {
		if !known[session.user] {
			known[session.user] = true
			keys = append(keys, session.user)
			people = append(people, chosenPerson{key: session.user, number: session.At, id: session.Session})
		}
	}
	if o.after == nil {
		return people, nil
	}
	for some := range slices.Chunk(keys, peopleAtOnce) {
		q := fromSessionsOf(sqldb.NewQuery(`SELECT s.id, s.last_activity_at, s.user_id`), some).And(presence.OnlineRule("s"), m.Bounds()...)
		f.whereApp(q, "s")
		err = eachUntil(ctx, look, q, func(id, activity int64, user string) bool {
			if p, _ := o.placeOf(id, activity); !o.has(p) {
				known[user] = false
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(people, func(p chosenPerson) bool { return !known[p.key] }), nil
}
