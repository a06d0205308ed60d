package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"rollcall/store/fold"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// OnlineFilter chooses who of the people online is listed. Empty fields choose
// everybody; the panel's own sessions count only with App: presence.PanelApp.
type OnlineFilter struct {
	App, Organization, Team, Role string
	Status                        presence.Status
	Search                        string // part of a name, e-mail address, id, role, team or organization
	ExceptRole                    string // folded, as is Role: see fold.Text
	Sort                          Sort
	Limit                         int    // people on a page, at least 1
	Cursor                        string // OnlinePage.Next of the page before
}

// Sort is the order of a list of people or of sessions.
type Sort string

// The orders. Each is complete, so that pages neither repeat nor skip anybody
// who stays where they are.
const (
	SortActivity Sort = "last_activity" // most recent first, in a large database by blocks of some four seconds, which are in order on a page; the default
	SortName     Sort = "name"
	SortDuration Sort = "duration" // longest online first
)

// OnlinePerson is a user as the list of who is online shows them.
type OnlinePerson struct {
	User
	OrganizationID *int64
	Status         presence.Status
	DecidedBy      presence.Rule
	StatusText     string                 // of the claim that decides the status
	StatusUntil    *time.Time             // when that claim runs out
	Sessions       []OnlineSession        // most recent activity first, as many as are shown; in a list of who is online never empty
	SessionCount   int                    // of all that are online
	Since          time.Time              // when the first of all of them began
	Apps           []string               // of all of them, in order
	Left           presence.OfflineReason // of who is not online
}

// Shown returns the session by which somebody online is shown: the one with the
// latest input, and of those alike the one with the latest activity.
func (p OnlinePerson) Shown() (shown OnlineSession) {
	for i, session := range p.Sessions {
		if i == 0 || session.LastInput.After(shown.LastInput) {
			shown = session
		}
	}
	return shown
}

// maxShownSessions is how many sessions of a person are shown: a robot may have 20,000.
const maxShownSessions = 50

// sumUp notes what is to be known of all sessions, and keeps those that are shown: the latest, and
// the one by which the person is shown.
func (p *OnlinePerson) sumUp() {
	p.SessionCount = len(p.Sessions)
	for _, session := range p.Sessions {
		if p.Since.IsZero() || session.CreatedAt.Before(p.Since) {
			p.Since = session.CreatedAt
		}
		if !slices.Contains(p.Apps, session.App) {
			p.Apps = append(p.Apps, session.App)
		}
	}
	slices.Sort(p.Apps) // every heartbeat moves the order of the sessions
	if p.SessionCount <= maxShownSessions {
		return
	}
	shown := p.Shown()
	p.Sessions = slices.Clone(p.Sessions[:maxShownSessions])
	if !slices.ContainsFunc(p.Sessions, func(session OnlineSession) bool { return session.ID == shown.ID }) {
		p.Sessions[maxShownSessions-1] = shown
	}
}

// OnlineSession is a session that is online.
type OnlineSession struct {
	Session
	CreatedAt    time.Time
	LastActivity time.Time // heartbeat or login
	LastInput    time.Time
	Origin
	Page string
	Idle bool
}

// OnlinePage is one page of the people online.
type OnlinePage struct {
	People []OnlinePerson
	Counts presence.Counts // of all that match, not of this page; where counting takes long, from shortly before
	Next   string          // cursor of the next page, "" on the last
}

// Online lists who is online at now. It returns ErrInvalid for an unknown sort
// or a cursor that is not from here.
func (s *Store) Online(ctx context.Context, now time.Time, f OnlineFilter) (OnlinePage, error) {
	order, err := f.Sort.order()
	if err != nil {
		return OnlinePage{}, err
	}
	after, err := parseCursor(f.Cursor, f.Sort)
	if err != nil {
		return OnlinePage{}, err
	}
	page, err := s.onlineByRoster(ctx, now, f, after)
	if !errors.Is(err, ErrTooManyOnline) {
		return page, sqldb.Wrap("listing who is online", err)
	}
	if s.roster.serves(ctx) { // counting takes long
		if page.Counts, err = s.counts.Get(ctx, now, f.counted()); err != nil {
			return OnlinePage{}, sqldb.Wrap("counting who is online", err)
		}
	}
	s.settle(ctx, now)
	counted := page.Counts.People() > 0 // that nobody is there is not said beside the name of somebody who has come since
	// One instant for the whole page.
	err = s.db.SnapshotFor(ctx, !counted || f.isHeavy(), func(look *sql.Tx) error {
		m := s.at(now)
		if !counted {
			if page.Counts, err = s.countIn(ctx, look, m, f); err != nil {
				return err
			}
		}
		if f.byActivity() {
			err = s.listByActivity(ctx, look, m, f, after, &page)
		} else {
			err = s.listOnline(ctx, look, m, f, order, after, &page)
		}
		if err == nil {
			err = s.addPresence(ctx, look, m, f.App, page.People)
		}
		if err == nil && slices.ContainsFunc(page.People, func(p OnlinePerson) bool { return len(p.Sessions) == 0 }) { // who was found by one, in this snapshot
			err = fmt.Errorf("%w: an index has somebody online without a session", sqldb.ErrDamaged)
		}
		f.sort(page.People)
		return err
	})
	if err != nil {
		return OnlinePage{}, sqldb.Wrap("listing who is online", err)
	}
	return page, nil
}

// counted is what of a filter the counts depend on.
func (f OnlineFilter) counted() OnlineFilter {
	f.Sort, f.Limit, f.Cursor = "", 0, ""
	return f
}

// isHeavy tells whether a page may need a look at everybody: its people do not
// come straight from the index on activity.
func (f OnlineFilter) isHeavy() bool {
	return f.counted() != (OnlineFilter{}) || !f.byActivity()
}

func (f OnlineFilter) byActivity() bool { return f.Sort == SortActivity || f.Sort == "" }

const userJoins = ` JOIN users u ON u.id = s.user_id LEFT JOIN organizations o ON o.id = u.organization_id`

// aboutUsers tells whether the filter looks at more than sessions.
func (f OnlineFilter) aboutUsers() bool {
	return f.Organization != "" || f.Team != "" || f.Role != "" || f.Search != "" || f.ExceptRole != ""
}

// where adds the filter's conditions on s, u and o.
func (f OnlineFilter) where(q *sqldb.Query) {
	f.whereApp(q, "s")
	f.whereUsers(q)
}

// whereUsers adds those on u and o.
func (f OnlineFilter) whereUsers(q *sqldb.Query) {
	for _, term := range []struct{ column, value string }{
		{"o.name", f.Organization}, {"u.team_name", f.Team}, {"u.role_folded", fold.Text(f.Role)},
	} {
		if term.value != "" {
			q.And(term.column+` = ?`, term.value)
		}
	}
	if f.ExceptRole != "" {
		q.And(`u.role_folded <> ?`, fold.Text(f.ExceptRole))
	}
	if f.Search != "" {
		q.MatchesFolded(searched, f.Search)
	}
}

const searched = `(u.folded || ' ' || COALESCE(o.folded, ''))`

func (f OnlineFilter) whereApp(q *sqldb.Query, sessions string) {
	if f.App != "" {
		q.And(withoutIndex(sessions+`.app`)+` = ?`, f.App)
	} else {
		q.And(sessions+`.app <> ?`, presence.PanelApp)
	}
}

// listOnline reads one page of a list that is not by activity.
func (s *Store) listOnline(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f OnlineFilter, order order, after *cursor, page *OnlinePage) error {
	page.People = []OnlinePerson{}
	var last cursor
	return s.onlineQuery(m, f, order, after).Each(ctx, look, func(rows *sql.Rows) error {
		if len(page.People) == f.Limit {
			page.Next = last.String()
			return nil
		}
		var p OnlinePerson
		last = cursor{Sort: f.Sort}
		err := rows.Scan(userKey{&p.User}, &p.Name, &p.Email, &p.Role, &p.Team, &p.Access, &p.OrganizationID, &p.Organization, &last.Tie, &last.Key)
		page.People = append(page.People, p)
		return err
	})
}

// onlineQuery finds everybody by that of their sessions whose row is the latest.
func (s *Store) onlineQuery(m presence.Cutoffs, f OnlineFilter, order order, after *cursor) *sqldb.Query {
	q := new(sqldb.Query)
	q.Add(`SELECT * FROM (
		SELECT u.id, u.name, u.email, u.role, u.team_name, u.access, u.organization_id, COALESCE(o.name, ''), ` + order.tie + ` AS tie, `)
	if f.Sort == SortDuration {
		s.addOther(q, m, f, `(SELECT MIN(t.created_at)`, `true`)
		q.Add(` AS key`)
	} else {
		q.Add(order.key + ` AS key`)
	}
	q.Add(f.source()+userJoins+` WHERE `+presence.OnlineRule("s"), m.Bounds()...)
	f.where(q)
	s.addOther(q, m, f, ` AND NOT EXISTS (SELECT 1`, byActivity{}.later())
	s.whereStatus(q, m, f)
	q.Add(`) people`)
	return order.page(q, after, f.Limit+1)
}

// addOther asks about the online sessions t of the person who has s, including s.
func (s *Store) addOther(q *sqldb.Query, m presence.Cutoffs, f OnlineFilter, ask, condition string) {
	q.Add(ask+` FROM user_sessions t WHERE t.user_id = s.user_id AND `+condition+` AND `+presence.OnlineRule("t"), m.Bounds()...)
	f.whereApp(q, "t")
	q.Add(`)`)
}

// addPresence fills in the online sessions of people, and the status that
// follows from these and from the claims.
func (s *Store) addPresence(ctx context.Context, look *sql.Tx, m presence.Cutoffs, app string, people []OnlinePerson) error {
	for some := range slices.Chunk(people, peopleAtOnce) {
		if err := s.addPresenceOf(ctx, look, m, app, some); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) addPresenceOf(ctx context.Context, look *sql.Tx, m presence.Cutoffs, app string, people []OnlinePerson) error {
	at := make(map[string]*OnlinePerson, len(people))
	keys := make([]string, len(people))
	for i := range people {
		keys[i] = people[i].Key()
		at[keys[i]] = &people[i]
	}
	claims, err := s.claims(ctx, look, m, keys)
	if err != nil {
		return err
	}
	q := sqldb.NewQuery(`SELECT ` + sessionColumns + `, s.user_id FROM (SELECT s.*`)
	fromSessionsOf(q, keys).And(presence.OnlineRule("s"), m.Bounds()...)
	OnlineFilter{App: app}.whereApp(q, "s")
	q.Add(`) s` + agentJoin)
	err = q.Each(ctx, look, func(rows *sql.Rows) error {
		var user string
		session, err := s.scanSession(rows, &user)
		if err != nil {
			return err
		}
		person := at[user]
		if person == nil {
			return fmt.Errorf("%w: an index has a session of somebody else", sqldb.ErrDamaged)
		}
		person.Sessions = append(person.Sessions, session)
		return nil
	})
	for i := range people {
		p := &people[i]
		slices.SortFunc(p.Sessions, latestFirst)
		d := p.decide(claims[keys[i]])
		p.Status, p.DecidedBy, p.StatusText, p.StatusUntil = d.Status, d.Rule, d.Claim.Text, d.Claim.Until
		p.sumUp()
	}
	return err
}

// latestFirst is the order of sessions by activity.
func latestFirst(a, b OnlineSession) int {
	return cmp.Or(b.LastActivity.Compare(a.LastActivity), cmp.Compare(b.ID, a.ID))
}

// sort puts the people of a page by activity in order: they were chosen by blocks of it, or have been
// heard of meanwhile.
func (f OnlineFilter) sort(people []OnlinePerson) {
	if f.byActivity() && !slices.ContainsFunc(people, func(p OnlinePerson) bool { return len(p.Sessions) == 0 }) {
		slices.SortFunc(people, func(a, b OnlinePerson) int { return latestFirst(a.Sessions[0], b.Sessions[0]) })
	}
}

// decide says what the person is doing, from the sessions online and the claims that hold.
func (p *OnlinePerson) decide(claims []presence.Claim) presence.Decision {
	active := 0
	for _, session := range p.Sessions {
		if !session.Idle {
			active++
		}
	}
	return presence.Decide(len(p.Sessions), active, claims)
}

// sessionColumns are those of the sessions s, with agentJoin, that scanSession reads.
const sessionColumns = `s.id, s.app, s.expires_at, s.created_at, s.last_activity_at, s.ip_address, ` + agentColumns + `, s.location, s.page, s.idle_ms`

// scanSession reads a session's columns, and further ones into more.
func (s *Store) scanSession(rows *sql.Rows, more ...any) (o OnlineSession, err error) {
	var expires, created, activity, idle int64
	dest := []any{&o.ID, &o.App, &expires, &created, &activity, &o.IPAddress, &o.UserAgent,
		&o.Device.Type, &o.Device.OS, &o.Device.Browser, &o.Location, &o.Page, &idle}
	err = rows.Scan(append(dest, more...)...)
	s.beats.Overlay(o.ID, &activity, &idle, &expires)
	o.ExpiresAt, o.CreatedAt, o.LastActivity = sqldb.Time(expires), sqldb.Time(created), sqldb.Time(activity)
	age := time.Duration(idle) * time.Millisecond
	o.LastInput, o.Idle = o.LastActivity.Add(-age), s.rules.Idle(age)
	return o, err
}
