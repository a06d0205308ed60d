package store

import (
	"database/sql"
	"errors"

	"rollcall/store/sqldb"
)

// agentJoin adds the user agents a of sessions s, agentColumns what they say.
const (
	agentJoin    = ` LEFT JOIN user_agents a ON a.id = s.user_agent_id`
	agentColumns = `COALESCE(a.user_agent, '') AS user_agent, COALESCE(a.device_type, '') AS device_type,
	COALESCE(a.device_os, '') AS device_os, COALESCE(a.device_browser, '') AS device_browser`
)

// userAgent returns the id of the user agent of a clipped origin, or nil where nothing is known of it. Nearly every login finds
// it. Nobody else writes meanwhile: no other begins to store the same one, and none removes it before there is the session.
func (t *tx) userAgent(o Origin) (*int64, error) {
	if o.UserAgent == "" && o.Device == (Device{}) {
		return nil, nil
	}
	var id int64
	agent := []any{o.UserAgent, o.Device.Type, o.Device.OS, o.Device.Browser}
	err := t.Scan([]any{&id}, `
		SELECT id FROM user_agents WHERE user_agent = $1 AND device_type = $2 AND device_os = $3 AND device_browser = $4`, agent...)
	if errors.Is(err, sql.ErrNoRows) {
		err = t.Scan([]any{&id}, `
			INSERT INTO user_agents (user_agent, device_type, device_os, device_browser) VALUES ($1, $2, $3, $4) RETURNING id`, agent...)
	}
	return &id, sqldb.Wrap("storing a user agent", err)
}
