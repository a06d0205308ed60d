package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"rollcall/store/beats"
	"rollcall/store/fold"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// onlineByRoster is Online where there is a roster.
func (s *Store) onlineByRoster(ctx context.Context, now time.Time, f OnlineFilter, after *cursor) (page OnlinePage, err error) {
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
		chosen, err = r.choose(ctx, look, m, f, s.beats, after, &page.Counts)
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
			err = s.listByActivity(ctx, look, m, f, after, &page)
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
	number    int64 // since when they are online, or the latest activity: see beats.Place
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
		at.number, at.id = presence.LastOfActivityBlock(presence.ActivityBlock(c.Key.(int64))), c.Tie.(int64)
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
	search                                    searchText
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
	var some []string
	for i := range r.people[:min(len(r.people), searchSample)] {
		some = append(some, r.people[i].searched)
	}
	return rosterFilter{name(f.App), name(f.Organization), name(f.Team), name(fold.Text(f.Role)), name(fold.Text(f.ExceptRole)), newSearchText(fold.Text(f.Search), some)}
}

// searchSample is by how many people's texts it is told what is rare in them.
const searchSample = 100

func (f *rosterFilter) matches(p *rosterPerson) bool {
	return (f.organization == 0 || p.organization == f.organization) && (f.team == 0 || p.team == f.team) &&
		(f.role == 0 || p.role == f.role) && (f.exceptRole == 0 || p.role != f.exceptRole) && f.search.in(p.searched)
}

// choose finds the people of a page, one more where others follow, and counts all who match.
func (r *roster) choose(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f OnlineFilter, log *beats.Log, after *cursor, c *presence.Counts) ([]chosenPerson, error) {
	filter, first := r.filter(f), newFirstOf(f, after)
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
		case !f.byActivity():
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
	w := walk{r, log, first, filter.app}
	if n*n*walkFactor <= f.Limit*all {
		return w.each(ctx, look)
	}
	return w.down(ctx, look, m)
}

// readChosen reads the people of a page.
func (s *Store) readChosen(ctx context.Context, look *sql.Tx, f OnlineFilter, chosen []chosenPerson, page *OnlinePage) error {
	if len(chosen) > f.Limit {
		chosen = chosen[:f.Limit]
		page.Next = chosen[f.Limit-1].cursor(f.Sort).String()
	}
	keys := make([]string, len(chosen))
	place := make(map[string]int, len(chosen))
	for i, c := range chosen {
		keys[i], place[c.key] = c.key, i
	}
	people := make([]OnlinePerson, len(chosen))
	for some := range slices.Chunk(keys, peopleAtOnce) {
		found, err := usersBy(ctx, look, some)
		if err != nil {
			return err
		}
		for _, p := range found {
			people[place[p.Key()]] = p
		}
	}
	page.People = slices.DeleteFunc(people, func(p OnlinePerson) bool { return p.ID == "" }) // who is not on record
	return nil
}
