package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

const (
	maxRoster  = 250_000 // sessions online beyond which there is no roster: of a person it holds some 300 bytes
	rosterStep = 2000    // sessions, or users, that are read as of one instant
	maxBehind  = 1000    // changes that are caught up with, besides a quarter of the people
	rosterAge  = 10 * time.Minute
	judgeAgain = 30 * time.Second // whether there are few enough for a roster
)

var errStaleRoster = errors.New("what has changed since is not known any more")

// roster is who is online, in memory: as much of everybody as lists are filtered, counted and sorted by.
// It is for large databases, where SQL takes a second to look at everybody. It is read once and then kept by
// the log of changes and by what [Store.Due] says that time alone changes, as of the very snapshot by which it is
// asked. Whatever can not be told by these has it read anew. It does not know the latest activity, which
// heartbeats move without a word.
type roster struct {
	people   []rosterPerson   // in no order, and in one piece: they are gone through for every list
	at       map[string]int   // where in people somebody is, by key
	owner    map[int64]int32  // where in people whose a session is, by its id
	counts   presence.Counts  // of everybody who is in an app but the panel
	names    map[string]int32 // of what many people have in common, each by a number from 1 on
	panel    int32            // the name of the panel's app
	seq      int64            // last change that it knows
	judged   presence.Cutoffs
	timeline int64 // of the log of changes
	read     time.Time
	pick     int32 // how often people were chosen
}

type rosterPerson struct {
	key                      string
	searched                 string          // see the SQL of that name
	claimed                  presence.Status // "": nothing is claimed
	first                    rosterApp       // that the person is online in; without a name in none
	more                     []rosterApp
	nameLen                  int32 // of users.folded, with which searched begins
	organization, team, role int32 // names
	pick                     int32 // for which they were chosen last
}

type rosterApp struct {
	since  int64   // when the first session began
	id     int64   // of a session,
	ids    []int64 // and of the others
	app    int32   // its name
	active bool    // not all sessions are idle
}

func (p *rosterPerson) name() string { return p.searched[:p.nameLen] }

// in returns since when somebody is online in an app, or for 0 in any but the panel, and with which status.
func (r *roster) in(p *rosterPerson, app int32) (since int64, status presence.Status, online bool) {
	active := false
	see := func(a *rosterApp) {
		if app == a.app || app == 0 && a.app != r.panel {
			if !online || a.since < since {
				since = a.since
			}
			online, active = true, active || a.active
		}
	}
	see(&p.first)
	for i := range p.more {
		see(&p.more[i])
	}
	switch {
	case p.claimed != "":
		return since, p.claimed, online
	case active:
		return since, presence.StatusAvailable, online
	}
	return since, presence.StatusAway, online
}

// add notes a session of a person.
func (p *rosterPerson) add(a rosterApp) {
	if p.first.app == 0 {
		p.first = a
		return
	}
	known := &p.first
	if known.app != a.app {
		i := slices.IndexFunc(p.more, func(o rosterApp) bool { return o.app == a.app })
		if i < 0 {
			p.more = append(p.more, a)
			return
		}
		known = &p.more[i]
	}
	known.since, known.active = min(known.since, a.since), known.active || a.active
	if a.id != known.id {
		known.ids = append(known.ids, a.id)
	}
}

// sessions calls f for all sessions of a person.
func (p *rosterPerson) sessions(f func(id int64)) {
	p.first.sessions(f)
	for i := range p.more {
		p.more[i].sessions(f)
	}
}

func (a *rosterApp) sessions(f func(id int64)) {
	if a.app == 0 {
		return
	}
	f(a.id)
	for _, id := range a.ids {
		f(id)
	}
}

// sessionsIn calls f for those of a person in an app, or for 0 in any but the panel.
func (r *roster) sessionsIn(p *rosterPerson, app int32, f func(id int64)) {
	see := func(a *rosterApp) {
		if app == a.app || app == 0 && a.app != r.panel {
			a.sessions(f)
		}
	}
	see(&p.first)
	for i := range p.more {
		see(&p.more[i])
	}
}

// count adds a person to the counts, or with -1 takes them out.
func (r *roster) count(p *rosterPerson, n int) {
	if _, status, online := r.in(p, 0); online {
		addCount(&r.counts, status, n)
	}
}

func addCount(c *presence.Counts, status presence.Status, n int) {
	switch status {
	case presence.StatusAvailable:
		c.Available += n
	case presence.StatusBusy:
		c.Busy += n
	default:
		c.Away += n
	}
}

// rosterUser are the columns of u and o that scanUser reads.
const rosterUser = `u.id, u.folded, COALESCE(o.folded, ''), COALESCE(o.name, ''), u.team_name, u.role_folded`

// scanUser reads a person, who is in no app yet, and further columns into more.
func (r *roster) scanUser(rows *sql.Rows, more ...any) (rosterPerson, error) {
	var key, name, of string
	var organization, team, role sql.RawBytes
	if err := rows.Scan(append([]any{&key, &name, &of, &organization, &team, &role}, more...)...); err != nil {
		return rosterPerson{}, err
	}
	return rosterPerson{key: key, searched: name + " " + of, nameLen: int32(len(name)),
		organization: r.name(organization), team: r.name(team), role: r.name(role)}, nil
}

// name returns the number of a text that many people have in common.
func (r *roster) name(raw []byte) int32 {
	known, ok := r.names[string(raw)]
	if !ok {
		known = int32(len(r.names) + 1)
		r.names[string(raw)] = known
	}
	return known
}

// catchUp brings the roster to the state of a snapshot, judged by m. It returns errStaleRoster where that is to be
// read anew.
func (r *roster) catchUp(ctx context.Context, s *Store, look *sql.Tx, m presence.Cutoffs) error {
	keys, seq, err := r.changed(ctx, s, look)
	if err != nil {
		return err
	}
	if m != r.judged {
		err = sqldb.Each(ctx, look, func(rows *sql.Rows) error {
			var key string
			err := rows.Scan(&key)
			keys = append(keys, key)
			return err
		}, dueQuery, dueBetween(r.judged, m)...)
	}
	slices.Sort(keys)
	for some := range slices.Chunk(slices.Compact(keys), peopleAtOnce) {
		if err == nil {
			err = r.look(ctx, s, look, m, some)
		}
	}
	if err == nil {
		r.seq, r.judged = seq, m
	}
	return err
}

// changed returns whom the log of changes names since, and how far it got.
func (r *roster) changed(ctx context.Context, s *Store, look *sql.Tx) (keys []string, seq int64, err error) {
	most := maxBehind + len(r.people)/4
	seq = r.seq
	if err = look.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) FROM changes`).Scan(&seq); err != nil {
		return nil, 0, err
	}
	if seq < r.seq || seq > r.seq+int64(most) || s.db.Timeline() != r.timeline {
		return nil, 0, errStaleRoster
	}
	next := r.seq
	err = sqldb.Each(ctx, look, func(rows *sql.Rows) error {
		c, err := scanChange(rows)
		next++
		if err == nil && (c.Seq != next || c.Erasure()) {
			err = errStaleRoster
		}
		if c.UserID != "" {
			keys = append(keys, c.UserID)
		}
		return err
	}, changesQuery, r.seq, most)
	if err == nil && next != seq {
		err = errStaleRoster
	}
	return keys, seq, err
}

// look reads some people anew.
func (r *roster) look(ctx context.Context, s *Store, look *sql.Tx, m presence.Cutoffs, keys []string) error {
	found := make(map[string]*rosterPerson, len(keys))
	q := sqldb.NewQuery(`SELECT `+rosterUser+`, COALESCE((SELECT `+claimed+` FROM status_claims c WHERE c.user_id = u.id AND `+unexpired+`), '')
		FROM users u LEFT JOIN organizations o ON o.id = u.organization_id WHERE u.id IN `, m.Now).List(keys)
	err := q.Each(ctx, look, func(rows *sql.Rows) error {
		var status presence.Status
		p, err := r.scanUser(rows, &status)
		p.claimed, found[p.key] = status, &p
		return err
	})
	if err != nil {
		return err
	}
	q = sqldb.NewQuery(`SELECT s.user_id, s.app, s.created_at, s.idle_ms < ?, s.id`, s.rules.IdleAfter.Milliseconds())
	fromSessionsOf(q, keys).And(presence.OnlineRule("s"), m.Bounds()...)
	err = q.Each(ctx, look, func(rows *sql.Rows) error {
		var key, app sql.RawBytes
		var a rosterApp
		err := rows.Scan(&key, &app, &a.since, &a.active, &a.id)
		if p := found[string(key)]; err == nil && p != nil {
			a.app = r.name(app)
			p.add(a)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		r.replace(key, found[key])
	}
	return nil
}

// replace has a person be as they are now; nil: they are not on record.
func (r *roster) replace(key string, p *rosterPerson) {
	i, known := r.at[key]
	if known {
		r.count(&r.people[i], -1)
		r.people[i].sessions(func(id int64) {
			if r.owner[id] == int32(i) { // else it is somebody else's now, whose token it was reported with
				delete(r.owner, id)
			}
		})
	}
	online := p != nil && p.first.app != 0
	switch last := len(r.people) - 1; {
	case online && known:
		r.people[i] = *p
	case online:
		r.at[key] = len(r.people)
		r.people = append(r.people, *p)
	case known:
		if i != last {
			r.people[i] = r.people[last]
			r.at[r.people[i].key] = i
			r.own(i)
		}
		r.people[last] = rosterPerson{} // nothing is left of them
		r.people = r.people[:last]
		delete(r.at, key)
	}
	if online {
		r.count(p, 1)
		r.own(r.at[key])
	}
}

// own notes whose sessions those of the person at i are.
func (r *roster) own(i int) {
	r.people[i].sessions(func(id int64) { r.owner[id] = int32(i) })
}

// fromSessionsOf adds FROM and WHERE of the sessions s of some users, each found by the index on users: the database
// would otherwise look through all that are online for more than a few.
func fromSessionsOf(q *sqldb.Query, keys []string) *sqldb.Query {
	q.Add(` FROM (VALUES (?)`, keys[0])
	for _, key := range keys[1:] {
		q.Add(`, (?)`, key)
	}
	return q.Add(`) k CROSS JOIN user_sessions s WHERE s.user_id = k.column1`)
}
