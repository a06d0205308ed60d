package store

import (
	"context"
	"database/sql"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Doubt is why somebody may be at work who is on no record.
type Doubt string

// The reasons.
const (
	UnknownToken  Doubt = "unknown_token"  // a page in use sends heartbeats by a token that nobody reported
	RefusedReport Doubt = "refused_report" // an application reported a login, and was refused
)

// How long somebody counts after they were noticed. A page whose token is unknown asks at least
// once a minute; whose login was refused may never be heard of again.
const (
	unknownTokenFor  = 150 * time.Second
	refusedReportFor = 15 * time.Minute
)

// maxUnidentified bounds how many are kept: strangers can make up tokens.
const maxUnidentified = 200

// Unidentified is somebody who may be at work and is on no record.
type Unidentified struct {
	Doubt  Doubt
	App    string // of the key by which they were reported; "" where nobody knows
	Detail string // of an unknown token the origin of its page, of a refused report the code of the refusal, of a heartbeat both
	SeenAt time.Time
}

// NoteUnknownToken notes that a page in use, of this origin, has a token that nobody reported.
func (s *Store) NoteUnknownToken(ctx context.Context, now time.Time, token, origin string) error {
	return s.noteUnidentified(ctx, now, s.tokenRef(token).id, unknownTokenFor, Unidentified{Doubt: UnknownToken, Detail: origin})
}

// NoteRefusedReport notes that the login of somebody in app was refused, with an error of this code. The
// subject tells several apart: the user's id where that is known, and then a later report of them that is
// taken has this forgotten.
func (s *Store) NoteRefusedReport(ctx context.Context, now time.Time, app, subject, code string) error {
	return s.noteUnidentified(ctx, now, s.reportID(app, subject), refusedReportFor, Unidentified{Doubt: RefusedReport, App: app, Detail: code})
}

// reportID is what the refused reports of a user of app are noted by.
func (s *Store) reportID(app, subject string) int64 {
	return s.tokenRef("report\x00" + app + "\x00" + subject).id
}

func (s *Store) noteUnidentified(ctx context.Context, now time.Time, id int64, lasts time.Duration, u Unidentified) error {
	if !s.doubted.begin(id, now) {
		return nil
	}
	m := s.at(now)
	err := s.write(ctx, func(t *tx) error {
		_, err := t.Exec(`DELETE FROM unidentified WHERE until <= $1 OR seen_at > $2`, m.Expiry, m.Future)
		if err == nil {
			_, err = t.Exec(`
				INSERT INTO unidentified (id, doubt, app, detail, seen_at, until) SELECT $1, $2, $3, $4, $5, $6
				WHERE (SELECT COUNT(*) FROM unidentified WHERE id <> $1) < $7
				ON CONFLICT (id) DO UPDATE SET doubt = excluded.doubt, detail = excluded.detail, seen_at = excluded.seen_at, until = excluded.until`,
				id, u.Doubt, u.App, u.Detail, m.Now, now.Add(lasts).UnixMilli(), maxUnidentified)
		}
		return err
	})
	if err != nil {
		s.doubted.forget(id)
	}
	return sqldb.Wrap("noting somebody who is on no record", err)
}

// ForgetUnknownToken forgets a page that is closing. Where another replica noted it, its time has to run out.
func (s *Store) ForgetUnknownToken(ctx context.Context, token string) error {
	id := s.tokenRef(token).id
	if !s.doubted.forget(id) {
		return nil
	}
	err := s.writeOne(ctx, func(t *tx) error { return t.forgetUnidentified(id) })
	return sqldb.Wrap("forgetting a page that is closing", err)
}

func (t *tx) forgetUnidentified(ids ...int64) error {
	q := sqldb.AddList(sqldb.NewQuery(`DELETE FROM unidentified WHERE id IN `), ids)
	_, err := t.Exec(q.String(), q.Args()...)
	return err
}

// fromUnidentified is who may be at work in an app, "" for any; in which app an unknown token is used
// nobody knows.
func fromUnidentified(q *sqldb.Query, m presence.Cutoffs, app string) {
	q.Add(` FROM unidentified WHERE until > ? AND seen_at <= ?`, m.Expiry, m.Future)
	if app != "" {
		q.And(`app IN (?, '')`, app)
	}
}

// countUnidentified counts who may be at work besides those who are known. Of what organization, team
// or role they are nobody knows, so that they belong in no list of one.
func countUnidentified(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f OnlineFilter) (n int, err error) {
	if f.Organization != "" || f.Team != "" || f.Role != "" || f.Search != "" {
		return 0, nil
	}
	q := sqldb.NewQuery(`SELECT COUNT(*)`)
	fromUnidentified(q, m, f.App)
	err = q.Scan(ctx, look, &n)
	return n, sqldb.Wrap("counting who is on no record", err)
}

// unidentified lists who may be at work in an app, the latest first, at most MaxBlocking.
func unidentified(ctx context.Context, look *sql.Tx, m presence.Cutoffs, app string) ([]Unidentified, error) {
	q := sqldb.NewQuery(`SELECT doubt, app, detail, seen_at`)
	fromUnidentified(q, m, app)
	q.Add(` ORDER BY seen_at DESC, id LIMIT ?`, MaxBlocking)
	some := []Unidentified{} // not nil: JSON must say [], never null
	err := q.Each(ctx, look, func(rows *sql.Rows) error {
		var one Unidentified
		var seen int64
		err := rows.Scan(&one.Doubt, &one.App, &one.Detail, &seen)
		one.SeenAt = sqldb.Time(seen)
		some = append(some, one)
		return err
	})
	return some, sqldb.Wrap("listing who is on no record", err)
}
