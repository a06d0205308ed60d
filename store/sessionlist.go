package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// SessionScope chooses sessions by where they stand.
type SessionScope string

// The scopes. A session that is past its time and not cleaned up yet is neither
// active nor ended; ScopeAll has it.
const (
	ScopeOnline SessionScope = "online"
	ScopeActive SessionScope = "active" // logged in, online or not
	ScopeEnded  SessionScope = "ended"
	ScopeAll    SessionScope = "all"
)

// The orders of a list of sessions, besides SortActivity: latest first.
const (
	SortCreated Sort = "created"
	SortEnded   Sort = "ended" // of ended sessions only
)

// SessionFilter chooses which sessions are listed. Empty fields choose all; the
// panel's own sessions are listed only with App: presence.PanelApp.
type SessionFilter struct {
	State                       SessionScope // "": what the other fields are about, else active
	User, App, Organization, IP string
	Device                      string // type, operating system or browser
	Reason                      presence.EndReason
	From, To                    *time.Time // logged in at some time between, both included
	At                          *time.Time // logged in then, and not silent for long: see presence.AtRule
	Search                      string     // as in OnlineFilter
	Sort                        Sort       // "": the one that suits the state
	Limit                       int        // sessions on a page, at least 1
	Cursor                      string     // SessionPage.Next of the page before
	Except                      []int64    // sessions that are left out
}

// ListedSession is a session as the list of all sessions shows it.
type ListedSession struct {
	OnlineSession
	User      User
	State     presence.SessionState
	EndedAt   *time.Time
	EndReason presence.EndReason
	EndedBy   string // who ended it, where somebody did: see Ending
	EndNote   string
}

// SessionPage is one page of the list of sessions.
type SessionPage struct {
	Sessions []ListedSession
	Next     string // cursor of the next page, "" on the last
}

// Sessions lists sessions as they are at now. It returns ErrInvalid for a filter
// that contradicts itself, an unknown sort or a cursor that is not from here.
func (s *Store) Sessions(ctx context.Context, now time.Time, f SessionFilter) (SessionPage, error) {
	f = f.withDefaults()
	after, err := f.check()
	if err != nil {
		return SessionPage{}, err
	}
	var page SessionPage
	s.settleFor(ctx, now, f)
	err = s.db.SnapshotFor(ctx, f.isHeavy(), func(look *sql.Tx) (err error) {
		page, err = s.listSessions(ctx, look, s.at(now), f, after)
		return err
	})
	return page, sqldb.Wrap("listing sessions", err)
}

// withDefaults fills in what follows from the rest: whoever asks for an end or a time
// in the past does not mean the sessions that are active now, and each state has
// an order in which a page comes straight from an index.
func (f SessionFilter) withDefaults() SessionFilter {
	if f.State == "" {
		switch {
		case f.Reason != "" || f.Sort == SortEnded:
			f.State = ScopeEnded
		case f.From != nil || f.To != nil || f.At != nil:
			f.State = ScopeAll
		default:
			f.State = ScopeActive
		}
	}
	if f.Sort == "" {
		f.Sort = SortActivity
		switch f.State {
		case ScopeEnded:
			f.Sort = SortEnded
		case ScopeAll:
			f.Sort = SortCreated
		}
	}
	return f
}

var endReasons = []presence.EndReason{presence.EndLogout, presence.EndExpired, presence.EndRevoked, presence.EndEvicted, presence.EndPasswordChanged}

// check returns the place after which the page begins, nil for the first.
func (f SessionFilter) check() (*cursor, error) {
	switch {
	case !slices.Contains([]SessionScope{ScopeOnline, ScopeActive, ScopeEnded, ScopeAll}, f.State):
		return nil, sqldb.Invalid("state must be online, active, ended or all")
	case f.key() == "":
		return nil, sqldb.Invalid("sort must be last_activity, created or ended")
	case f.Sort == SortEnded && f.State != ScopeEnded:
		return nil, sqldb.Invalid("sort=ended goes with state=ended only")
	case f.Reason != "" && !slices.Contains(endReasons, f.Reason):
		return nil, sqldb.Invalid("reason must be logout, expired, revoked, evicted or password_changed")
	case f.Reason != "" && (f.State == ScopeOnline || f.State == ScopeActive):
		return nil, sqldb.Invalid("reason goes with sessions that have ended")
	case strings.Contains(f.Search+f.Device, "\x00"): // where SQL's LIKE would end
		return nil, sqldb.Invalid("q and device must not have a NUL")
	case f.From != nil && f.To != nil && f.To.Before(*f.From):
		return nil, sqldb.Invalid("from must not be after to")
	}
	return parseCursor(f.Cursor, f.Sort)
}

// key is the column by which sessions are sorted, "" for an unknown order.
func (f SessionFilter) key() string {
	switch f.Sort {
	case SortActivity:
		return `s.last_activity_at`
	case SortCreated:
		return `s.created_at`
	case SortEnded:
		return `s.ended_at`
	}
	return ""
}

// isHeavy tells whether a page may need a look at every session: its rows do not
// come straight from an index. There is none on the activity of ended sessions,
// because every heartbeat would pay for it.
func (f SessionFilter) isHeavy() bool {
	return f.User == "" && (f.forPeople().aboutUsers() || f.App != "" || f.IP != "" || f.Device != "" || f.Reason != "" || f.From != nil || f.To != nil || f.At != nil ||
		f.Sort == SortActivity && (f.State == ScopeEnded || f.State == ScopeAll))
}

// forPeople is the part of the filter that lists of people have too.
func (f SessionFilter) forPeople() OnlineFilter {
	return OnlineFilter{App: f.App, Organization: f.Organization, Search: f.Search}
}

// near is how many sessions are looked through for each that a page can hold,
// before others are asked: where one in ten matches, a page comes from its place
// in the list, and it does not matter how many there are.
const near = 10

func (s *Store) listSessions(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f SessionFilter, after *cursor) (SessionPage, error) {
	if f.Sort == SortActivity {
		return s.sessionsByActivity(ctx, look, m, f, s.byActivity(false, after))
	}
	if f.isHeavy() {
		page, err := s.readSessions(ctx, look, m, f, s.nearQuery(m, f, after))
		if err != nil || page.Next != "" {
			return page, err
		}
		if all, err := f.allNear(ctx, look, m, after); all || err != nil {
			return page, err
		}
	}
	return s.readSessions(ctx, look, m, f, s.sessionsQuery(m, f, after))
}

// allNear tells whether there are no more sessions than nearQuery looks through.
func (f SessionFilter) allNear(ctx context.Context, look *sql.Tx, m presence.Cutoffs, after *cursor) (bool, error) {
	q := sqldb.NewQuery(`SELECT COUNT(*) FROM (SELECT 1`)
	f.from(q, m)
	f.beyond(q, after)
	q.Add(` LIMIT ?) counted`, near*f.Limit+1)
	var n int
	err := q.Scan(ctx, look, &n)
	return n <= near*f.Limit, err
}

func (s *Store) readSessions(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f SessionFilter, q *sqldb.Query) (SessionPage, error) {
	page := SessionPage{Sessions: []ListedSession{}}
	var last cursor
	err := q.Each(ctx, look, func(rows *sql.Rows) error {
		if len(page.Sessions) == f.Limit {
			page.Next = last.String()
			return nil
		}
		var key int64
		session, err := s.scanListed(rows, m, &key)
		page.Sessions = append(page.Sessions, session)
		last = cursor{Sort: f.Sort, Key: key, Tie: session.ID}
		return err
	})
	return page, err
}

// nearQuery finds those of the next sessions in the list that match.
func (s *Store) nearQuery(m presence.Cutoffs, f SessionFilter, after *cursor) *sqldb.Query {
	return f.page(func(q *sqldb.Query) {
		q.Add(` FROM (SELECT *`)
		f.from(q, m)
		f.beyond(q, after)
		f.order(q, near*f.Limit)
		q.Add(`) s WHERE true`)
		s.whereNear(q, f)
	})
}

// whereNear adds the conditions on sessions s that are found already.
func (s *Store) whereNear(q *sqldb.Query, f SessionFilter) {
	f.whereOrigin(q, false, false)
	if people := f.forPeople(); people.aboutUsers() { // one by one, because there may be more users than these
		q.Add(` AND EXISTS (SELECT 1 FROM users u LEFT JOIN organizations o ON o.id = u.organization_id WHERE u.id = s.user_id`)
		people.whereUsers(q)
		q.Add(`)`)
	}
	f.where(q, s.rules)
}

// sessionsQuery finds those of all sessions that match.
func (s *Store) sessionsQuery(m presence.Cutoffs, f SessionFilter, after *cursor) *sqldb.Query {
	return f.page(func(q *sqldb.Query) {
		f.from(q, m)
		f.beyond(q, after)
		s.whereAll(q, f)
	})
}

// whereAll adds the conditions on sessions s by which few that match are found by an index.
func (s *Store) whereAll(q *sqldb.Query, f SessionFilter) {
	app, address := f.byIndex()
	f.whereOrigin(q, app, address)
	f.whereUser(q)
	f.where(q, s.rules)
}

// listedColumns are those of the sessions s, with userJoins and agentJoin, that scanListed reads.
const listedColumns = sessionColumns + `, s.heard, s.leaving_at, s.ended_at, COALESCE(s.end_reason, ''), s.ended_by, s.end_note,
			u.id, u.name, u.email, u.role, u.team_name, u.access, COALESCE(o.name, '')`

// page reads the sessions s that are found. It finds their ids first, so that
// users are looked up only of the sessions on the page.
func (f SessionFilter) page(find func(*sqldb.Query)) *sqldb.Query {
	q := sqldb.NewQuery(`
		SELECT ` + listedColumns + `, key
		FROM (SELECT s.id AS found, ` + f.key() + ` AS key`)
	find(q)
	f.order(q, f.Limit+1)
	return q.Add(`) page JOIN user_sessions s ON s.id = found` + userJoins + agentJoin + `
		ORDER BY key DESC, found DESC`)
}

func (s *Store) scanListed(rows *sql.Rows, m presence.Cutoffs, more ...any) (l ListedSession, err error) {
	u := &l.User
	e, st, err := s.scanExplained(rows, append([]any{&l.EndedBy, &l.EndNote,
		userKey{u}, &u.Name, &u.Email, &u.Role, &u.Team, &u.Access, &u.Organization}, more...)...)
	l.OnlineSession, l.EndedAt, l.EndReason, l.State = e.OnlineSession, e.EndedAt, e.EndReason, s.rules.State(st, m)
	return l, err
}
