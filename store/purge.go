package store

import (
	"context"
	"math"
	"time"

	"rollcall/store/sqldb"
)

// Retention reaches people, too. A user goes who has no session any more, and of whom no application has said anything
// for the retention; with them goes what they claimed, and which notices they have seen. What must outlive sessions keeps
// the user: access to Rollcall, an account, what an application claims, and a visit that the day has still to count. That
// somebody ended a session holds as long as its row, which keeps the user as well. An organization goes with the last
// of what is its own: users, sessions, notices and the samples of its history.

// removablePerson is which users u go, $1 being when the retention began.
const removablePerson = `u.updated_at <= $1 AND u.access = 'none'
	AND NOT EXISTS (SELECT 1 FROM user_sessions s WHERE s.user_id = u.id)
	AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.user_id = u.id)
	AND NOT EXISTS (SELECT 1 FROM status_claims c WHERE c.user_id = u.id AND (c.app <> '' OR c.created_at > $1))
	AND NOT EXISTS (SELECT 1 FROM daily_visitors d WHERE d.user_id = u.id)`

// removableOrganization is which organizations o go, likewise.
const removableOrganization = `o.created_at <= $1
	AND NOT EXISTS (SELECT 1 FROM users u WHERE u.organization_id = o.id)
	AND NOT EXISTS (SELECT 1 FROM user_sessions s WHERE s.organization_id = o.id)
	AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.organization_id = o.id)
	AND NOT EXISTS (SELECT 1 FROM activity_samples h WHERE h.organization_id = o.id)`

// A purge goes through a table in the order of its ids, because no index has those that go: few logins would be worth it.
const (
	purgeStep  = 500 // rows that a step looks at, and may remove
	purgeSteps = 200 // of a cleanup that nobody asked for; the next one goes on from there
)

// purged is up to where a walk has come.
type purged struct {
	user         string
	organization int64
}

var purgedNothing = purged{organization: math.MinInt64}

// purgeWalk is a way through a table. Both statements have as parameters when the retention began and the id before the
// first of a step; one looks at a step's rows, at most as many as its third says, and returns how many there are, the last
// id and how many of them go; the other removes those, up to that id.
type purgeWalk[ID int64 | string] struct{ look, remove string }

var (
	userWalk = purgeWalk[string]{
		look: `SELECT COUNT(*), COALESCE(MAX(id), $2), COALESCE(SUM(goes), 0) FROM (
			SELECT u.id, CASE WHEN ` + removablePerson + ` THEN 1 ELSE 0 END AS goes FROM users u WHERE u.id > $2 ORDER BY u.id LIMIT $3) step`,
		remove: `DELETE FROM users AS u WHERE u.id > $2 AND u.id <= $3 AND ` + removablePerson}
	organizationWalk = purgeWalk[int64]{
		look: `SELECT COUNT(*), COALESCE(MAX(id), $2), COALESCE(SUM(goes), 0) FROM (
			SELECT o.id, CASE WHEN ` + removableOrganization + ` THEN 1 ELSE 0 END AS goes FROM organizations o WHERE o.id > $2 ORDER BY o.id LIMIT $3) step`,
		remove: `DELETE FROM organizations AS o WHERE o.id > $2 AND o.id <= $3 AND ` + removableOrganization}
)

// purgePeople removes the users and organizations past their retention and returns how many these were: of all
// there are where whole, else of those that are next.
func (s *Store) purgePeople(ctx context.Context, now time.Time, whole bool) (removed int64, err error) {
	began := now.Add(-s.rules.Retention).UnixMilli()
	from := purgedNothing
	if before := s.purged.Load(); before != nil && !whole {
		from = *before
	}
	users, user, err := userWalk.run(ctx, s, began, from.user, purgedNothing.user, whole)
	if err != nil {
		return users, sqldb.Wrap("purging users", err)
	}
	organizations, organization, err := organizationWalk.run(ctx, s, began, from.organization, purgedNothing.organization, whole)
	s.purged.Store(&purged{user, organization})
	return users + organizations, sqldb.Wrap("purging organizations", err)
}

// run goes on from an id and returns how many rows were removed and where to go on, which is first once all were seen.
func (w purgeWalk[ID]) run(ctx context.Context, s *Store, began int64, at, first ID, whole bool) (removed int64, next ID, err error) {
	for step := 0; whole || step < purgeSteps; step++ {
		var seen, expired int64
		last := at
		if err := s.db.Scan(ctx, []any{&seen, &last, &expired}, w.look, began, at, purgeStep); err != nil {
			return removed, at, err
		}
		if expired > 0 {
			err := s.writeOne(ctx, func(t *tx) error { // which looks again: somebody may log in meanwhile
				n, err := t.Exec(w.remove, began, at, last)
				removed += n
				return sqldb.Wrap("removing what is past its retention", err)
			})
			if err != nil {
				return removed, at, err
			}
		}
		if at = last; seen < purgeStep {
			return removed, first, nil
		}
	}
	return removed, at, nil
}
