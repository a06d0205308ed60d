package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"rollcall/store/fold"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Drain is a time in which nobody new is to log in: see MayLogin.
type Drain struct {
	Message         string
	StartedAt       time.Time
	StartedBy       string     // as in AuditEvent.Actor
	EndSessionsAt   *time.Time // when all sessions are to end; nil: never
	SessionsEndedAt *time.Time // when that was done
}

// endsBy tells whether the sessions are to end by a time in unix milliseconds, and have not yet.
func (d Drain) endsBy(now int64) bool {
	return d.EndSessionsAt != nil && d.SessionsEndedAt == nil && d.EndSessionsAt.UnixMilli() <= now
}

// Exempt tells whether a drain does not concern the users with this role.
func Exempt(role string) bool { return fold.Text(role) == exemptRole }

const exemptRole = "admin"

const drainQuery = `SELECT message, started_at, started_by, end_sessions_at, done_at FROM drain`

// Drain returns the drain that is going on; sqldb.ErrNotFound for none.
func (s *Store) Drain(ctx context.Context) (Drain, error) { return readDrain(s.reader(ctx)) }

func (t *tx) drain() (Drain, error) { return readDrain(t.Scan) }

func readDrain(read scan) (d Drain, err error) {
	var started int64
	var end, ended *int64
	err = read([]any{&d.Message, &started, &d.StartedBy, &end, &ended}, drainQuery)
	d.StartedAt, d.EndSessionsAt, d.SessionsEndedAt = sqldb.Time(started), sqldb.OptionalTime(end), sqldb.OptionalTime(ended)
	return d, sqldb.Wrap("reading the drain", err)
}

// BeginDrain asks applications to keep new logins out from now on or, where that is so already, changes
// what they are told and when the sessions end.
func (s *Store) BeginDrain(ctx context.Context, now time.Time, actor, message string, end *time.Time) (Drain, error) {
	if err := checkMessage(message); err != nil {
		return Drain{}, err
	}
	if end != nil && !isSoon(now, *end) {
		return Drain{}, sqldb.Invalid("end_sessions_at must be in the future, and at most 366 days ahead")
	}
	var d Drain
	err := s.write(ctx, func(t *tx) error {
		event := AuditEvent{Actor: actor, Action: "drain.change", Words: clip(message, maxText)}
		if _, err := t.drain(); errors.Is(err, sqldb.ErrNotFound) {
			event.Action = "drain.begin"
		} else if err != nil {
			return err
		}
		_, err := t.Exec(`
			INSERT INTO drain (id, message, started_at, started_by, end_sessions_at) VALUES (1, $1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET message = excluded.message, end_sessions_at = excluded.end_sessions_at, done_at = NULL`,
			message, now.UnixMilli(), actor, sqldb.OptionalMillis(end))
		if err != nil {
			return sqldb.Wrap("beginning a drain", err)
		}
		if d, err = t.drain(); err != nil {
			return err
		}
		return t.record(now, event)
	})
	if err != nil {
		return Drain{}, err
	}
	return d, nil
}

// EndDrain lets people log in again. It is no error if they may already.
func (s *Store) EndDrain(ctx context.Context, now time.Time, actor string) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.Exec(`DELETE FROM drain`)
		if err != nil || n == 0 {
			return sqldb.Wrap("ending a drain", err)
		}
		return t.record(now, AuditEvent{Actor: actor, Action: "drain.end"})
	})
}

// keepsOut returns a DrainingError where a drain goes on that concerns users of a role. In the
// transaction of a login it is exact: none slips in while a drain begins.
func keepsOut(read scan, role string) error {
	d, err := readDrain(read)
	if errors.Is(err, sqldb.ErrNotFound) || err == nil && Exempt(role) {
		return nil
	}
	if err != nil {
		return err
	}
	return &DrainingError{Message: d.Message}
}

// drained is which sessions s a drain ends.
const drained = `s.is_active = true AND s.expires_at > $3 AND s.app <> '` + presence.PanelApp + `'
	AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = s.user_id AND u.role_folded = '` + exemptRole + `')`

// EndDrained ends the sessions that the drain is to end by now, and returns how
// many. What a crash left undone the next call does; once all have ended there is
// nothing to do for any later one. While the clock may be ahead (see presence.Slack) they
// end as much later: what has ended never comes back. A drain that is over, or ends them later now,
// ends no more.
func (s *Store) EndDrained(ctx context.Context, now time.Time) (total int64, err error) {
	s.settle(ctx, now)
	for {
		var ended int64
		var done bool
		err := s.write(ctx, func(t *tx) (err error) {
			ended, done, err = t.endSomeDrained(s.at(now), total)
			return err
		})
		total += ended
		if err != nil || done {
			return total, err
		}
	}
}

// endSomeDrained ends as many as one write may. It is done where no more are left,
// and notes that, or nothing is due.
func (t *tx) endSomeDrained(m presence.Cutoffs, before int64) (ended int64, done bool, err error) {
	d, err := t.drain()
	if errors.Is(err, sqldb.ErrNotFound) || err == nil && !d.endsBy(m.Now-m.Ahead.Milliseconds()) {
		return 0, true, nil
	}
	if err != nil {
		return 0, true, err
	}
	ended, err = t.Exec(`
		UPDATE user_sessions SET is_active = false, ended_at = $1, end_reason = $2, ended_by = $4, end_note = $5, `+lingers(7)+`
		WHERE id IN (SELECT s.id FROM user_sessions s WHERE `+drained+` LIMIT $6)`,
		append([]any{m.Now, string(presence.EndRevoked), m.Expiry, d.StartedBy, clip(d.Message, maxNote), revokeBatch}, lingering(m)...)...)
	if err != nil || ended == revokeBatch {
		return ended, false, sqldb.Wrap("ending the sessions of a drain", err)
	}
	if _, err := t.Exec(`UPDATE drain SET done_at = $1`, m.Now); err != nil {
		return ended, false, sqldb.Wrap("noting that the sessions of a drain ended", err)
	}
	return ended, true, t.record(sqldb.Time(m.Now), AuditEvent{Actor: ActorSystem, Action: "drain.end_sessions", Detail: fmt.Sprint(before+ended, " sessions")})
}

// Drained is for whom a drain waits: people who are neither in the panel only nor exempt.
type Drained struct {
	Online int
	CameIn int // of these, who logged in after a time

	StillThere, Unidentified int // not online: see [presence.Counts]
}

// CountDrained counts for whom a drain waits, and who of them logged in after since.
func (s *Store) CountDrained(ctx context.Context, now, since time.Time) (d Drained, err error) {
	err = s.snapshot(ctx, now, func(look *sql.Tx, m presence.Cutoffs) (err error) {
		q := sqldb.NewQuery(`
			SELECT COUNT(DISTINCT s.user_id), COUNT(DISTINCT CASE WHEN s.created_at > ? THEN s.user_id END)
			FROM user_sessions s JOIN users u ON u.id = s.user_id
			WHERE s.app <> ? AND u.role_folded <> ? AND `+presence.OnlineRule("s"), append([]any{since.UnixMilli(), presence.PanelApp, exemptRole}, m.Bounds()...)...)
		if err = q.Scan(ctx, look, &d.Online, &d.CameIn); err == nil {
			d.StillThere, d.Unidentified, err = countHidden(ctx, look, m, OnlineFilter{ExceptRole: exemptRole})
		}
		return err
	})
	return d, sqldb.Wrap("counting who is still there", err)
}
