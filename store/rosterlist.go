package store

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"rollcall/store/fold"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// onlineByRoster is Online where there is a roster.
func (s *Store) onlineByRoster(ctx context.Context, now time.Time, f OnlineFilter, order order, after *cursor) (page OnlinePage, err error) {
	if !s.roster.serves(ctx) {
		return page, ErrTooManyOnline
	}
	if f.isHeavy() {
		done, err := s.db.CallerTurn(ctx)
		if err != nil {
			return page, err
		}
		defer done()
	}
	var chosen []chosenPerson
	choose := func(look *sql.Tx, m presence.Cutoffs, r *roster) (err error) {
		if !f.isHeavy() {
			page.Counts = r.counts
			return nil
		}
		chosen, err = r.choose(ctx, look, m, f, after, &page.Counts)
		return err
	}
	err = s.roster.within(ctx, now, choose, func(look *sql.Tx, m presence.Cutoffs) (err error) {
		if f.Status == "" {
			if page.Counts.StillThere, page.Counts.Unidentified, err = countHidden(ctx, look, m, f); err != nil {
				return err
			}
		}
		if f.isHeavy() {
			err = s.readChosen(ctx, look, f, chosen, &page)
		} else {
			err = s.listOnline(ctx, look, m, f, order, after, &page)
		}
		if err == nil {
			err = s.addPresence(ctx, look, m, f.App, page.People)
		}
		page.People = slices.DeleteFunc(page.People, func(p OnlinePerson) bool { return len(p.Sessions) == 0 })
		f.sort(page.People)
		return err
	})
	return page, err
}

// countByRoster is CountOnline where there is a roster.
func (s *Store) countByRoster(ctx context.Context, now time.Time) (c presence.Counts, err error) {
	if !s.roster.serves(ctx) {
		return c, ErrTooManyOnline
	}
	count := func(_ *sql.Tx, _ presence.Cutoffs, r *roster) error {
		c = r.counts
		return nil
	}
	err = s.roster.within(ctx, now, count, func(look *sql.Tx, m presence.Cutoffs) (err error) {
		c.StillThere, c.Unidentified, err = countHidden(ctx, look, m, OnlineFilter{})
		return err
	})
	return c, err
}

// EachOnline calls f for everybody who is online at now with their key and status, in no order. It returns
// ErrTooManyOnline where they are too many to be told apart.
func (s *Store) EachOnline(ctx context.Context, now time.Time, f func(key string, status presence.Status)) error {
	each := func(_ *sql.Tx, _ presence.Cutoffs, r *roster) error {
		for i := range r.people {
			if _, status, online := r.in(&r.people[i], 0); online {
				f(r.people[i].key, status)
			}
		}
		return nil
	}
	err := s.roster.within(ctx, now, each, func(*sql.Tx, presence.Cutoffs) error { return nil })
	return sqldb.Wrap("looking who is online", err)
}

// chosenPerson is somebody in a page, with their place in the list.
type chosenPerson struct {
	key, name string
	number    int64 // since when they are online, or their latest activity
	id        int64 // of the session by which they stand there
}

func (c chosenPerson) cursor(sort Sort) cursor {
	switch sort {
	case SortName:
		return cursor{sort, c.name, c.key}
	case SortDuration:
		return cursor{sort, c.number, c.key}
	}
	return cursor{sort, c.number, c.id}
}

// compare is the order of a list.
func (f OnlineFilter) compare(a, b chosenPerson) int {
	switch f.Sort {
	case SortName:
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.key, b.key))
	case SortDuration:
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.key, b.key))
	}
	return cmp.Or(cmp.Compare(b.number, a.number), cmp.Compare(b.id, a.id))
}

// place is where the page before ended.
func (c *cursor) place(sort Sort) (at chosenPerson) {
	switch sort {
	case SortName:
		at.name, at.key = c.Key.(string), c.Tie.(string)
	case SortDuration:
		at.number, at.key = c.Key.(int64), c.Tie.(string)
	default:
		at.number, at.id = c.Key.(int64), c.Tie.(int64)
	}
	return at
}

// firstOf are the first people of a list, one more than a page has.
type firstOf struct {
	OnlineFilter
	after  *chosenPerson // where the page before ended
	people []chosenPerson
}

func newFirstOf(f OnlineFilter, after *cursor) *firstOf {
	l := &firstOf{OnlineFilter: f}
	if after != nil {
		l.after = new(after.place(f.Sort))
	}
	return l
}

func (l *firstOf) add(c chosenPerson) {
	if n := len(l.people); n > l.Limit && l.compare(c, l.people[n-1]) >= 0 || l.after != nil && l.compare(c, *l.after) <= 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(l.people, c, l.compare)
	l.people = slices.Insert(l.people, i, c)
	l.people = l.people[:min(len(l.people), l.Limit+1)]
}

// rosterFilter is a filter as a roster's people are held against it.
type rosterFilter struct {
	app, organization, team, role, exceptRole int32 // names: 0 for all, -1 where nobody has it
	search                                    string
}

func (r *roster) filter(f OnlineFilter) rosterFilter {
	name := func(text string) int32 {
		if text == "" {
			return 0
		}
		if known, ok := r.names[text]; ok {
			return known
		}
		return -1
	}
	return rosterFilter{name(f.App), name(f.Organization), name(f.Team), name(fold.Text(f.Role)), name(fold.Text(f.ExceptRole)), fold.Text(f.Search)}
}

func (f *rosterFilter) matches(p *rosterPerson) bool {
	return (f.organization == 0 || p.organization == f.organization) && (f.team == 0 || p.team == f.team) &&
		(f.role == 0 || p.role == f.role) && (f.exceptRole == 0 || p.role != f.exceptRole) && (f.search == "" || strings.Contains(p.searched, f.search))
}

// choose finds the people of a page, one more where others follow, and counts all who match.
func (r *roster) choose(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f OnlineFilter, after *cursor, c *presence.Counts) ([]chosenPerson, error) {
	filter, first := r.filter(f), newFirstOf(f, after)
	byActivity := f.Sort == SortActivity || f.Sort == ""
	r.pick++
	n, all := 0, 0
	for i := range r.people {
		p := &r.people[i]
		since, status, online := r.in(p, filter.app)
		if !online {
			continue
		}
		all++
		if !filter.matches(p) {
			continue
		}
		addCount(c, status, 1)
		switch {
		case f.Status != "" && status != f.Status:
		case !byActivity:
			first.add(chosenPerson{key: p.key, name: p.name(), number: since})
		default:
			p.pick = r.pick
			n++
		}
	}
	*c = c.Of(f.Status)
	if n == 0 {
		return first.people, nil
	}
	w := walk{r, first, filter.app, nil}
	few := n*n*walkFactor <= f.Limit*all
	if few || n < all/4 {
		w.find()
	}
	if few {
		return w.each(ctx, look)
	}
	return w.down(ctx, look, m, max(minWalk, (f.Limit+1)*all/n)) // so many have them, if they are as active as others
}

// walk finds those of the people whom the last choice marked who were active last.
type walk struct {
	*roster
	first *firstOf
	app   int32
	of    map[int64]int // whose sessions they are, by where they are in the roster; nil where most are of somebody marked
}

func (w *walk) find() {
	w.of = map[int64]int{}
	for i := range w.people {
		if w.people[i].pick == w.pick {
			w.sessions(&w.people[i], w.app, func(id int64) { w.of[id] = i })
		}
	}
}

// walkFactor is how many sessions are looked through in the order of activity in the time in which one is found by
// its id.
const walkFactor = 10

// each looks at all sessions of these people, who are few.
func (w *walk) each(ctx context.Context, look *sql.Tx) ([]chosenPerson, error) {
	latest := map[int]chosenPerson{}
	for some := range slices.Chunk(slices.Collect(maps.Keys(w.of)), peopleAtOnce) {
		q := sqldb.AddList(sqldb.NewQuery(`SELECT id, last_activity_at FROM user_sessions WHERE id IN `), some)
		err := q.Each(ctx, look, func(rows *sql.Rows) error {
			var c chosenPerson
			err := rows.Scan(&c.id, &c.number)
			i := w.of[c.id]
			c.key = w.people[i].key
			if before, ok := latest[i]; !ok || w.first.compare(c, before) < 0 {
				latest[i] = c
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, c := range latest {
		w.first.add(c)
	}
	return w.first.people, nil
}

// minWalk is how many sessions are looked through in one query at least.
const minWalk = 100

// down looks through everybody's sessions, the latest activity first, so many at a time. It begins with the first page,
// because whoever has a session there stands there by it.
func (w *walk) down(ctx context.Context, look *sql.Tx, m presence.Cutoffs, step int) ([]chosenPerson, error) {
	block := presence.InActivityBlock(`s.last_activity_at`)
	user := `s.user_id` // which is not in the index
	if w.of != nil {
		user = `''`
	}
	last, id := m.Future, int64(math.MaxInt64)
	for seen := step; seen == step && len(w.first.people) <= w.first.Limit; {
		q := sqldb.NewQuery(`SELECT s.id, s.last_activity_at, `+user+` FROM user_sessions s
			WHERE s.is_active = true AND s.last_activity_at > ? AND `+block+` >= ?`, m.Window, presence.ActivityBlock(m.Window))
		q.And(`(s.last_activity_at, s.id) < (?, ?) AND `+block+` <= ?`, last, id, presence.ActivityBlock(last))
		q.Add(` ORDER BY `+block+` DESC, s.last_activity_at DESC, s.id DESC LIMIT ?`, step)
		seen = 0
		err := q.Each(ctx, look, func(rows *sql.Rows) error {
			var key sql.RawBytes
			err := rows.Scan(&id, &last, &key)
			seen++
			if i, marked := w.whose(id, key); err == nil && marked && len(w.first.people) <= w.first.Limit {
				w.people[i].pick = 0 // their other sessions do not count
				w.first.add(chosenPerson{key: w.people[i].key, number: last, id: id})
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return w.first.people, nil
}

// whose tells where in the roster somebody marked is whose session this is, in the app.
func (w *walk) whose(id int64, key []byte) (i int, marked bool) {
	if w.of != nil {
		i, marked = w.of[id]
		return i, marked && w.people[i].pick == w.pick
	}
	if i, marked = w.at[string(key)]; marked && w.people[i].pick == w.pick {
		marked = false
		w.sessions(&w.people[i], w.app, func(own int64) { marked = marked || own == id })
		return i, marked
	}
	return 0, false
}

// readChosen reads the people of a page.
func (s *Store) readChosen(ctx context.Context, look *sql.Tx, f OnlineFilter, chosen []chosenPerson, page *OnlinePage) error {
	page.People = []OnlinePerson{}
	if len(chosen) > f.Limit {
		chosen = chosen[:f.Limit]
		page.Next = chosen[f.Limit-1].cursor(f.Sort).String()
	}
	keys := make([]string, len(chosen))
	place := make(map[string]int, len(chosen))
	for i, c := range chosen {
		keys[i], place[c.key] = c.key, i
	}
	for some := range slices.Chunk(keys, peopleAtOnce) {
		people, err := usersBy(ctx, look, some)
		if err != nil {
			return err
		}
		page.People = append(page.People, people...)
	}
	slices.SortFunc(page.People, func(a, b OnlinePerson) int { return cmp.Compare(place[a.Key()], place[b.Key()]) })
	return nil
}
