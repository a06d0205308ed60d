package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rollcall/store/presence"
)

const maxStatusText = 80 // characters

// maxClaim bounds how long a claim may hold, so that a mistyped year is noticed.
const maxClaim = 366 * 24 * time.Hour

func checkClaim(now time.Time, c presence.Claim) error {
	switch {
	case c.Status != presence.StatusBusy && c.Status != presence.StatusAway:
		return invalid("status must be busy, away or available")
	case utf8.RuneCountInString(c.Text) > maxStatusText:
		return invalid(fmt.Sprintf("text must have at most %d characters", maxStatusText))
	case !utf8.ValidString(c.Text) || strings.ContainsFunc(c.Text, unicode.IsControl):
		return invalid("text must not have control characters")
	case c.Until != nil && !isSoon(now, *c.Until):
		return invalid("until must be in the future, and at most 366 days ahead")
	}
	return nil
}

// SetStatus stores what c claims of a user, in place of what the same app, or
// the person, claimed before. ErrNotFound for an unknown user; ErrForbidden for
// an app's claim of an account, which is none of its people.
func (s *Store) SetStatus(ctx context.Context, now time.Time, user string, c presence.Claim) error {
	if err := checkClaim(now, c); err != nil {
		return err
	}
	if err := mayClaim(user, c.App); err != nil {
		return err
	}
	return s.writeOne(ctx, func(t *tx) error {
		n, err := t.exec(`
			INSERT INTO status_claims (user_id, app, status, text, until, created_at)
			SELECT id, $2, $3, $4, $5, $6 FROM users WHERE id = $1
			ON CONFLICT (user_id, app) DO UPDATE SET
				status = excluded.status, text = excluded.text, until = excluded.until, created_at = excluded.created_at`,
			user, c.App, string(c.Status), c.Text, optionalMillis(c.Until), now.UnixMilli())
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return wrapErr("storing a claim", err)
	})
}

// ClearStatus takes back what app, or for "" the person, claims of a user. It is
// no error if that is nothing. ErrNotFound and ErrForbidden as for SetStatus.
func (s *Store) ClearStatus(ctx context.Context, user, app string) error {
	if err := mayClaim(user, app); err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM status_claims WHERE user_id = $1 AND app = $2`, user, app)
		if err != nil || n > 0 {
			return wrapErr("removing a claim", err)
		}
		var known bool
		err = t.scan([]any{&known}, `SELECT EXISTS (SELECT 1 FROM users WHERE id = $1)`, user)
		if err == nil && !known {
			return ErrNotFound
		}
		return wrapErr("finding a user", err)
	})
}

func mayClaim(user, app string) error {
	if app != "" && strings.HasPrefix(user, accountPrefix) {
		return ErrForbidden
	}
	return nil
}

// OwnClaim returns what a person claims of themselves at now; nil for nothing.
func (s *Store) OwnClaim(ctx context.Context, now time.Time, user string) (*presence.Claim, error) {
	look, err := s.read.BeginTx(ctx, s.engine.snapshotOpts)
	if err != nil {
		return nil, wrapErr("finding a claim", err)
	}
	defer look.Rollback()
	claims, err := s.claims(ctx, look, s.at(now), []string{user})
	if err != nil {
		return nil, wrapErr("finding a claim", err)
	}
	for _, c := range claims[user] {
		if c.App == "" {
			return &c, nil
		}
	}
	return nil, nil
}

// unexpired is which claims hold, for those called c; its parameter is the time.
const unexpired = `(c.until IS NULL OR c.until > ?)`

// claimed is the status that the claims c of one person together say: their own
// before any app's, and of several apps' busy before away. In Go the
// same is said by decide.
const claimed = `COALESCE(MAX(CASE WHEN c.app = '' THEN c.status END), MAX(CASE WHEN c.status = 'busy' THEN 'busy' END), MAX(c.status))`

// claims returns the claims that hold of some users.
func (s *Store) claims(ctx context.Context, look *sql.Tx, m presence.Cutoffs, users []string) (map[string][]presence.Claim, error) {
	all := map[string][]presence.Claim{}
	q := new(query).add(`SELECT c.user_id, c.app, c.status, c.text, c.until, c.created_at FROM status_claims c WHERE `+unexpired, m.Now)
	q.add(` AND c.user_id IN `).list(users).add(` ORDER BY c.app`)
	return all, each(ctx, look, func(rows *sql.Rows) error {
		var user string
		var c presence.Claim
		var until *int64
		if err := rows.Scan(&user, &c.App, &c.Status, &c.Text, &until, &c.Since); err != nil {
			return err
		}
		c.Until = timeOf(until)
		all[user] = append(all[user], c)
		return nil
	}, q.String(), q.args...)
}

// countClaims moves those whom a claim concerns from the status of their
// sessions to that of the claim. Claims are few: it starts from them.
func (s *Store) countClaims(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f OnlineFilter, c *presence.Counts) error {
	q := s.claimsQuery(m, f)
	return each(ctx, look, func(rows *sql.Rows) error {
		var status presence.Status
		var active bool
		var people int
		err := rows.Scan(&status, &active, &people)
		if active {
			c.Available -= people
		} else {
			c.Away -= people
		}
		if status == presence.StatusBusy {
			c.Busy += people
		} else {
			c.Away += people
		}
		return err
	}, q.String(), q.args...)
}

func (s *Store) claimsQuery(m presence.Cutoffs, f OnlineFilter) *query {
	q := new(query)
	q.add(`SELECT status, active, COUNT(*) FROM (
		SELECT MAX(k.status) AS status, MAX(CASE WHEN s.idle_ms < ? THEN 1 ELSE 0 END) AS active
		FROM (SELECT c.user_id, `+claimed+` AS status FROM status_claims c WHERE `+unexpired+` GROUP BY c.user_id) k
		CROSS JOIN user_sessions s`, s.rules.IdleAfter.Milliseconds(), m.Now)
	if f.aboutUsers() {
		q.add(userJoins)
	}
	q.add(` WHERE s.user_id = k.user_id AND `+presence.OnlineRule("s"), m.Bounds()...)
	f.where(q)
	return q.add(` GROUP BY s.user_id) people GROUP BY status, active`)
}

// source is where a list begins: with the sessions or, where only those can be
// on it of whom somebody claims so, with these few.
func (f OnlineFilter) source() string {
	if f.Status == presence.StatusBusy {
		return ` FROM (SELECT DISTINCT user_id FROM status_claims WHERE status = 'busy') k CROSS JOIN user_sessions s`
	}
	return ` FROM user_sessions s`
}

func (s *Store) whereStatus(q *query, m presence.Cutoffs, f OnlineFilter) {
	if f.Status == "" {
		return
	}
	if f.Status == presence.StatusBusy {
		q.and(`s.user_id = k.user_id`)
	}
	q.and(`COALESCE((SELECT `+claimed+` FROM status_claims c WHERE c.user_id = s.user_id AND `+unexpired+`), CASE WHEN `, m.Now)
	s.addOther(q, m, f, `EXISTS (SELECT 1`, `t.idle_ms < `+strconv.FormatInt(s.rules.IdleAfter.Milliseconds(), 10))
	q.add(` THEN 'available' ELSE 'away' END) = ?`, string(f.Status))
}
