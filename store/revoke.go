package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Ending is why sessions end and, where somebody asked for it, who that was and
// what they have to say about it.
type Ending struct {
	Reason presence.EndReason
	By     string // user:ID, key:ID:APP or ActorCLI
	Note   string // at most 200 characters
}

const maxNote = 200

// revokeBatch bounds what one write ends, so that heartbeats never wait long
// behind it.
const revokeBatch = 250

// Check refuses a note that would not be kept as it is.
func (e Ending) Check() error {
	switch {
	case utf8.RuneCountInString(e.Note) > maxNote:
		return sqldb.Invalid(fmt.Sprintf("note must have at most %d characters", maxNote))
	case !utf8.ValidString(e.Note) || strings.ContainsFunc(e.Note, unicode.IsControl):
		return sqldb.Invalid("note must not have control characters")
	}
	return nil
}

// Revoke ends the session with this id, of whatever app, and tells whether it
// was active until now.
func (s *Store) Revoke(ctx context.Context, now time.Time, id int64, e Ending) (ok bool, err error) {
	var ended int64
	if err := e.Check(); err != nil {
		return false, err
	}
	s.settle(ctx, now)
	err = s.write(ctx, func(t *tx) (err error) {
		ended, err = t.revoke(s.at(now), e, []int64{id}, filterWords{})
		return err
	})
	return ended > 0, err
}

// CountSessions returns how many sessions match, of all pages. ErrInvalid as for
// Sessions.
func (s *Store) CountSessions(ctx context.Context, now time.Time, f SessionFilter) (n int64, err error) {
	err = s.eachMatching(ctx, now, f, `SELECT COUNT(*)`, func(rows *sql.Rows) error { return rows.Scan(&n) })
	return n, sqldb.Wrap("counting sessions", err)
}

// RevokeAll ends the active sessions that match at now, and returns how many
// these were. Whoever logs in meanwhile stays. Where it fails, some may have
// ended; to repeat it is safe.
func (s *Store) RevokeAll(ctx context.Context, now time.Time, f SessionFilter, e Ending) (ended int64, err error) {
	if err := e.Check(); err != nil {
		return 0, err
	}
	var ids []int64
	err = s.eachMatching(ctx, now, f, `SELECT s.id`, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return 0, sqldb.Wrap("finding the sessions to end", err)
	}
	return s.revokeEach(ctx, now, ids, e, f.words())
}

// revokeEach ends those of the sessions that are active, some at a time.
func (s *Store) revokeEach(ctx context.Context, now time.Time, ids []int64, e Ending, which filterWords) (ended int64, err error) {
	for some := range slices.Chunk(ids, revokeBatch) {
		var n int64
		err := s.write(ctx, func(t *tx) (err error) {
			n, err = t.revoke(s.at(now), e, some, which)
			return err
		})
		if err != nil {
			return ended, err
		}
		ended += n
	}
	return ended, nil
}

// revoke ends those of the sessions that are active, and records it for each of
// their users, who may ask who did it. The filter that found them is told in words.
func (t *tx) revoke(m presence.Cutoffs, e Ending, ids []int64, which filterWords) (ended int64, err error) {
	users := map[string][]int64{}
	for _, id := range ids {
		var user string
		err := t.Scan([]any{&user}, `
			UPDATE user_sessions SET is_active = false, ended_at = $1, end_reason = $2, ended_by = $4, end_note = $5, `+lingers(7)+`
			WHERE is_active = true AND expires_at > $3 AND id = $6 RETURNING user_id`,
			append([]any{m.Now, string(e.Reason), m.Expiry, e.By, e.Note, id}, lingering(m)...)...)
		if errors.Is(err, sql.ErrNoRows) {
			if err := t.endExpired(id); err != nil {
				return 0, err
			}
			continue
		}
		if err != nil {
			return 0, sqldb.Wrap("ending a session", err)
		}
		users[user] = append(users[user], id)
		ended++
	}
	for _, user := range slices.Sorted(maps.Keys(users)) {
		event := AuditEvent{Actor: e.By, Action: "session.revoke", Target: UserActor(user), Detail: sessionCount(int64(len(users[user])))}
		if len(users[user]) == 1 {
			event.Detail = "session " + strconv.FormatInt(users[user][0], 10)
		}
		event.Detail = joined(event.Detail, which.detail)
		event.Words = joined(which.typed, e.Note)
		if err := t.record(sqldb.Time(m.Now), event); err != nil {
			return 0, err
		}
	}
	return ended, nil
}

func sessionCount(n int64) string {
	if n == 1 {
		return "1 session"
	}
	return strconv.FormatInt(n, 10) + " sessions"
}

// filterWords say which sessions were meant. What somebody typed may be anybody's name.
type filterWords struct{ detail, typed string }

func (f SessionFilter) words() (w filterWords) {
	words := []string{"all of " + string(f.withDefaults().State)}
	for _, term := range [][2]string{{"user", f.User}, {"app", f.App}, {"organization", f.Organization}, {"device", f.Device}} {
		if term[1] != "" {
			words = append(words, term[0]+" "+strconv.Quote(term[1]))
		}
	}
	if f.IP != "" {
		words = append(words, "one address") // which the audit log would keep for longer than the sessions do
	}
	w.detail = strings.Join(words, ", ")
	if f.Search != "" {
		w.typed = "q " + strconv.Quote(f.Search)
	}
	return w
}

// eachMatching asks about the sessions s that match, in no order.
func (s *Store) eachMatching(ctx context.Context, now time.Time, f SessionFilter, ask string, row func(*sql.Rows) error) error {
	f = f.withDefaults()
	if _, err := f.check(); err != nil {
		return err
	}
	s.settleFor(ctx, now, f)
	q := sqldb.NewQuery(ask)
	f.from(q, s.at(now))
	f.whereOrigin(q, false, false)
	f.whereUser(q)
	f.where(q, s.rules)
	return s.db.HeavySnapshot(ctx, func(look *sql.Tx) error { return q.Each(ctx, look, row) })
}
