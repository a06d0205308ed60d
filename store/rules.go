package store

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rollcall/store/presence"
)

// settingsOf returns the rules by the names under which the database keeps them.
func settingsOf(r *presence.Rules) map[string]*time.Duration {
	return map[string]*time.Duration{
		"session_ttl_ms":       &r.SessionTTL,
		"online_window_ms":     &r.OnlineWindow,
		"heartbeat_ms":         &r.Heartbeat,
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
func (t *tx) saveRules(now time.Time, r presence.Rules) (presence.Rules, error) {
	stored := r // what the database has no word on yet does not change
	if r == (presence.Rules{}) {
		stored = presence.DefaultRules()
	}
	if err := t.loadRules(&stored); err != nil {
		return presence.Rules{}, err
	}
	if r == (presence.Rules{}) {
		r = stored
	}
	settings, before := settingsOf(&r), settingsOf(&stored)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if err := t.SaveSetting(name, settings[name].Milliseconds()); err != nil {
			return presence.Rules{}, err
		}
		if now.IsZero() || *settings[name] == *before[name] {
			continue
		}
		detail := fmt.Sprintf("%s %s -> %s", strings.TrimSuffix(name, "_ms"), presence.Plain(*before[name]), presence.Plain(*settings[name]))
		if err := t.record(now, AuditEvent{Actor: ActorSystem, Action: "settings.change", Detail: detail}); err != nil {
			return presence.Rules{}, err
		}
	}
	return r, nil
}

// loadRules replaces what the database has another word on.
func (t *tx) loadRules(r *presence.Rules) error {
	settings := settingsOf(r)
	return t.Each(func(rows *sql.Rows) error {
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
