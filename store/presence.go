package store

import (
	"strings"
	"time"
)

// Status is what a person is doing, as far as anybody can tell.
type Status string

// The statuses.
const (
	StatusAvailable Status = "available"
	StatusBusy      Status = "busy"    // must not be disturbed
	StatusAway      Status = "away"    // online, but without input for a while
	StatusOffline   Status = "offline" // no session is online
)

// OfflineReason is why somebody is not online: how the session that was online
// last ceased to be. "" of somebody who has no session on record.
type OfflineReason string

// The reasons besides those for which a session ends, which are an [EndReason].
const (
	OfflineLeft     OfflineReason = "left"      // said goodbye
	OfflineTimedOut OfflineReason = "timed_out" // was not heard of any more
)

// stamps are what decides whether a session is online, in milliseconds.
type stamps struct {
	activity, expires int64
	leaving, ended    *int64
	reason            EndReason // where it has ended
}

// departure is when a session ceases to be online, and why.
type departure struct {
	at     int64
	reason OfflineReason
}

// departure returns which rule is the first to take a session from the list if
// nothing more is heard of it. Of one that has ended the reason is how it ended.
func (r Rules) departure(st stamps) departure {
	first := departure{st.activity + r.OnlineWindow.Milliseconds(), OfflineTimedOut}
	if st.leaving != nil {
		first = earlier(departure{*st.leaving + r.LeaveGrace.Milliseconds(), OfflineLeft}, first)
	}
	first = earlier(departure{st.expires, OfflineReason(EndExpired)}, first)
	if st.ended != nil {
		first = departure{min(*st.ended, first.at), OfflineReason(st.reason)}
	}
	return first
}

// earlier returns the earlier departure, a where they are at once.
func earlier(a, b departure) departure {
	if b.at < a.at {
		return b
	}
	return a
}

// idle tells whether a session whose last heartbeat said that the last input
// was age ago counts as idle.
func (r Rules) idle(age time.Duration) bool { return age >= r.IdleAfter }

// status is what the online sessions of one user say together: somebody who is
// active in one browser is available, whatever lies open elsewhere.
func status(online []OnlineSession) Status {
	if len(online) == 0 {
		return StatusOffline
	}
	for _, session := range online {
		if !session.Idle {
			return StatusAvailable
		}
	}
	return StatusAway
}

// onlineRule is who is online, in SQL, for the sessions called alias: active,
// not expired, heard of within the online window (nor after it, by a clock that
// has been set back since), and not left.
func onlineRule(alias string) string {
	return strings.ReplaceAll(`s.is_active = true AND s.expires_at > ? AND s.last_activity_at > ? AND s.last_activity_at <= ?
		AND (s.leaving_at IS NULL OR s.leaving_at > ?)`, "s.", alias+".")
}

// bounds returns the parameters of onlineRule.
func (m moment) bounds() []any { return []any{m.expiry, m.window, m.future, m.grace} }
