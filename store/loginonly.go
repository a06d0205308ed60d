package store

import (
	"context"
	"database/sql"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// LoginOnlyApps returns the apps of which people are logged in at now, and no session has ever
// sent a heartbeat though each had the time to: see [presence.Rules.LoginGrace].
func (s *Store) LoginOnlyApps(ctx context.Context, now time.Time) (apps []string, err error) {
	s.settle(ctx, now)
	m := s.at(now)
	err = s.db.HeavySnapshot(ctx, func(look *sql.Tx) error {
		return sqldb.Each(ctx, look, func(rows *sql.Rows) error {
			var app string
			err := rows.Scan(&app)
			apps = append(apps, app)
			return err
		}, `
			SELECT app FROM user_sessions WHERE is_active = true AND `+presence.InExpiryBlock(`expires_at`)+` >= $4 AND expires_at > $1 AND app <> $2
			GROUP BY app HAVING SUM(CASE WHEN heard = true OR last_activity_at > $3 THEN 1 ELSE 0 END) = 0 ORDER BY app`,
			m.Expiry, presence.PanelApp, m.Login, presence.ExpiryBlock(m.Expiry))
	})
	return apps, sqldb.Wrap("looking for applications without heartbeats", err)
}
