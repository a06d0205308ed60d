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
	DeletedUser   Doubt = "deleted_user"   // a user was deleted who was there
	Unheard       Doubt = "unheard"        // the server has just started, or could record nothing for a while; on no row
)

// How long somebody counts after they were noticed. A page whose token is unknown asks at least
// once a minute; whose login was refused may never be heard of again.
const (
	unknownTokenFor  = 150 * time.Second
	refusedReportFor = 15 * time.Minute
)

// maxUnidentified bounds how many are kept one by one: strangers can make up tokens.
const maxUnidentified = 200

// Unidentified is somebody who may be at work and is on no record.
type Unidentified struct {
	Doubt  Doubt
	App    string // of the key by which they were reported; "" where nobody knows
	Detail string // of an unknown token the origin of its page, of a refused report the code of the refusal, of a heartbeat both, of Unheard its cause; "" of a deleted user
	SeenAt time.Time
}

// NoteUnknownToken notes that a page in use, of this origin, in a client (see [Beat]), has a token that nobody reported.
func (s *Store) NoteUnknownToken(ctx context.Context, now time.Time, token, client, origin string) error {
	return s.noteUnidentified(ctx, now, s.pageRef(token, client), unknownTokenFor, Unidentified{Doubt: UnknownToken, Detail: origin})
}

// NoteRefusedReport notes that the login of somebody in app was refused, with an error of this code. The
// subject tells several apart: the user's id where that is known, and then a later report of them that is
// taken has this forgotten.
func (s *Store) NoteRefusedReport(ctx context.Context, now time.Time, app, subject, code string) error {
	return s.noteUnidentified(ctx, now, doubtRef{id: s.reportID(app, subject)}, refusedReportFor, Unidentified{Doubt: RefusedReport, App: app, Detail: code})
}

// doubtRef is whom something is noted of. The pages with one token are one, whose clients do not hear of each other.
type doubtRef struct {
	id     int64
	client string
}

func (s *Store) pageRef(token, client string) doubtRef {
	return doubtRef{s.pageID(s.tokenRef(token)), clip(client, maxClient)}
}

// pageID is what pages with a token that nobody reported are noted by. Nothing is left in it of the id of the session
// that they may have had.
func (s *Store) pageID(token tokenRef) int64 { return s.tokenRef("page\x00" + string(token.digest)).id }

// reportID is what the refused reports of a user of app are noted by.
func (s *Store) reportID(app, subject string) int64 {
	return s.tokenRef("report\x00" + app + "\x00" + subject).id
}

func (s *Store) noteUnidentified(ctx context.Context, now time.Time, ref doubtRef, lasts time.Duration, u Unidentified) error {
	if s.beats == nil { // another replica may have heard meanwhile that the page is gone
		if err := s.forgetWhatIsNotThere(ctx, ref, now); err != nil {
			return err
		}
	}
	ref, isNews := s.doubted.begin(ref, s.restRef(u), now)
	if !isNews {
		return nil
	}
	m := s.at(now)
	u.SeenAt = now
	err := s.write(ctx, func(t *tx) error {
		err := t.forgetStrangers(m)
		if err == nil {
			err = t.noteUnidentified(ref, s.restRef(u), now.Add(lasts), u)
		}
		return err
	})
	if err != nil {
		s.doubted.forget(ref)
	}
	return sqldb.Wrap("noting somebody who is on no record", err)
}

// forgetWhatIsNotThere has somebody noted again who seems to have been just now, and counts for no longer than whoever
// says goodbye, unless there is no room.
func (s *Store) forgetWhatIsNotThere(ctx context.Context, ref doubtRef, now time.Time) error {
	if !s.doubted.has(ref) {
		return nil
	}
	var noted bool
	err := s.db.Scan(ctx, []any{&noted}, `
		SELECT EXISTS (SELECT 1 FROM unidentified WHERE id = $1 AND client = $2 AND until > $3) OR (SELECT COUNT(*) FROM unidentified WHERE until > $4) >= $5`,
		ref.id, ref.client, now.Add(s.rules.LeaveGrace).UnixMilli(), s.at(now).Expiry, maxUnidentified)
	if err == nil && !noted {
		s.doubted.forget(ref)
	}
	return sqldb.Wrap("looking for somebody who is on no record", err)
}

// forgetStrangers makes room: of those who count no more nothing is kept.
func (t *tx) forgetStrangers(m presence.Cutoffs) error {
	_, err := t.Exec(`DELETE FROM unidentified WHERE until <= $1 OR seen_at > $2`, m.Expiry, m.Future)
	return err
}

// restRef is of all who are doubted like somebody and for whom there is no room: they count as one, whom no goodbye
// takes out, so that whoever fills the table hides nobody.
func (s *Store) restRef(u Unidentified) doubtRef {
	return doubtRef{id: s.tokenRef("rest\x00" + string(u.Doubt) + "\x00" + u.App).id}
}

// noteUnidentified has somebody count up to a time; as one of the rest, where as many do as may be kept.
func (t *tx) noteUnidentified(ref, rest doubtRef, until time.Time, u Unidentified) error {
	noted, err := t.Exec(`
		INSERT INTO unidentified (id, client, doubt, app, detail, seen_at, until) SELECT $1, $2, $3, $4, $5, $6, $7
		WHERE CAST($1 AS BIGINT) = CAST($9 AS BIGINT) OR (SELECT COUNT(*) FROM unidentified WHERE id <> $1 OR client <> $2) < $8
		ON CONFLICT (id, client) DO UPDATE SET doubt = excluded.doubt, detail = excluded.detail, seen_at = excluded.seen_at,
			until = CASE WHEN excluded.id = $9 AND unidentified.until > excluded.until THEN unidentified.until ELSE excluded.until END`,
		ref.id, ref.client, u.Doubt, u.App, u.Detail, u.SeenAt.UnixMilli(), until.UnixMilli(), maxUnidentified, rest.id)
	if err == nil && noted == 0 {
		err = t.noteUnidentified(rest, rest, until, u)
	}
	return err
}

// NoteUnknownLeaving notes that the last page of a client with a token that nobody reported is closing: the next one
// has the grace of a goodbye to be heard of.
func (s *Store) NoteUnknownLeaving(ctx context.Context, now time.Time, token, client string) error {
	ref, m := s.pageRef(token, client), s.at(now)
	s.doubted.forget(ref)
	var counts bool // so that whoever makes up tokens has nothing written
	err := s.db.Scan(ctx, []any{&counts}, `SELECT EXISTS (SELECT 1 FROM unidentified WHERE id = $1 AND client = $2 AND until > $3)`, ref.id, ref.client, m.Expiry)
	if err == nil && counts {
		err = s.writeOne(ctx, func(t *tx) error {
			_, err := t.Exec(`UPDATE unidentified SET until = $4 WHERE id = $1 AND client = $2 AND until > $3`,
				ref.id, ref.client, m.Expiry, now.Add(s.rules.LeaveGrace).UnixMilli())
			return err
		})
	}
	return sqldb.Wrap("noting a page that is closing", err)
}

// keepUnidentified has those who are online by a user's sessions, or still there, count on as somebody: the user is about
// to be deleted. They count for as long as if the sessions were ended, and nothing tells who it was.
func (s *Store) keepUnidentified(t *tx, now time.Time, user string) error {
	m := s.at(now)
	_, err := t.Exec(`UPDATE user_sessions SET `+lingers(3)+` WHERE user_id = $1 AND is_active = true AND expires_at > $2`,
		append([]any{user, m.Expiry}, lingering(m)...)...)
	if err == nil {
		err = t.forgetStrangers(m)
	}
	pages := map[doubtRef]Unidentified{}
	until := map[doubtRef]time.Time{}
	if err == nil {
		err = t.Each(func(rows *sql.Rows) error {
			var token tokenRef
			var client, app string
			var refused int64
			err := rows.Scan(&token.digest, &client, &app, &refused)
			ref := doubtRef{s.pageID(token), client}
			if _, later := pages[ref]; !later { // by a session of the same token that began anew
				pages[ref], until[ref] = Unidentified{Doubt: DeletedUser, App: app, SeenAt: now}, sqldb.Time(refused).Add(s.rules.OnlineWindow)
			}
			return err
		}, pagesThere, user, presence.PanelApp, m.Window, m.Future, maxUnidentified)
	}
	for ref, page := range pages {
		if err == nil {
			err = t.noteUnidentified(ref, s.restRef(page), until[ref], page)
		}
	}
	return sqldb.Wrap("keeping that somebody is there", err)
}

// pagesThere are the pages of those who are still there by a user's sessions: by token and client.
const pagesThere = `
	SELECT s.token_sha256, COALESCE(c.client, ''), s.app, s.refused_at
	FROM user_sessions s LEFT JOIN (
		SELECT id AS session_id, client FROM user_sessions WHERE user_id = $1 AND client IS NOT NULL
		UNION SELECT session_id, client FROM session_clients WHERE session_id IN (SELECT id FROM user_sessions WHERE user_id = $1) AND heard_at > $3
	) c ON c.session_id = s.id
	WHERE s.user_id = $1 AND s.app <> $2 AND s.refused_at > $3 AND s.refused_at <= $4
	ORDER BY s.refused_at DESC LIMIT $5`

func (t *tx) forgetUnidentified(ids ...int64) error {
	q := sqldb.AddList(sqldb.NewQuery(`DELETE FROM unidentified WHERE id IN `), ids)
	_, err := t.Exec(q.String(), q.Args()...)
	return err
}

// fromUnidentified is who may be at work in an app, "" for any; in which app an unknown token is used
// nobody knows.
func fromUnidentified(q *sqldb.Query, m presence.Cutoffs, app string) {
	q.Add(` FROM unidentified u WHERE until > ? AND seen_at <= ?`, m.Expiry, m.Future)
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
	q := sqldb.NewQuery(`SELECT COUNT(DISTINCT id)`)
	fromUnidentified(q, m, f.App)
	err = q.Scan(ctx, look, &n)
	if m.Unheard != (presence.Unheard{}) {
		n++
	}
	return n, sqldb.Wrap("counting who is on no record", err)
}

// unidentified lists who may be at work in an app, the latest first, at most MaxBlocking.
func unidentified(ctx context.Context, look *sql.Tx, m presence.Cutoffs, app string) ([]Unidentified, error) {
	q := sqldb.NewQuery(`SELECT doubt, app, detail, seen_at FROM (SELECT u.*, ROW_NUMBER() OVER (PARTITION BY id ORDER BY seen_at DESC, client) AS place`)
	fromUnidentified(q, m, app)
	some := []Unidentified{} // not nil: JSON must say [], never null
	if m.Unheard != (presence.Unheard{}) {
		some = append(some, Unidentified{Doubt: Unheard, Detail: string(m.Unheard.Cause), SeenAt: m.Unheard.Since})
	}
	q.Add(`) latest WHERE place = 1 ORDER BY seen_at DESC, id LIMIT ?`, MaxBlocking-len(some))
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
