package presence

import "time"

// Rules are the durations that decide who is online and who is logged in.
type Rules struct {
	SessionTTL     time.Duration // from the last activity to the end of a session
	OnlineWindow   time.Duration // from the last activity to offline
	Heartbeat      time.Duration // from one heartbeat of a browser to the next
	LeaveGrace     time.Duration // from a goodbye to offline
	IdleAfter      time.Duration // from the last input to idle
	Retention      time.Duration // from the end of a session to the removal of its row
	AuditRetention time.Duration // from an event to the removal of its entry in the audit log

	HistoryRetention time.Duration // how long the history of how many people were online is kept
}

// DefaultRules are the rules that the documentation names.
func DefaultRules() Rules {
	return Rules{
		SessionTTL:     24 * time.Hour,
		OnlineWindow:   5 * time.Minute,
		Heartbeat:      time.Minute,
		LeaveGrace:     15 * time.Second,
		IdleAfter:      5 * time.Minute,
		Retention:      30 * 24 * time.Hour,
		AuditRetention: 365 * 24 * time.Hour,

		HistoryRetention: 400 * 24 * time.Hour, // a year, and the same month of the year before
	}
}

// LoginGrace is for how long a login that no heartbeat has followed counts as presence: as long
// as a page needs to load. Who logs in without a page, such as a program, is not there to be disturbed.
func (r Rules) LoginGrace() time.Duration { return min(2*r.Heartbeat, r.OnlineWindow) }

// Idle tells whether a session whose last heartbeat said that the last input
// was age ago counts as idle.
func (r Rules) Idle(age time.Duration) bool { return age >= r.IdleAfter }
