package store

import (
	"context"
	"database/sql"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// audience is which sessions s a notice n is for, without the index on apps: see withoutIndex. In Go the same is said by For.
const audience = `(n.app = s.app || '' OR n.app = '' AND s.app <> '` + presence.PanelApp + `')
	AND (n.organization_id IS NULL OR n.organization_id = s.organization_id)`

// Member is what decides which announcements are for a session.
type Member struct {
	App            string
	OrganizationID *int64
	Role           string // of its user, in the application
}

// For tells whether a notice is for a session.
func (n Notice) For(m Member) bool {
	if n.App != m.App && (n.App != "" || m.App == presence.PanelApp) {
		return false
	}
	return n.OrganizationID == nil || m.OrganizationID != nil && *n.OrganizationID == *m.OrganizationID
}

// ActiveAt tells whether a notice is shown at now.
func (n Notice) ActiveAt(now time.Time) bool {
	return n.WithdrawnAt == nil && (n.Until == nil || n.Until.After(now))
}

const noticeColumns = `
	SELECT n.id, n.message, n.level, n.app, n.organization_id, COALESCE(o.name, ''), n.created_at, n.created_by, n.until, n.withdrawn_at
	FROM notices n LEFT JOIN organizations o ON o.id = n.organization_id`

// ActiveNotices returns the notices that are shown at now, the latest first.
func (s *Store) ActiveNotices(ctx context.Context, now time.Time) (active []Notice, err error) {
	rows, err := s.db.Rows(ctx, noticeColumns+` WHERE `+activeNotice+` ORDER BY n.created_at DESC, n.id`, now.UnixMilli())
	if err != nil {
		return nil, sqldb.Wrap("reading the notices", err)
	}
	active, err = sqldb.Collect(rows, scanNotice)
	return active, sqldb.Wrap("reading the notices", err)
}

func scanNotice(rows *sql.Rows) (n Notice, err error) {
	var created int64
	var until, withdrawn *int64
	err = rows.Scan(&n.ID, &n.Message, &n.Level, &n.App, &n.OrganizationID, &n.Organization, &created, &n.CreatedBy, &until, &withdrawn)
	n.CreatedAt, n.Until, n.WithdrawnAt = sqldb.Time(created), sqldb.OptionalTime(until), sqldb.OptionalTime(withdrawn)
	return n, err
}

// Notices lists the notices that are shown at now and the latest of those that
// are over, with how many have seen them: where counting takes long, as of shortly
// before.
func (s *Store) Notices(ctx context.Context, now time.Time) ([]ListedNotice, error) {
	listed, err := s.notices.Get(ctx, now, struct{}{})
	return listed, sqldb.Wrap("listing the notices", err)
}

// ForgetNotices has the next list of them read anew, because another replica has
// posted or withdrawn one.
func (s *Store) ForgetNotices() { s.notices.Invalidate() }

func (s *Store) listNotices(ctx context.Context, now time.Time, _ struct{}) ([]ListedNotice, error) {
	var listed []ListedNotice
	err := s.snapshot(ctx, now, func(look *sql.Tx, _ presence.Cutoffs) (err error) {
		listed, err = s.noticesIn(ctx, look, now)
		return err
	})
	return listed, err
}

func (s *Store) noticesIn(ctx context.Context, look *sql.Tx, now time.Time) ([]ListedNotice, error) {
	listed := []ListedNotice{}
	past := 0
	err := sqldb.Each(ctx, look, func(rows *sql.Rows) error {
		n, err := scanNotice(rows)
		l := ListedNotice{Notice: n, Active: n.ActiveAt(now)}
		if !l.Active {
			past++
		}
		if l.Active || past <= maxPastNotices {
			listed = append(listed, l)
		}
		return err
	}, noticeColumns+` ORDER BY CASE WHEN `+activeNotice+` THEN 0 ELSE 1 END, n.created_at DESC, n.id`, now.UnixMilli())
	for i := range listed {
		if err == nil {
			err = s.countSeen(ctx, look, now, &listed[i])
		}
	}
	return listed, err
}

// countSeen counts who has seen a notice and, while it is shown, of how many.
func (s *Store) countSeen(ctx context.Context, look *sql.Tx, now time.Time, n *ListedNotice) error {
	err := look.QueryRowContext(ctx, `SELECT COUNT(*) FROM notice_receipts WHERE notice_id = $1`, n.ID).Scan(&n.Seen)
	if err != nil || !n.Active {
		return err
	}
	q := sqldb.NewQuery(`
		SELECT COUNT(*) FROM (SELECT user_id FROM notice_receipts WHERE notice_id = ?
			UNION SELECT s.user_id FROM notices n JOIN user_sessions s ON `+audience+` WHERE n.id = ? AND `+presence.OnlineRule("s"),
		append([]any{n.ID, n.ID}, s.at(now).Bounds()...)...).Add(`) people`)
	return q.Scan(ctx, look, &n.Of)
}
