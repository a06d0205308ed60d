package store

import (
	"context"
	"database/sql"
	"slices"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// sessionsByActivity lists the sessions of a page that is in this order.
func (s *Store) sessionsByActivity(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f SessionFilter, o byActivity) (page SessionPage, err error) {
	found, all, err := s.nearByActivity(ctx, look, m, f, o)
	if err == nil && !all && len(found) <= f.Limit {
		q := f.foundQuery(m)
		s.whereAll(q, f)
		found, err = o.all(ctx, look, f.Limit+1, q)
	}
	if err != nil {
		return page, err
	}
	if len(found) > f.Limit {
		found = found[:f.Limit]
		page.Next = found[f.Limit-1].cursor().String()
	}
	page.Sessions, err = s.readListed(ctx, look, m, found)
	return page, err
}

// nearByActivity finds those sessions of a page that are among the next in the list, and tells whether these are all
// there are. Of ended sessions there is no list by activity, and a user has few.
func (s *Store) nearByActivity(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f SessionFilter, o byActivity) (found []foundSession, all bool, err error) {
	if f.User != "" || f.State != ScopeOnline && f.State != ScopeActive {
		return nil, false, nil
	}
	n := f.Limit + 1
	if f.isHeavy() {
		n = near * f.Limit
	}
	found, more, err := o.next(ctx, look, n, func(bool) *sqldb.Query {
		q := f.foundQuery(m)
		if !f.isHeavy() {
			s.whereNear(q, f)
		}
		return q
	})
	if err == nil && f.isHeavy() {
		found, err = s.matching(ctx, look, m, f, found)
	}
	return found, !more, err
}

// foundQuery finds sessions s in the filter's state.
func (f SessionFilter) foundQuery(m presence.Cutoffs) *sqldb.Query {
	q := sqldb.NewQuery(`SELECT s.id, s.last_activity_at, s.user_id`)
	f.from(q, m)
	return q
}

// matching returns those of sessions that match.
func (s *Store) matching(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f SessionFilter, found []foundSession) ([]foundSession, error) {
	matches := make(map[int64]bool, len(found))
	for some := range slices.Chunk(found, rosterStep) {
		q := whereSession(f.foundQuery(m), some, foundSession.id)
		s.whereNear(q, f)
		err := eachUntil(ctx, look, q, func(id, _ int64, _ string) bool {
			matches[id] = true
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(found, func(f foundSession) bool { return !matches[f.Session] }), nil
}

// readListed reads these sessions, the latest first.
func (s *Store) readListed(ctx context.Context, look *sql.Tx, m presence.Cutoffs, found []foundSession) ([]ListedSession, error) {
	listed := []ListedSession{} // not nil: JSON must say []
	for some := range slices.Chunk(found, rosterStep) {
		q := whereSession(sqldb.NewQuery(`SELECT `+listedColumns+` FROM user_sessions s`+userJoins+agentJoin+` WHERE true`), some, foundSession.id)
		err := q.Each(ctx, look, func(rows *sql.Rows) error {
			one, err := s.scanListed(rows, m)
			listed = append(listed, one)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(listed, func(a, b ListedSession) int { return latestFirst(a.OnlineSession, b.OnlineSession) })
	return listed, nil
}
