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
	"rollcall/store/sqldb"
)

const maxStatusText = 80 // characters

// maxClaim bounds how long a claim may hold, so that a mistyped year is noticed.
const maxClaim = 366 * 24 * time.Hour

func checkClaim(now time.Time, c presence.Claim) error {
	switch {
	case c.Status != presence.StatusBusy && c.Status != presence.StatusAway:
		return sqldb.Invalid("status must be busy, away or available")
	case utf8.RuneCountInString(c.Text) > maxStatusText:
		return sqldb.Invalid(fmt.Sprintf("text must have at most %d characters", maxStatusText))
	case !utf8.ValidString(c.Text) || strings.ContainsFunc(c.Text, unicode.IsControl):
		return sqldb.Invalid("text must not have control characters")
	case c.Until != nil && !isSoon(now, *c.Until):
		return sqldb.Invalid("until must be in the future, and at most 366 days ahead")
	}
	return nil
}

// SetStatus stores what c claims of the user with this key, in place of what the same app, or
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
		n, err := t.Exec(`
			INSERT INTO status_claims (user_id, app, status, text, until, created_at)
			SELECT id, $2, $3, $4, $5, $6 FROM users WHERE id = $1
			ON CONFLICT (user_id, app) DO UPDATE SET
				status = excluded.status, text = excluded.text, until = excluded.until, created_at = excluded.created_at`,
			user, c.App, string(c.Status), c.Text, sqldb.OptionalMillis(c.Until), now.UnixMilli())
		if err == nil && n == 0 {
			return sqldb.ErrNotFound
		}
		return sqldb.Wrap("storing a claim", err)
	})
}

// ClearStatus takes back what app, or for "" the person, claims of a user. It is
// no error if that is nothing. ErrNotFound and ErrForbidden as for SetStatus.
func (s *Store) ClearStatus(ctx context.Context, user, app string) error {
	if err := mayClaim(user, app); err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		n, err := t.Exec(`DELETE FROM status_claims WHERE user_id = $1 AND app = $2`, user, app)
		if err != nil || n > 0 {
			return sqldb.Wrap("removing a claim", err)
		}
		var known bool
		err = t.Scan([]any{&known}, `SELECT EXISTS (SELECT 1 FROM users WHERE id = $1)`, user)
		if err == nil && !known {
			return sqldb.ErrNotFound
		}
		return sqldb.Wrap("finding a user", err)
	})
}

func mayClaim(user, app string) error {
	if app != "" && strings.HasPrefix(user, accountPrefix) {
		return ErrForbidden
	}
	return nil
}

// OwnClaim returns what a person claims of themselves at now; sqldb.ErrNotFound for nothing.
func (s *Store) OwnClaim(ctx context.Context, now time.Time, user string) (presence.Claim, error) {
	var claims map[string][]presence.Claim
	err := s.db.Snapshot(ctx, func(look *sql.Tx) (err error) {
		claims, err = s.claims(ctx, look, s.at(now), []string{user})
		return err
	})
	if err != nil {
		return presence.Claim{}, sqldb.Wrap("finding a claim", err)
	}
	for _, c := range claims[user] {
		if c.App == "" {
			return c, nil
		}
	}
	return presence.Claim{}, sqldb.ErrNotFound
}

// unexpired is which claims hold, for those called c; its parameter is the time.
const unexpired = `(c.until IS NULL OR c.until > ?)`

// claimed is the status that the claims c of one person together say: their own
// before any app's, and of several apps' busy before away. In Go the
// same is said by presence.Decide.
const claimed = `COALESCE(MAX(CASE WHEN c.app = '' THEN c.status END), MAX(CASE WHEN c.status = 'busy' THEN 'busy' END), MAX(c.status))`

// claims returns the claims that hold of some users.
func (s *Store) claims(ctx context.Context, look *sql.Tx, m presence.Cutoffs, users []string) (map[string][]presence.Claim, error) {
	all := map[string][]presence.Claim{}
	q := sqldb.NewQuery(`SELECT c.user_id, c.app, c.status, c.text, c.until, c.created_at FROM status_claims c WHERE `+unexpired, m.Now)
	q.Add(` AND c.user_id IN `).List(users).Add(` ORDER BY c.app`)
	err := q.Each(ctx, look, func(rows *sql.Rows) error {
		var user string
		var c presence.Claim
		var until *int64
		if err := rows.Scan(&user, &c.App, &c.Status, &c.Text, &until, &c.Since); err != nil {
			return err
		}
		c.Until = sqldb.OptionalTime(until)
		all[user] = append(all[user], c)
		return nil
	})
	return all, err
}

// countClaims corrects counts that were made from sessions alone: people of whom something is
// claimed count under the status that the claim says. Claims are few, so it starts from them.
func (s *Store) countClaims(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f OnlineFilter, c *presence.Counts) error {
	q := s.claimsQuery(m, f)
	return q.Each(ctx, look, func(rows *sql.Rows) error {
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
	})
}

func (s *Store) claimsQuery(m presence.Cutoffs, f OnlineFilter) *sqldb.Query {
	q := new(sqldb.Query)
	q.Add(`SELECT status, active, COUNT(*) FROM (
		SELECT MAX(k.status) AS status, MAX(CASE WHEN s.idle_ms < ? THEN 1 ELSE 0 END) AS active
		FROM (SELECT c.user_id, `+claimed+` AS status FROM status_claims c WHERE `+unexpired+` GROUP BY c.user_id) k
		CROSS JOIN user_sessions s`, s.rules.IdleAfter.Milliseconds(), m.Now)
	if f.aboutUsers() {
		q.Add(userJoins)
	}
	q.Add(` WHERE s.user_id = k.user_id AND `+presence.OnlineRule("s"), m.Bounds()...)
	f.where(q)
	return q.Add(` GROUP BY s.user_id) people GROUP BY status, active`)
}

// source is the FROM clause of a list: all sessions or, for the list of who is busy, the sessions
// of the few people who are claimed to be busy.
func (f OnlineFilter) source() string {
	if f.Status == presence.StatusBusy {
		return ` FROM (SELECT DISTINCT user_id FROM status_claims WHERE status = 'busy') k CROSS JOIN user_sessions s`
	}
	return ` FROM user_sessions s`
}

func (s *Store) whereStatus(q *sqldb.Query, m presence.Cutoffs, f OnlineFilter) {
	if f.Status == "" {
		return
	}
	if f.Status == presence.StatusBusy {
		q.And(`s.user_id = k.user_id`)
	}
	q.And(`COALESCE((SELECT `+claimed+` FROM status_claims c WHERE c.user_id = s.user_id AND `+unexpired+`), CASE WHEN `, m.Now)
	s.addOther(q, m, f, `EXISTS (SELECT 1`, `t.idle_ms < `+strconv.FormatInt(s.rules.IdleAfter.Milliseconds(), 10))
	q.Add(` THEN 'available' ELSE 'away' END) = ?`, string(f.Status))
}
