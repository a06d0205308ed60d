package store

import (
	"context"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// CanList tells whether who is online can be listed, as far as a row of each table that a list reads tells,
// found as a list finds its first. Damage that anybody has met counts.
func (s *Store) CanList(ctx context.Context) error {
	if err := s.db.Undamaged(); err != nil {
		return err
	}
	var read int
	for _, query := range firstRows {
		if err := s.db.Scan(ctx, []any{&read}, query); err != nil {
			return sqldb.Wrap("reading what lists need", err)
		}
	}
	return nil
}

// firstRows read one of the latest sessions, with all that a list tells of its person, and a row of each of those tables.
var firstRows = []string{
	`SELECT COUNT(*) FROM (
		SELECT a.user_agent, u.folded, o.folded FROM user_sessions s` + userJoins + agentJoin + `
		WHERE s.is_active = true ORDER BY ` + presence.InActivityBlock(`s.last_activity_at`) + ` DESC LIMIT 1) latest`,
	`SELECT COUNT(*) FROM (SELECT folded FROM users LIMIT 1) one`,
	`SELECT COUNT(*) FROM (SELECT folded FROM organizations LIMIT 1) one`,
	`SELECT COUNT(*) FROM (SELECT text FROM status_claims LIMIT 1) one`,
}
