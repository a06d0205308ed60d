package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"rollcall/store/presence"
)

// peopleAtOnce bounds how many ids one query names.
const peopleAtOnce = 500

// People returns the users with these ids as the list shows them at now, in no
// order; ids that nobody has are left out. Who is not online has StatusOffline,
// no Sessions, and why in Left. Sessions of the panel do not count.
func (s *Store) People(ctx context.Context, now time.Time, ids []string) ([]OnlinePerson, error) {
	look, err := s.read.BeginTx(ctx, s.engine.snapshotOpts) // one instant for everybody
	if err != nil {
		return nil, wrapErr("looking at people", err)
	}
	defer look.Rollback()
	m := s.at(now)
	var people []OnlinePerson
	for some := range slices.Chunk(ids, peopleAtOnce) {
		found, err := s.people(ctx, look, m, some)
		if err != nil {
			return nil, wrapErr("looking at people", err)
		}
		people = append(people, found...)
	}
	return people, nil
}

func (s *Store) people(ctx context.Context, look *sql.Tx, m presence.Cutoffs, ids []string) ([]OnlinePerson, error) {
	var people []OnlinePerson
	q := new(query).add(`
		SELECT u.id, u.name, u.email, u.role, u.team_name, u.access, u.organization_id, COALESCE(o.name, '')
		FROM users u LEFT JOIN organizations o ON o.id = u.organization_id WHERE u.id IN `).list(ids)
	err := each(ctx, look, func(rows *sql.Rows) error {
		var p OnlinePerson
		err := rows.Scan(&p.ID, &p.Name, &p.Email, &p.Role, &p.Team, &p.Access, &p.OrganizationID, &p.Organization)
		people = append(people, p)
		return err
	}, q.String(), q.args...)
	if err == nil {
		err = s.addPresence(ctx, look, m, "", people)
	}
	if err == nil {
		err = s.addLeft(ctx, look, people)
	}
	return people, err
}

// addLeft tells of those who are offline why they are: how the session ended
// that was online last.
func (s *Store) addLeft(ctx context.Context, look *sql.Tx, people []OnlinePerson) error {
	offline := map[string]*OnlinePerson{}
	var ids []string
	for i := range people {
		if p := &people[i]; p.Status == presence.StatusOffline {
			offline[p.ID] = p
			ids = append(ids, p.ID)
		}
	}
	if ids == nil {
		return nil
	}
	latest := map[string]presence.Departure{}
	q := new(query).add(`
		SELECT user_id, last_activity_at, leaving_at, expires_at, ended_at, COALESCE(end_reason, '')
		FROM user_sessions WHERE app <> ? AND user_id IN `, PanelApp).list(ids)
	return each(ctx, look, func(rows *sql.Rows) error {
		var id string
		var st presence.SessionTimes
		if err := rows.Scan(&id, &st.Activity, &st.Leaving, &st.Expires, &st.Ended, &st.Reason); err != nil {
			return err
		}
		if d := s.rules.Departure(st); d.At >= latest[id].At {
			latest[id], offline[id].Left = d, d.Reason
		}
		return nil
	}, q.String(), q.args...)
}
