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

// sessionTimes are what decides whether a session is online, in milliseconds.
type sessionTimes struct {
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
func (r Rules) departure(st sessionTimes) departure {
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

// Idle tells whether a session whose last heartbeat said that the last input
// was age ago counts as idle.
func (r Rules) Idle(age time.Duration) bool { return age >= r.IdleAfter }

// Rule is which rule decided a status.
type Rule string

// The rules, in their order.
const (
	RuleNoSession     Rule = "no_session_online"
	RulePersonClaim   Rule = "person_claim"
	RuleAppClaim      Rule = "app_claim"
	RuleActiveSession Rule = "active_session"
	RuleAllIdle       Rule = "all_idle"
)

// decision is a status with what it rests on.
type decision struct {
	status Status
	rule   Rule
	claim  Claim // which decided; zero for none
}

// decide says what one person is doing, from the sessions that are online and
// the claims that hold. The first rule that applies wins: somebody who is active
// in one browser is available, whatever lies open elsewhere.
func decide(online []OnlineSession, claims []Claim) decision {
	if len(online) == 0 {
		return decision{status: StatusOffline, rule: RuleNoSession}
	}
	if c, ok := winningClaim(claims); ok {
		rule := RuleAppClaim
		if c.App == "" {
			rule = RulePersonClaim
		}
		return decision{c.Status, rule, c}
	}
	for _, session := range online {
		if !session.Idle {
			return decision{status: StatusAvailable, rule: RuleActiveSession}
		}
	}
	return decision{status: StatusAway, rule: RuleAllIdle}
}

// winningClaim returns the claim that counts: the person's own, or of the
// applications' the one that says busy, and of those alike the latest.
func winningClaim(claims []Claim) (best Claim, found bool) {
	for _, c := range claims {
		switch {
		case c.App == "":
			return c, true
		case !found, c.Status == best.Status && c.since > best.since, c.Status == StatusBusy && best.Status != StatusBusy:
			best, found = c, true
		}
	}
	return best, found
}

// onlineRule is who is online, in SQL, for the sessions called alias: active,
// not expired, heard of within the online window (nor after it, by a clock that
// has been set back since), and not left.
func onlineRule(alias string) string {
	return strings.ReplaceAll(`s.is_active = true AND s.expires_at > ? AND s.last_activity_at > ? AND s.last_activity_at <= ?
		AND (s.leaving_at IS NULL OR s.leaving_at > ?)`, "s.", alias+".")
}

// bounds returns the parameters of onlineRule.
func (m cutoffs) bounds() []any { return []any{m.expiry, m.window, m.future, m.grace} }
