package store

import (
	"math"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// from adds FROM and WHERE of the sessions s in this state.
func (f SessionFilter) from(q *sqldb.Query, m presence.Cutoffs) {
	q.Add(` FROM user_sessions s`)
	switch f.State {
	case ScopeOnline:
		q.Add(` WHERE `+presence.OnlineRule("s"), m.Bounds()...)
	case ScopeActive:
		q.Add(` WHERE s.is_active = true AND s.expires_at > ?`, m.Expiry)
		if f.Sort == SortActivity { // true of all: SQLite would go through another index and sort
			q.And(presence.InActivityBlock(f.key())+` >= ?`, math.MinInt64)
		}
	case ScopeEnded:
		// The same, but the first is said of the index on ended_at, which must not be gone through in another order.
		q.Add(map[bool]string{true: ` WHERE s.is_active = false`, false: ` WHERE s.ended_at IS NOT NULL`}[f.Sort == SortEnded])
	default:
		q.Add(` WHERE true`)
	}
}

// beyond adds the condition that sessions s come after that place in a list that is not by activity, as neither is that of
// order.
func (f SessionFilter) beyond(q *sqldb.Query, after *cursor) {
	if after == nil {
		return
	}
	q.And(`(`+f.key()+`, s.id) < (?, ?)`, after.Key, after.Tie)
}

// order adds the order of the list and how many are wanted.
func (f SessionFilter) order(q *sqldb.Query, limit int) {
	q.Add(` ORDER BY `+f.key()+` DESC, s.id DESC LIMIT ?`, limit)
}

// byIndex tells whether the index on the app, or the one on the address, finds what matches sooner
// than the index on users does.
func (f SessionFilter) byIndex() (app, address bool) {
	switch {
	case f.User != "":
		return false, false
	case f.IP != "":
		return false, true
	}
	return f.App != "" && !f.forPeople().aboutUsers(), false
}

// withoutIndex is a column of sessions in a form that keeps the database from using its index.
// Nothing tells SQLite how many sessions an app has: it would look up nearly all of them for any
// question that has an app in it.
func withoutIndex(column string) string { return column + ` || ''` }

// whereOrigin adds the conditions on where sessions s are from, by the index on the app or on the
// address, or by none.
func (f SessionFilter) whereOrigin(q *sqldb.Query, appIndex, addressIndex bool) {
	app, address := withoutIndex(`s.app`), withoutIndex(`s.ip_address`)
	if appIndex {
		app = `s.app`
	}
	if addressIndex {
		address = `s.ip_address`
	}
	if f.App != "" {
		q.And(app+` = ?`, f.App)
	} else {
		q.And(`s.app <> ?`, presence.PanelApp)
	}
	if f.IP != "" {
		q.And(address+` = ?`, f.IP)
	}
}

// whereUser adds the conditions on whose sessions s are.
func (f SessionFilter) whereUser(q *sqldb.Query) {
	if people := f.forPeople(); people.aboutUsers() { // there are fewer of them than of sessions, and mostly few are meant
		q.Add(` AND s.user_id IN (SELECT u.id FROM users u LEFT JOIN organizations o ON o.id = u.organization_id WHERE true`)
		people.whereUsers(q)
		q.Add(`)`)
	}
}

// where adds the conditions on sessions s that have no index but the user's.
func (f SessionFilter) where(q *sqldb.Query, r presence.Rules) {
	if f.User != "" {
		q.And(`s.user_id = ?`, f.User)
	}
	if f.Reason != "" {
		q.And(`s.end_reason = ?`, string(f.Reason))
	}
	whereDevice(q, f.Device)
	if f.From != nil {
		q.And(`COALESCE(s.ended_at, s.expires_at) > ?`, f.From.UnixMilli()) // one that ends at an instant is over then
	}
	if f.To != nil {
		q.And(`s.created_at <= ?`, f.To.UnixMilli())
	}
	if f.At != nil {
		q.And(presence.AtRule, r.CutoffsAt(*f.At)...)
	}
	if len(f.Except) > 0 {
		q.And(`s.id NOT IN `)
		sqldb.AddList(q, f.Except)
	}
}
