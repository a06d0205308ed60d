package presence

import "time"

// Status is what a person is doing, as far as anybody can tell.
type Status string

// The statuses.
const (
	StatusAvailable Status = "available"
	StatusBusy      Status = "busy"    // must not be disturbed
	StatusAway      Status = "away"    // online, but without input for a while
	StatusOffline   Status = "offline" // no session is online
)

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

// Claim is what somebody says that a person does, whatever the sessions look
// like: the person themselves, or an application.
type Claim struct {
	App    string     // of the key that claims it; "" for the person
	Status Status     // StatusBusy or StatusAway
	Text   string     // "Recording"
	Until  *time.Time // nil: until it is taken back
	Since  int64      // unix milliseconds: when it was made
}

// Decision is a status with what it rests on.
type Decision struct {
	Status Status
	Rule   Rule
	Claim  Claim // which decided; zero for none
}

// Decide says what one person is doing, from how many of their sessions are online and
// how many of these are not idle, and from the claims that hold. The first rule that
// applies wins: somebody who is active
// in one browser is available, whatever lies open elsewhere.
func Decide(online, active int, claims []Claim) Decision {
	if online == 0 {
		return Decision{Status: StatusOffline, Rule: RuleNoSession}
	}
	if c, ok := winningClaim(claims); ok {
		rule := RuleAppClaim
		if c.App == "" {
			rule = RulePersonClaim
		}
		return Decision{c.Status, rule, c}
	}
	if active > 0 {
		return Decision{Status: StatusAvailable, Rule: RuleActiveSession}
	}
	return Decision{Status: StatusAway, Rule: RuleAllIdle}
}

// winningClaim returns the claim that counts: the person's own, or of the
// applications' the one that says busy, and of those alike the latest.
func winningClaim(claims []Claim) (best Claim, found bool) {
	for _, c := range claims {
		switch {
		case c.App == "":
			return c, true
		case !found, c.Status == best.Status && c.Since > best.Since, c.Status == StatusBusy && best.Status != StatusBusy:
			best, found = c, true
		}
	}
	return best, found
}
