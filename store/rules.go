package store

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Rules are the durations that decide who is online and who is logged in.
type Rules struct {
	SessionTTL     time.Duration // from the last activity to the end of a session
	OnlineWindow   time.Duration // from the last activity to offline
	LeaveGrace     time.Duration // from a goodbye to offline
	IdleAfter      time.Duration // from the last input to idle
	Retention      time.Duration // from the end of a session to the removal of its row
	AuditRetention time.Duration // from a deed to the removal of its entry in the audit log

	HistoryRetention time.Duration // how long the history of how many people were online is kept
}

// DefaultRules are the rules that the documentation names.
func DefaultRules() Rules {
	return Rules{
		SessionTTL:     24 * time.Hour,
		OnlineWindow:   5 * time.Minute,
		LeaveGrace:     15 * time.Second,
		IdleAfter:      5 * time.Minute,
		Retention:      30 * 24 * time.Hour,
		AuditRetention: 365 * 24 * time.Hour,

		HistoryRetention: 400 * 24 * time.Hour, // a year, and the same month of the year before
	}
}

// settings are the rules by the names under which the database keeps them.
func (r *Rules) settings() map[string]*time.Duration {
	return map[string]*time.Duration{
		"session_ttl_ms":       &r.SessionTTL,
		"online_window_ms":     &r.OnlineWindow,
		"leave_grace_ms":       &r.LeaveGrace,
		"idle_after_ms":        &r.IdleAfter,
		"retention_ms":         &r.Retention,
		"audit_retention_ms":   &r.AuditRetention,
		"history_retention_ms": &r.HistoryRetention,
	}
}

// saveRules keeps the rules where the triggers, and the next program that
// opens the database without rules of its own, find them. What that changes is
// recorded.
func (t *tx) saveRules(now time.Time, r Rules) (Rules, error) {
	stored := r // what the database has no word on yet does not change
	if r == (Rules{}) {
		stored = DefaultRules()
	}
	if err := t.loadRules(&stored); err != nil {
		return Rules{}, err
	}
	if r == (Rules{}) {
		r = stored
	}
	settings, before := r.settings(), stored.settings()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if _, err := t.exec(saveSetting, name, settings[name].Milliseconds()); err != nil {
			return Rules{}, err
		}
		if now.IsZero() || *settings[name] == *before[name] {
			continue
		}
		detail := fmt.Sprintf("%s %s -> %s", strings.TrimSuffix(name, "_ms"), plain(*before[name]), plain(*settings[name]))
		if err := t.record(now, AuditEvent{Actor: ActorSystem, Action: "settings.change", Detail: detail}); err != nil {
			return Rules{}, err
		}
	}
	return r, nil
}

// loadRules replaces what the database has another word on.
func (t *tx) loadRules(r *Rules) error {
	settings := r.settings()
	return t.each(func(rows *sql.Rows) error {
		var name string
		var ms int64
		if err := rows.Scan(&name, &ms); err != nil {
			return err
		}
		if value, ok := settings[name]; ok {
			*value = time.Duration(ms) * time.Millisecond
		}
		return nil
	}, `SELECT name, value FROM settings`)
}

// saveSetting changes nothing, not even the file, where the value is the same.
const saveSetting = `
	INSERT INTO settings (name, value) VALUES ($1, $2)
	ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE settings.value <> excluded.value`
