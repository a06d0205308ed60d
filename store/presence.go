package store

import (
	"strings"
	"time"
)

// Status is what a person is doing, as far as anybody can tell.
type Status string

// The statuses of this version.
const (
	StatusAvailable Status = "available"
	StatusBusy      Status = "busy" // must not be disturbed; nobody can say so yet
	StatusAway      Status = "away" // online, but without input for a while
)

// idle tells whether a session whose last heartbeat said that the last input
// was age ago counts as idle.
func (r Rules) idle(age time.Duration) bool { return age >= r.IdleAfter }

// status is what the online sessions of one user say together: somebody who is
// active in one browser is available, whatever lies open elsewhere.
func status(online []OnlineSession) Status {
	for _, session := range online {
		if !session.Idle {
			return StatusAvailable
		}
	}
	return StatusAway
}

// onlineRule is who is online, in SQL, for the sessions called alias: active,
// not expired, heard of within the online window, and not left.
func onlineRule(alias string) string {
	return strings.ReplaceAll(`s.is_active = true AND s.expires_at > ? AND s.last_activity_at > ?
		AND (s.leaving_at IS NULL OR s.leaving_at > ?)`, "s.", alias+".")
}

// onlineAt returns the parameters of onlineRule.
func (r Rules) onlineAt(now time.Time) []any {
	return []any{millis(now), millis(now.Add(-r.OnlineWindow)), millis(now.Add(-r.LeaveGrace))}
}
