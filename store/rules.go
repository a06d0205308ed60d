package store

import (
	"context"
	"database/sql"
	"time"
)

// Rules are the durations that decide who is online and who is logged in.
type Rules struct {
	SessionTTL   time.Duration // from the last activity to the end of a session
	OnlineWindow time.Duration // from the last activity to offline
	LeaveGrace   time.Duration // from a goodbye to offline
	IdleAfter    time.Duration // from the last input to idle
	Retention    time.Duration // from the end of a session to the removal of its row

	HistoryRetention time.Duration // how long the history of how many people were online is kept
}

// DefaultRules are the rules that the documentation names.
func DefaultRules() Rules {
	return Rules{
		SessionTTL:   24 * time.Hour,
		OnlineWindow: 5 * time.Minute,
		LeaveGrace:   15 * time.Second,
		IdleAfter:    5 * time.Minute,
		Retention:    30 * 24 * time.Hour,

		HistoryRetention: 400 * 24 * time.Hour, // a year, and the same month of the year before
	}
}

// settings are the rules by the names under which the database keeps them.
func (r *Rules) settings() map[string]*time.Duration {
	return map[string]*time.Duration{
		"session_ttl_ms":   &r.SessionTTL,
		"online_window_ms": &r.OnlineWindow,
		"leave_grace_ms":   &r.LeaveGrace,
		"idle_after_ms":    &r.IdleAfter,
		"retention_ms":     &r.Retention,

		"history_retention_ms": &r.HistoryRetention,
	}
}

// settleRules keeps the rules where the triggers, and the next program that
// opens the database without rules of its own, find them.
func settleRules(ctx context.Context, conn *sql.Conn, r Rules) (Rules, error) {
	if r == (Rules{}) {
		r = DefaultRules()
		if err := loadRules(ctx, conn, &r); err != nil {
			return Rules{}, err
		}
	}
	for name, value := range r.settings() {
		if _, err := conn.ExecContext(ctx, saveSetting, name, value.Milliseconds()); err != nil {
			return Rules{}, err
		}
	}
	return r, nil
}

// loadRules replaces what the database has another word on.
func loadRules(ctx context.Context, conn *sql.Conn, r *Rules) error {
	rows, err := conn.QueryContext(ctx, `SELECT name, value FROM settings`)
	if err != nil {
		return err
	}
	defer rows.Close()
	settings := r.settings()
	for rows.Next() {
		var name string
		var ms int64
		if err := rows.Scan(&name, &ms); err != nil {
			return err
		}
		if value, ok := settings[name]; ok {
			*value = time.Duration(ms) * time.Millisecond
		}
	}
	return rows.Err()
}

// saveSetting changes nothing, not even the file, where the value is the same.
const saveSetting = `
	INSERT INTO settings (name, value) VALUES ($1, $2)
	ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE settings.value <> excluded.value`
