package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"rollcall/store/history"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Stats are figures about all sessions but the panel's own.
type Stats struct {
	Online                      int            // people
	Active                      int            // sessions that are logged in
	Expired                     int            // sessions past their time that the cleanup has not ended yet
	Ended                       int            // sessions that ended and are kept
	AverageDuration             *time.Duration // of ended sessions; nil without any
	MedianDuration              *time.Duration
	Organizations               []OrganizationStats // most sessions first, at most maxStats
	Apps                        []AppStats          // likewise
	MoreOrganizations, MoreApps int                 // that have active sessions, too
	PeakToday                   *history.Peak       // nil before the first sample of the day (UTC)
	LastCleanup                 *CleanupRun         // nil before the first
}

// maxStats is how many organizations and apps the figures name.
const maxStats = 200

// OrganizationStats are the active sessions of an organization; of people
// without one where ID is nil.
type OrganizationStats struct {
	ID     *int64
	Name   string
	Active int
}

// AppStats are the active sessions of an app.
type AppStats struct {
	App    string
	Active int
}

// CleanupRun is a cleanup that has run.
type CleanupRun struct {
	At time.Time
	Cleaned
}

// Stats returns the figures at now; where counting takes long, those from
// shortly before.
func (s *Store) Stats(ctx context.Context, now time.Time) (Stats, error) {
	online, err := s.CountOnline(ctx, now)
	if err != nil {
		return Stats{}, err
	}
	st, err := s.totals.Get(ctx, now, struct{}{})
	if err != nil {
		return Stats{}, sqldb.Wrap("counting sessions", err)
	}
	st.Online = online.People()
	if err := s.together(ctx, now, &st, peakToday, lastCleanup); err != nil {
		return Stats{}, sqldb.Wrap("reading the statistics", err)
	}
	return st, nil
}

// CountOnline returns how many people are online at now; where counting takes
// long, how many there were shortly before.
func (s *Store) CountOnline(ctx context.Context, now time.Time) (presence.Counts, error) {
	counts, err := s.countByRoster(ctx, now)
	if errors.Is(err, ErrTooManyOnline) {
		counts, err = s.counts.Get(ctx, now, OnlineFilter{})
	}
	return counts, sqldb.Wrap("counting who is online", err)
}

// countAll reads what takes long where there are many sessions. What it returns
// is shared by many callers and must not be changed.
func (s *Store) countAll(ctx context.Context, now time.Time, _ struct{}) (st Stats, err error) {
	err = s.together(ctx, now, &st, countSessions, durations, byOrganization, byApp)
	return st, err
}

type statsPart func(context.Context, *sql.Tx, presence.Cutoffs, *Stats) error

// together reads parts of the figures as of one instant.
func (s *Store) together(ctx context.Context, now time.Time, st *Stats, parts ...statsPart) error {
	return s.snapshot(ctx, now, func(look *sql.Tx, m presence.Cutoffs) error {
		for _, part := range parts {
			if err := part(ctx, look, m, st); err != nil {
				return err
			}
		}
		return nil
	})
}

func countSessions(ctx context.Context, look *sql.Tx, m presence.Cutoffs, st *Stats) error {
	return look.QueryRowContext(ctx, `
		SELECT COALESCE(SUM(CASE WHEN is_active = true AND expires_at > $1 THEN 1 ELSE 0 END), 0),
		       COALESCE(SUM(CASE WHEN is_active = true AND expires_at <= $1 THEN 1 ELSE 0 END), 0),
		       COALESCE(SUM(CASE WHEN is_active = false THEN 1 ELSE 0 END), 0)
		FROM user_sessions WHERE app <> $2`, m.Expiry, presence.PanelApp).Scan(&st.Active, &st.Expired, &st.Ended)
}

func durations(ctx context.Context, look *sql.Tx, _ presence.Cutoffs, st *Stats) (err error) {
	st.AverageDuration, st.MedianDuration, err = history.Lengths(ctx, look, sqldb.NewQuery(`is_active = false AND app <> ?`, presence.PanelApp))
	return err
}

func byOrganization(ctx context.Context, look *sql.Tx, m presence.Cutoffs, st *Stats) error {
	st.Organizations = []OrganizationStats{}
	return sqldb.Each(ctx, look, func(rows *sql.Rows) error {
		var o OrganizationStats
		var all int
		err := rows.Scan(&o.ID, &o.Name, &o.Active, &all)
		st.Organizations = append(st.Organizations, o)
		st.MoreOrganizations = all - len(st.Organizations)
		return err
	}, `
		SELECT s.organization_id, COALESCE(o.name, ''), COUNT(*) AS active, COUNT(*) OVER ()
		FROM user_sessions s LEFT JOIN organizations o ON o.id = s.organization_id
		WHERE s.is_active = true AND `+presence.InExpiryBlock(`s.expires_at`)+` >= $4 AND s.expires_at > $1 AND s.app <> $2
		GROUP BY s.organization_id, o.name, o.folded ORDER BY active DESC, COALESCE(o.folded, ''), COALESCE(o.name, '') LIMIT $3`,
		m.Expiry, presence.PanelApp, maxStats, presence.ExpiryBlock(m.Expiry))
}

func byApp(ctx context.Context, look *sql.Tx, m presence.Cutoffs, st *Stats) error {
	st.Apps = []AppStats{}
	return sqldb.Each(ctx, look, func(rows *sql.Rows) error {
		var a AppStats
		var all int
		err := rows.Scan(&a.App, &a.Active, &all)
		st.Apps = append(st.Apps, a)
		st.MoreApps = all - len(st.Apps)
		return err
	}, `
		SELECT app, COUNT(*) AS active, COUNT(*) OVER () FROM user_sessions
		WHERE is_active = true AND `+presence.InExpiryBlock(`expires_at`)+` >= $4 AND expires_at > $1 AND app <> $2
		GROUP BY app ORDER BY active DESC, app LIMIT $3`, m.Expiry, presence.PanelApp, maxStats, presence.ExpiryBlock(m.Expiry))
}

func peakToday(ctx context.Context, look *sql.Tx, m presence.Cutoffs, st *Stats) error {
	peak, err := history.PeakOfDay(ctx, look, sqldb.Time(m.Now))
	if errors.Is(err, sqldb.ErrNotFound) {
		return nil
	}
	st.PeakToday = &peak
	return err
}

func lastCleanup(ctx context.Context, look *sql.Tx, _ presence.Cutoffs, st *Stats) error {
	var at, ended, purged sql.NullInt64
	err := look.QueryRowContext(ctx, `
		SELECT MAX(CASE WHEN name = 'last_cleanup_at' THEN value END),
		       MAX(CASE WHEN name = 'last_cleanup_ended' THEN value END),
		       MAX(CASE WHEN name = 'last_cleanup_purged' THEN value END) FROM settings`).Scan(&at, &ended, &purged)
	if err == nil && at.Valid {
		st.LastCleanup = &CleanupRun{At: sqldb.Time(at.Int64), Cleaned: Cleaned{Ended: ended.Int64, Purged: purged.Int64}}
	}
	return err
}
