package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// peopleAtOnce bounds how many users one query names: SQLite looks for each parameter among all before it.
const peopleAtOnce = 200

// People returns the users with these keys as the list shows them at now, in no
// order; keys that nobody has are left out. Who is not online has StatusOffline,
// no Sessions, and why in Left. Sessions of the panel do not count.
func (s *Store) People(ctx context.Context, now time.Time, keys []string) ([]OnlinePerson, error) {
	var people []OnlinePerson
	err := s.snapshot(ctx, now, func(look *sql.Tx, m presence.Cutoffs) error { // one instant for everybody
		for some := range slices.Chunk(keys, peopleAtOnce) {
			found, err := s.people(ctx, look, m, some)
			if err != nil {
				return err
			}
			people = append(people, found...)
		}
		return nil
	})
	return people, sqldb.Wrap("looking at people", err)
}

func (s *Store) people(ctx context.Context, look *sql.Tx, m presence.Cutoffs, keys []string) ([]OnlinePerson, error) {
	people, err := usersBy(ctx, look, keys)
	if err == nil {
		err = s.addPresence(ctx, look, m, "", people)
	}
	if err == nil {
		err = s.addLeft(ctx, look, people)
	}
	return people, err
}

// usersBy returns the users with these keys, in no order.
func usersBy(ctx context.Context, look *sql.Tx, keys []string) (people []OnlinePerson, err error) {
	q := sqldb.NewQuery(`
		SELECT u.id, u.name, u.email, u.role, u.team_name, u.access, u.organization_id, COALESCE(o.name, '')
		FROM users u LEFT JOIN organizations o ON o.id = u.organization_id WHERE u.id IN `).List(keys)
	err = q.Each(ctx, look, func(rows *sql.Rows) error {
		var p OnlinePerson
		err := rows.Scan(userKey{&p.User}, &p.Name, &p.Email, &p.Role, &p.Team, &p.Access, &p.OrganizationID, &p.Organization)
		people = append(people, p)
		return err
	})
	return people, err
}

// addLeft tells of those who are offline why they are: how the session ended
// that was online last.
func (s *Store) addLeft(ctx context.Context, look *sql.Tx, people []OnlinePerson) error {
	offline := map[string]*OnlinePerson{}
	var ids []string
	for i := range people {
		if p := &people[i]; p.Status == presence.StatusOffline {
			offline[p.Key()] = p
			ids = append(ids, p.Key())
		}
	}
	if ids == nil {
		return nil
	}
	latest := map[string]presence.Departure{}
	q := sqldb.NewQuery(`
		SELECT user_id, last_activity_at, heard, leaving_at, expires_at, ended_at, COALESCE(end_reason, '')
		FROM user_sessions WHERE app <> ? AND user_id IN `, presence.PanelApp).List(ids)
	return q.Each(ctx, look, func(rows *sql.Rows) error {
		var id string
		var st presence.SessionTimes
		if err := rows.Scan(&id, &st.Activity, &st.Heard, &st.Leaving, &st.Expires, &st.Ended, &st.Reason); err != nil {
			return err
		}
		if d := s.rules.Departure(st); d.At >= latest[id].At {
			latest[id], offline[id].Left = d, d.Reason
		}
		return nil
	})
}
