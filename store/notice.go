package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rollcall/store/sqldb"
)

// NoticeLevel is how much a notice matters.
type NoticeLevel string

// The levels.
const (
	LevelInfo     NoticeLevel = "info"
	LevelWarning  NoticeLevel = "warning"
	LevelCritical NoticeLevel = "critical"
)

// NoticeInput is an announcement that is to be made.
type NoticeInput struct {
	Message      string
	Level        NoticeLevel
	App          string     // only to people of this app; "" for all but the panel
	Organization string     // and only of this organization, by name; "" for all
	Until        *time.Time // nil: until it is withdrawn
}

// Notice is an announcement to people who are online.
type Notice struct {
	ID int64
	NoticeInput
	OrganizationID *int64 // of Organization
	CreatedAt      time.Time
	CreatedBy      string // as in AuditEvent.Actor
	WithdrawnAt    *time.Time
}

// ListedNotice is a notice with how many have seen it.
type ListedNotice struct {
	Notice
	Active bool
	Seen   int // people whose browser showed it
	Of     int // these, and who else is online now of whom it is for; 0 once it is over: nobody knows then who else was there
}

const (
	maxMessage = 500 // characters of a notice

	// maxNotices bounds what one heartbeat answers, and how much of a page banners cover.
	maxNotices = 20

	// maxPastNotices is how many of those that are over are listed.
	maxPastNotices = 50
)

func (in NoticeInput) check(now time.Time) error {
	if err := checkMessage(in.Message); err != nil {
		return err
	}
	switch {
	case in.Level != LevelInfo && in.Level != LevelWarning && in.Level != LevelCritical:
		return sqldb.Invalid("level must be info, warning or critical")
	case utf8.RuneCountInString(in.App) > maxApp:
		return sqldb.Invalid(fmt.Sprintf("app must have at most %d characters", maxApp))
	case in.Until != nil && !isSoon(now, *in.Until):
		return sqldb.Invalid("until must be in the future, and at most 366 days ahead")
	}
	return nil
}

// checkMessage refuses what no banner could show as it is.
func checkMessage(message string) error {
	switch {
	case strings.TrimSpace(message) == "" || utf8.RuneCountInString(message) > maxMessage:
		return sqldb.Invalid(fmt.Sprintf("message must have 1 to %d characters", maxMessage))
	case !utf8.ValidString(message) || strings.ContainsFunc(message, unicode.IsControl):
		return sqldb.Invalid("message must not have control characters")
	}
	return nil
}

// isSoon tells whether a time is ahead, but not so far that its year is mistyped.
func isSoon(now, at time.Time) bool {
	return at.UnixMilli() > now.UnixMilli() && at.Sub(now) <= maxClaim
}

// activeNotice is which notices n are shown at a time, its parameter.
const activeNotice = `n.withdrawn_at IS NULL AND (n.until IS NULL OR n.until > $1)`

// PostNotice makes an announcement. ErrInvalid for an organization that is not
// known; ErrTooManyNotices where as many are shown as may be.
func (s *Store) PostNotice(ctx context.Context, now time.Time, actor string, in NoticeInput) (Notice, error) {
	if err := in.check(now); err != nil {
		return Notice{}, err
	}
	n := Notice{ID: newID(), NoticeInput: in, CreatedAt: sqldb.Time(now.UnixMilli()), CreatedBy: actor}
	n.Until = sqldb.OptionalTime(sqldb.OptionalMillis(in.Until)) // as it will be read again
	defer s.notices.Invalidate()
	err := s.write(ctx, func(t *tx) (err error) {
		if n.OrganizationID, err = t.knownOrganization(in.Organization); err != nil {
			return err
		}
		added, err := t.Exec(`
			INSERT INTO notices (id, message, level, app, organization_id, created_at, created_by, until)
			SELECT $2, $3, $4, $5, $6, $1, $7, $8 WHERE (SELECT COUNT(*) FROM notices n WHERE `+activeNotice+`) < $9`,
			now.UnixMilli(), n.ID, in.Message, string(in.Level), in.App, n.OrganizationID, actor, sqldb.OptionalMillis(in.Until), maxNotices)
		switch {
		case err != nil:
			return sqldb.Wrap("storing a notice", err)
		case added == 0:
			return ErrTooManyNotices
		}
		return t.record(now, AuditEvent{Actor: actor, Action: "notice.post", Target: noticeTarget(n.ID), Words: clip(in.Message, maxText)})
	})
	return n, err
}

// knownOrganization returns the id of the organization of that name, nil for "".
func (t *tx) knownOrganization(name string) (*int64, error) {
	if name == "" {
		return nil, nil // for all of them
	}
	var id int64
	err := t.Scan([]any{&id}, `SELECT id FROM organizations WHERE name = $1`, name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, sqldb.Invalid("there is no organization of this name")
	}
	return &id, sqldb.Wrap("finding an organization", err)
}

// WithdrawNotice takes a notice back. It is no error if it is over already;
// ErrNotFound for an unknown id.
func (s *Store) WithdrawNotice(ctx context.Context, now time.Time, actor string, id int64) error {
	defer s.notices.Invalidate()
	return s.write(ctx, func(t *tx) error {
		n, err := t.Exec(`UPDATE notices AS n SET withdrawn_at = $1 WHERE n.id = $2 AND `+activeNotice, now.UnixMilli(), id)
		if err != nil {
			return sqldb.Wrap("withdrawing a notice", err)
		}
		if n > 0 {
			return t.record(now, AuditEvent{Actor: actor, Action: "notice.withdraw", Target: noticeTarget(id)})
		}
		var known bool
		err = t.Scan([]any{&known}, `SELECT EXISTS (SELECT 1 FROM notices WHERE id = $1)`, id)
		if err == nil && !known {
			return sqldb.ErrNotFound
		}
		return sqldb.Wrap("finding a notice", err)
	})
}

func noticeTarget(id int64) string { return fmt.Sprint("notice:", id) }

// removeOldNotices removes the notices that were over at a time, and with them who has
// seen them.
func (s *Store) removeOldNotices(ctx context.Context, over time.Time) error {
	_, err := s.db.InBatchesAside(ctx, `
		DELETE FROM notice_receipts WHERE (notice_id, user_id) IN (
			SELECT r.notice_id, r.user_id FROM notice_receipts r JOIN notices n ON n.id = r.notice_id
			WHERE COALESCE(n.withdrawn_at, n.until) <= $1 LIMIT $2)`, over.UnixMilli())
	if err != nil {
		return sqldb.Wrap("removing who has seen old notices", err)
	}
	_, err = s.db.InBatchesAside(ctx, `
		DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE COALESCE(withdrawn_at, until) <= $1 LIMIT $2)`, over.UnixMilli())
	return sqldb.Wrap("removing old notices", err)
}

// noteSeen notes which notices the browser of a session has shown. Those that are
// not known, or for others, are passed over: a page may be older than they are.
func (t *tx) noteSeen(now int64, session int64, notices []int64) error {
	for _, id := range notices {
		_, err := t.Exec(`
			INSERT INTO notice_receipts (notice_id, user_id, seen_at)
			SELECT n.id, s.user_id, $1 FROM notices n JOIN user_sessions s ON `+audience+` WHERE n.id = $2 AND s.id = $3
			ON CONFLICT (notice_id, user_id) DO NOTHING`, now, id, session)
		if err != nil {
			return sqldb.Wrap("noting who has seen a notice", err)
		}
	}
	return nil
}
