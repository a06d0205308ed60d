package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Ending is why sessions end and, where somebody asked for it, who that was and
// what they have to say about it.
type Ending struct {
	Reason EndReason
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
		return invalid(fmt.Sprintf("note must have at most %d characters", maxNote))
	case !utf8.ValidString(e.Note) || strings.ContainsFunc(e.Note, unicode.IsControl):
		return invalid("note must not have control characters")
	}
	return nil
}

// Revoke ends the session with this id, of whatever app, and tells whether it
// was active until now.
func (s *Store) Revoke(ctx context.Context, now time.Time, id int64, e Ending) (bool, error) {
	if err := e.Check(); err != nil {
		return false, err
	}
	return s.end(ctx, now, e, `id = $6`, id)
}

// CountSessions returns how many sessions match, of all pages. ErrInvalid as for
// Sessions.
func (s *Store) CountSessions(ctx context.Context, now time.Time, f SessionFilter) (n int64, err error) {
	err = s.eachMatching(ctx, now, f, `SELECT COUNT(*)`, func(rows *sql.Rows) error { return rows.Scan(&n) })
	return n, fail("counting sessions", err)
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
		return 0, fail("finding the sessions to end", err)
	}
	for some := range slices.Chunk(ids, revokeBatch) {
		n, err := s.revokeThese(ctx, now, some, e)
		if ended += n; err != nil {
			return ended, err
		}
	}
	return ended, nil
}

func (s *Store) revokeThese(ctx context.Context, now time.Time, ids []int64, e Ending) (ended int64, err error) {
	err = s.write(ctx, func(t *tx) error {
		for _, id := range ids {
			n, err := t.end(s.at(now), e, `id = $6`, id)
			if ended += n; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		ended = 0 // of this batch
	}
	return ended, err
}

// eachMatching asks about the sessions s that match, in no order.
func (s *Store) eachMatching(ctx context.Context, now time.Time, f SessionFilter, ask string, row func(*sql.Rows) error) error {
	f = f.settled()
	if _, err := f.check(); err != nil {
		return err
	}
	done, err := s.turns.take(ctx)
	if err != nil {
		return err
	}
	defer done()
	look, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer look.Rollback()
	q := new(query).add(ask)
	f.from(q, s.rules, s.at(now))
	return each(ctx, look, row, q.String(), q.args...)
}
