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

// removablePerson is which users u go, $3 being when the retention began.
const removablePerson = `u.updated_at <= $3 AND u.access = 'none'
	AND NOT EXISTS (SELECT 1 FROM user_sessions s WHERE s.user_id = u.id)
	AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.user_id = u.id)
	AND NOT EXISTS (SELECT 1 FROM status_claims c WHERE c.user_id = u.id AND (c.app <> '' OR c.created_at > $3))
	AND NOT EXISTS (SELECT 1 FROM daily_visitors d WHERE d.user_id = u.id)`

// removableOrganization is which organizations o go, likewise.
const removableOrganization = `o.created_at <= $3
	AND NOT EXISTS (SELECT 1 FROM users u WHERE u.organization_id = o.id)
	AND NOT EXISTS (SELECT 1 FROM user_sessions s WHERE s.organization_id = o.id)
	AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.organization_id = o.id)
	AND NOT EXISTS (SELECT 1 FROM activity_samples h WHERE h.organization_id = o.id)`

// unusedAgent is which user agents a go: nobody has a session in one any more.
const unusedAgent = `NOT EXISTS (SELECT 1 FROM user_sessions s WHERE s.user_agent_id = a.id)`

// A purge goes through a table in the order of its ids, because no index has those that go: few logins would be worth it.
const (
	purgeStep  = 500 // rows that a step looks at, and may remove
	purgeSteps = 200 // of a cleanup that nobody asked for; the next one goes on from there
)

// purged is up to where a walk has come.
type purged struct {
	user                string
	organization, agent int64
}

var purgedNothing = purged{organization: math.MinInt64, agent: math.MinInt64}

// purgeWalk is a way through a table. Both statements have as parameters the id before the first of a step, a number, and what
// a condition needs; one looks at a step's rows, at most so many, and returns how many there are, the last id and how many of
// them go; the other removes those, up to the id that is the number.
type purgeWalk[ID int64 | string] struct{ look, remove string }

var (
	userWalk = purgeWalk[string]{
		look: `SELECT COUNT(*), COALESCE(MAX(id), $1), COALESCE(SUM(goes), 0) FROM (
			SELECT u.id, CASE WHEN ` + removablePerson + ` THEN 1 ELSE 0 END AS goes FROM users u WHERE u.id > $1 ORDER BY u.id LIMIT $2) step`,
		remove: `DELETE FROM users AS u WHERE u.id > $1 AND u.id <= $2 AND ` + removablePerson}
	organizationWalk = purgeWalk[int64]{
		look: `SELECT COUNT(*), COALESCE(MAX(id), $1), COALESCE(SUM(goes), 0) FROM (
			SELECT o.id, CASE WHEN ` + removableOrganization + ` THEN 1 ELSE 0 END AS goes FROM organizations o WHERE o.id > $1 ORDER BY o.id LIMIT $2) step`,
		remove: `DELETE FROM organizations AS o WHERE o.id > $1 AND o.id <= $2 AND ` + removableOrganization}
	agentWalk = purgeWalk[int64]{
		look: `SELECT COUNT(*), COALESCE(MAX(id), $1), COALESCE(SUM(goes), 0) FROM (
			SELECT a.id, CASE WHEN ` + unusedAgent + ` THEN 1 ELSE 0 END AS goes FROM user_agents a WHERE a.id > $1 ORDER BY a.id LIMIT $2) step`,
		remove: `DELETE FROM user_agents AS a WHERE a.id > $1 AND a.id <= $2 AND ` + unusedAgent}
)

// purgePeople removes the users and organizations past their retention and returns how many these were, and the user agents
// that nobody uses any more: of all there are where whole, else of those that are next.
func (s *Store) purgePeople(ctx context.Context, now time.Time, whole bool) (removed int64, err error) {
	began := now.Add(-s.rules.Retention).UnixMilli()
	next := purgedNothing
	if before := s.purged.Load(); before != nil && !whole {
		next = *before
	}
	var users, organizations int64
	users, next.user, err = userWalk.run(ctx, s, next.user, purgedNothing.user, whole, began)
	if err != nil {
		return users, sqldb.Wrap("purging users", err)
	}
	organizations, next.organization, err = organizationWalk.run(ctx, s, next.organization, purgedNothing.organization, whole, began)
	if err == nil {
		_, next.agent, err = agentWalk.run(ctx, s, next.agent, purgedNothing.agent, whole)
	}
	s.purged.Store(&next)
	return users + organizations, sqldb.Wrap("purging organizations and user agents", err)
}

// purgeAgents removes all user agents that nobody uses any more.
func (s *Store) purgeAgents(ctx context.Context) error {
	_, _, err := agentWalk.run(ctx, s, purgedNothing.agent, purgedNothing.agent, true)
	return sqldb.Wrap("purging user agents", err)
}

// run goes on from an id and returns how many rows were removed and where to go on, which is first once all were seen.
func (w purgeWalk[ID]) run(ctx context.Context, s *Store, at, first ID, whole bool, args ...any) (removed int64, next ID, err error) {
	for step := 0; whole || step < purgeSteps; step++ {
		var seen, expired int64
		last := at
		if err := s.db.Scan(ctx, []any{&seen, &last, &expired}, w.look, append([]any{at, purgeStep}, args...)...); err != nil {
			return removed, at, err
		}
		if expired > 0 {
			err := s.writeOne(ctx, func(t *tx) error { // which looks again: somebody may log in meanwhile
				n, err := t.Exec(w.remove, append([]any{at, last}, args...)...)
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
