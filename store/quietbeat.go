package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"rollcall/store/beats"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// FoldHeartbeats brings quiet heartbeats that have waited for long enough at now into the rows of their
// sessions. It is to be called every second.
func (s *Store) FoldHeartbeats(ctx context.Context, now time.Time) error {
	return s.beats.FoldDue(ctx, now)
}

// FoldAllHeartbeats brings all quiet heartbeats into the rows of their sessions: before somebody
// reads these with another program.
func (s *Store) FoldAllHeartbeats(ctx context.Context) error { return s.beats.FoldAll(ctx) }

// HeartbeatsWaiting returns how many sessions have quiet heartbeats that are not in their rows yet.
func (s *Store) HeartbeatsWaiting() int {
	sessions, _ := s.beats.Waiting()
	return sessions
}

// settle makes sure that the rows answer a question as of now as if no heartbeat were waiting. That is so
// but where the clock has jumped. Where it fails, nothing can be written, and then people are judged
// leniently for as long as heartbeats are refused: the rows are asked as they are.
func (s *Store) settle(ctx context.Context, now time.Time) { s.settleAt(ctx, s.at(now)) }

// settleAt is settle for questions with these cutoffs.
func (s *Store) settleAt(ctx context.Context, questions ...presence.Cutoffs) {
	for _, m := range questions {
		_ = s.beats.Settle(ctx, m)
	}
}

// snapshot reads as of one instant, and with the cutoffs of now, what is settled.
func (s *Store) snapshot(ctx context.Context, now time.Time, read func(*sql.Tx, presence.Cutoffs) error) error {
	s.settle(ctx, now)
	return s.db.Snapshot(ctx, func(look *sql.Tx) error { return read(look, s.at(now)) })
}

// settleFor is settle for a list of sessions. One about a time in the past is not judged by today's
// slack, and one about a range goes by ends that any heartbeat moves.
func (s *Store) settleFor(ctx context.Context, now time.Time, f SessionFilter) {
	s.settle(ctx, now)
	if f.At != nil {
		s.settleAt(ctx, s.rules.At(*f.At, presence.Slack{}))
	}
	if f.From != nil {
		s.settleAt(ctx, s.rules.At(*f.From, presence.Slack{}))
	}
}

// settleUser makes sure that a user's rows say all there is, unless nothing can be written.
func (s *Store) settleUser(ctx context.Context, user string) {
	if s.HeartbeatsWaiting() > 0 {
		_ = s.writeOne(ctx, func(t *tx) error { return s.foldUser(t.Tx, user) })
	}
}

// foldPerson brings the waiting heartbeats of a person, who has this session, into the rows.
func (s *Store) foldPerson(t *sqldb.Tx, session int64) error {
	return s.foldThose(t, `SELECT o.id FROM user_sessions s JOIN user_sessions o ON o.user_id = s.user_id AND o.is_active = true WHERE s.id = $1 LIMIT $2`, session)
}

// foldUser is foldPerson for whoever has this id.
func (s *Store) foldUser(t *sqldb.Tx, user string) error {
	return s.foldThose(t, `SELECT id FROM user_sessions WHERE user_id = $1 AND is_active = true LIMIT $2`, user)
}

// foldThose folds the heartbeats of the person's active sessions that a query finds. Whoever has more of
// them than beats.MaxSiblings besides one has none that waits.
func (s *Store) foldThose(t *sqldb.Tx, query string, person any) error {
	if !s.beats.AnyIn(t) {
		return nil
	}
	var ids []int64
	err := t.Each(func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, query, person, beats.MaxSiblings+1)
	if err != nil {
		return sqldb.Wrap("finding a person's sessions", err)
	}
	return s.beats.FoldIn(t, ids)
}

// forgetRows has the rows of a user's sessions be looked at for their next heartbeat, now that there is another one.
func (s *Store) forgetRows(t *sqldb.Tx, user string) error {
	if s.beats == nil {
		return nil
	}
	return t.Each(func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		s.beats.Forget(id)
		return err
	}, `SELECT id FROM user_sessions WHERE user_id = $1 AND is_active = true LIMIT 3`, user) // where there are more, none is known
}

// runQuiet logs those of heartbeats of which nobody can see a difference, and refuses those whose tokens are
// unknown. The others are left to be recorded one by one, as are all that come after one that is left of the
// same person.
func (s *Store) runQuiet(t *sqldb.Tx, bulk []sqldb.Bulk) error {
	s.beats.Begin(t)
	rows, err := s.rowsOf(t, bulk)
	if err != nil {
		return sqldb.Wrap("recording heartbeats", err)
	}
	left := map[string]bool{} // users
	for _, b := range bulk {
		h := b.(*heartbeat)
		row := rows[h.id]
		if !row.isOf(h) || left[row.user] {
			continue
		}
		entry, quiet := s.beats.Quiet(row.Row, beats.Beat{
			Cutoffs: h.Cutoffs, StaleBefore: h.staleBefore, Idle: h.idle, IdleAfter: h.idleAfter, End: h.end, Page: h.page})
		if !quiet || row.sessions > beats.MaxSiblings+1 || row.client == nil || h.client != *row.client {
			left[row.user] = true
			continue
		}
		print := h.print
		if row.sessions > 1 {
			print = 0
		}
		s.beats.Add(t, entry, print)
		h.recordedIn, h.unchanged, h.result.ExpiresAt = t, true, sqldb.Time(entry.Expires)
		if h.wantMember {
			if h.result.Member, err = (&tx{t}).member(h.id); err != nil {
				return err
			}
		}
	}
	return s.beats.Write(t)
}

// rowsOf returns the rows of the sessions of heartbeats, looking at those that are not known.
func (s *Store) rowsOf(t *sqldb.Tx, bulk []sqldb.Bulk) (map[int64]*beatingRow, error) {
	if err := s.beats.CheckOthers(t); err != nil {
		return nil, err
	}
	rows := make(map[int64]*beatingRow, len(bulk))
	unknown := make([]sqldb.Bulk, 0, len(bulk))
	for _, b := range bulk {
		h := b.(*heartbeat)
		if h.page != nil {
			h.print = s.beats.PrintOf(h.digest, h.client, *h.page)
			if row, ok := s.beats.Known(h.id, h.print); ok {
				row.Page = *h.page
				rows[h.id] = &beatingRow{Row: row, digest: h.digest, client: &h.client, sessions: 1, user: strconv.FormatInt(h.id, 10)}
				continue
			}
		}
		unknown = append(unknown, b)
	}
	if len(unknown) == 0 {
		return rows, nil
	}
	loaded, err := loadRows(t, unknown)
	if err == nil {
		err = followAll(t, unknown, loaded)
	}
	maps.Copy(rows, loaded) // what is read is more than what is known
	return rows, err
}

// beatingRow is what the database has of a session whose heartbeat comes.
type beatingRow struct {
	beats.Row
	digest   []byte
	user     string
	client   *string
	sessions int // that the user has active, as far as they are counted
}

// isOf tells whether a heartbeat has the session's token.
func (r *beatingRow) isOf(h *heartbeat) bool { return r != nil && bytes.Equal(r.digest, h.digest) }

// followAll finds the sessions of the heartbeats whose tokens did not begin them, as byToken does, and
// adds them to those known. It refuses those whose tokens are unknown.
func followAll(t *sqldb.Tx, bulk []sqldb.Bulk, known map[int64]*beatingRow) error {
	by := map[int64][]*heartbeat{} // token
	for _, b := range bulk {
		if h := b.(*heartbeat); !known[h.id].isOf(h) {
			by[h.id] = append(by[h.id], h)
		}
	}
	if len(by) == 0 {
		return nil
	}
	list, err := json.Marshal(slices.Collect(maps.Keys(by)))
	if err != nil {
		return err
	}
	var followed []sqldb.Bulk
	found := map[*heartbeat]bool{}
	err = t.Each(func(rows *sql.Rows) error {
		var token, session tokenRef
		var until *int64
		err := rows.Scan(&token.id, &token.digest, &until, &session.id, &session.digest)
		for _, h := range by[token.id] {
			if !bytes.Equal(token.digest, h.digest) {
				continue
			}
			found[h] = true
			if until == nil || *until > h.Now {
				h.tokenRef, h.result.ID = session, session.id
				followed = append(followed, h)
			}
		}
		return err
	}, `SELECT k.id, k.token_sha256, k.until, s.id, s.token_sha256
		FROM json_each($1) j CROSS JOIN session_tokens k JOIN user_sessions s ON s.id = k.session_id WHERE k.id = j.value`, string(list))
	for _, unknown := range by {
		for _, h := range unknown {
			if err == nil && !found[h] {
				h.refuseUnknown(t)
			}
		}
	}
	if err != nil || len(followed) == 0 {
		return err
	}
	more, err := loadRows(t, followed)
	maps.Copy(known, more)
	return err
}

const beatingRows = `
	SELECT s.id, s.token_sha256, s.user_id, s.last_activity_at, s.idle_ms, s.expires_at, s.is_active, s.heard, s.leaving_at IS NOT NULL, s.page, s.client,
		(SELECT COUNT(*) FROM (SELECT 1 FROM user_sessions o WHERE o.user_id = s.user_id AND o.is_active = true LIMIT $2) few)
	FROM json_each($1) j CROSS JOIN user_sessions s WHERE s.id = j.value`

// loadRows reads the sessions of heartbeats, with their person's other active sessions.
func loadRows(t *sqldb.Tx, bulk []sqldb.Bulk) (map[int64]*beatingRow, error) {
	ids := make([]int64, len(bulk))
	for i, b := range bulk {
		ids[i] = b.(*heartbeat).id
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	known := make(map[int64]*beatingRow, len(bulk))
	of := map[string][]*beatingRow{} // users with several
	err = t.Each(func(rows *sql.Rows) error {
		r := &beatingRow{}
		err := rows.Scan(&r.Session, &r.digest, &r.user, &r.Activity, &r.Idle, &r.Expires, &r.Active, &r.Heard, &r.Leaving, &r.Page, &r.client, &r.sessions)
		if known[r.Session] == nil { // two heartbeats of one session
			known[r.Session] = r
			if r.sessions > 1 && r.sessions <= beats.MaxSiblings+1 {
				of[r.user] = append(of[r.user], r)
			}
		}
		return err
	}, beatingRows, string(list), beats.MaxSiblings+2)
	if err == nil && len(of) > 0 {
		err = loadSiblings(t, of)
	}
	return known, err
}

func loadSiblings(t *sqldb.Tx, of map[string][]*beatingRow) error {
	users := make([]string, 0, len(of))
	for user := range of {
		users = append(users, user)
	}
	list, err := json.Marshal(users)
	if err != nil {
		return err
	}
	return t.Each(func(rows *sql.Rows) error {
		var user string
		var o beats.Sibling
		err := rows.Scan(&user, &o.Session, &o.Activity, &o.Idle)
		for _, r := range of[user] {
			if r.Session != o.Session {
				r.Siblings = append(r.Siblings, o)
			}
		}
		return err
	}, `SELECT o.user_id, o.id, o.last_activity_at, o.idle_ms FROM json_each($1) j CROSS JOIN user_sessions o WHERE o.user_id = j.value AND o.is_active = true`, string(list))
}

// latestWaiting returns the later ones of these times, of activity up to now and after it, and those of
// waiting heartbeats of active sessions.
func (s *Store) latestWaiting(ctx context.Context, now, heard, ahead int64) (int64, int64, error) {
	all := s.beats.Latest(math.MaxInt64)
	if len(all) > 0 && all[0].At > now { // seldom
		future, err := s.latestActive(ctx, all)
		if err != nil {
			return heard, ahead, err
		}
		if future > now {
			ahead = max(ahead, future)
		}
		all = s.beats.Latest(now)
	}
	latest, err := s.latestActive(ctx, all)
	return max(heard, latest), ahead, err
}

// maxLooked is how many heartbeats that wait are looked at. Where that many are of sessions that have ended, it is
// believed that nobody was heard of for longer, which only has people judged more leniently.
const maxLooked = 2000

// latestActive returns when the first of these waiting heartbeats was that is of an active session; 0 for none.
func (s *Store) latestActive(ctx context.Context, latest []beats.Entry) (int64, error) {
	for _, e := range latest[:min(len(latest), maxLooked)] {
		var counts bool
		err := s.db.Scan(ctx, []any{&counts}, `
			SELECT EXISTS (SELECT 1 FROM user_sessions WHERE id = $1 AND last_activity_at = $2 AND is_active = true)`, e.Session, e.Base)
		if err != nil || counts {
			return e.At, err
		}
	}
	return 0, nil
}
