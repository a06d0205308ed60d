package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// readRoster reads everybody who is online at now: first which sessions may be, then these, and then whose they are, both
// in the order of their tables, so that each page of these is read once. Who changes meanwhile is in the log, behind the
// change that was the last before. It returns ErrTooManyOnline where there are too many.
func (s *Store) readRoster(ctx context.Context, now time.Time) (*roster, error) {
	r := &roster{at: map[string]int{}, owner: map[int64]int32{}, names: map[string]int32{}, timeline: s.db.Timeline(), judged: s.at(now), read: time.Now()}
	r.panel = r.name([]byte(presence.PanelApp))
	var err error
	if r.seq, err = s.LastChange(ctx); err != nil {
		return nil, err
	}
	ids, err := s.recentSessions(ctx, r.judged)
	if err != nil {
		return nil, err
	}
	if len(ids) > s.roster.limit {
		return nil, ErrTooManyOnline
	}
	err = r.readSessions(ctx, s, ids)
	if err == nil {
		err = inSteps(ctx, s.db, slices.Sorted(maps.Keys(r.at)), func(look *sql.Tx, some []string) error { return r.readUsers(ctx, look, some) })
	}
	if err != nil {
		return nil, err
	}
	if err := s.db.Snapshot(ctx, func(look *sql.Tx) error { return r.readClaims(ctx, look) }); err != nil {
		return nil, err
	}
	for i := range r.people {
		r.count(&r.people[i], 1)
	}
	return r, nil
}

// inSteps lets read look at so many of all at a time that it holds nobody up.
func inSteps[V any](ctx context.Context, db *sqldb.DB, all []V, read func(*sql.Tx, []V) error) error {
	for some := range slices.Chunk(all, rosterStep) {
		if err := db.HeavyStep(ctx, func(look *sql.Tx) error { return read(look, some) }); err != nil {
			return err
		}
	}
	return nil
}

// recentSessions returns the sessions that are online unless they are over or were left, in the order of the table.
func (s *Store) recentSessions(ctx context.Context, m presence.Cutoffs) (ids []int64, err error) {
	err = s.db.HeavySnapshot(ctx, func(look *sql.Tx) error {
		return eachBlock(ctx, look, m, func(_ int64, some []byte) bool {
			ids = appendIDs(ids, some)
			return true
		})
	})
	slices.Sort(ids)
	return ids, err
}

// readSessions reads those of these sessions that are online.
func (r *roster) readSessions(ctx context.Context, s *Store, ids []int64) error {
	query := func() *sqldb.Query {
		return sqldb.NewQuery(`SELECT s.user_id, s.app, s.created_at, s.idle_ms < ?, s.id FROM user_sessions s WHERE true`, s.rules.IdleAfter.Milliseconds())
	}
	return s.eachOf(ctx, ids, r.judged, query, func(rows *sql.Rows) error {
		var key, app sql.RawBytes
		var a rosterApp
		if err := rows.Scan(&key, &app, &a.since, &a.active, &a.id); err != nil {
			return err
		}
		i, known := r.at[string(key)]
		if !known {
			i = len(r.people)
			p := rosterPerson{key: string(key)}
			r.people, r.at[p.key] = append(r.people, p), i
		}
		a.app = r.name(app)
		r.people[i].add(a)
		r.owner[a.id] = int32(i)
		return nil
	})
}

// readUsers reads who the people with these keys are.
func (r *roster) readUsers(ctx context.Context, look *sql.Tx, keys []string) error {
	for some := range slices.Chunk(keys, peopleAtOnce) {
		q := sqldb.NewQuery(`SELECT ` + rosterUser + ` FROM users u LEFT JOIN organizations o ON o.id = u.organization_id WHERE u.id IN `).List(some)
		err := q.Each(ctx, look, func(rows *sql.Rows) error {
			who, err := r.scanUser(rows)
			if i, known := r.at[who.key]; known {
				p := &r.people[i]
				p.searched, p.nameLen, p.organization, p.team, p.role = who.searched, who.nameLen, who.organization, who.team, who.role
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *roster) readClaims(ctx context.Context, look *sql.Tx) error {
	q := sqldb.NewQuery(`SELECT c.user_id, `+claimed+` FROM status_claims c WHERE `+unexpired+` GROUP BY c.user_id`, r.judged.Now)
	return q.Each(ctx, look, func(rows *sql.Rows) error {
		var key string
		var status presence.Status
		err := rows.Scan(&key, &status)
		if i, known := r.at[key]; known {
			r.people[i].claimed = status
		}
		return err
	})
}
