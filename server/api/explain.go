package api

import (
	"strings"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
)

// Explanation is why a person is online, or is not.
type Explanation struct {
	User      ExplainedUser      `json:"user"`
	Status    presence.Status    `json:"status"`
	DecidedBy presence.Rule      `json:"decided_by"`
	Claims    []ExplainedClaim   `json:"claims"`   // that hold now
	Sessions  []ExplainedSession `json:"sessions"` // the latest, but for the panel's
}

// ExplainedUser is of whom it is told.
type ExplainedUser struct {
	ID        string `json:"id"`
	Directory string `json:"directory"`
	Name      string `json:"name"`
}

// ExplainedClaim is what somebody claims of the person.
type ExplainedClaim struct {
	By     string          `json:"by"` // "person", or the app
	Status presence.Status `json:"status"`
	Text   string          `json:"text"`
	Until  *Time           `json:"until"`
}

// ExplainedSession is a session with the rule that decides its state.
type ExplainedSession struct {
	ID              string                `json:"id"`
	App             string                `json:"app"`
	State           presence.SessionState `json:"state"` // online, left, timed_out, expired or ended
	Idle            bool                  `json:"idle"`
	Device          Device                `json:"device"`
	Location        string                `json:"location"`
	LastHeartbeatAt Time                  `json:"last_heartbeat_at"`
	LastInputAt     Time                  `json:"last_input_at"`
	LeavingAt       *Time                 `json:"leaving_at"`
	ExpiresAt       Time                  `json:"expires_at"`
	EndedAt         *Time                 `json:"ended_at"`
	EndReason       *presence.EndReason   `json:"end_reason"`
	Rule            string                `json:"rule"`      // a sentence that says what decides the state
	RuleCode        presence.Cause        `json:"rule_code"` // the same for programs
	LimitMS         *int64                `json:"limit_ms"`  // by which it goes; null where there is none
	Next            *ExplainedNext        `json:"next"`      // null where time alone changes nothing
}

// ExplainedNext is what becomes of a session of which nothing more is heard.
type ExplainedNext struct {
	State       presence.SessionState `json:"state"`
	At          Time                  `json:"at"`
	Because     string                `json:"because"`      // a sentence
	BecauseCode presence.Cause        `json:"because_code"` // the same for programs
	LimitMS     *int64                `json:"limit_ms"`     // by which it goes; null where there is none
}

// ExplanationOf is an explanation for an answer.
func ExplanationOf(e store.Explanation) Explanation {
	answer := Explanation{User: ExplainedUser{ID: e.ID, Directory: e.Directory, Name: e.Name}, Status: e.Status, DecidedBy: e.DecidedBy,
		Claims: []ExplainedClaim{}, Sessions: []ExplainedSession{}}
	for _, c := range e.Claims {
		by := c.App
		if by == "" {
			by = "person"
		}
		answer.Claims = append(answer.Claims, ExplainedClaim{By: by, Status: c.Status, Text: c.Text, Until: AtOptional(c.Until)})
	}
	for _, session := range e.States {
		answer.Sessions = append(answer.Sessions, explainedSessionOf(session))
	}
	return answer
}

func explainedSessionOf(s store.ExplainedSession) ExplainedSession {
	answer := ExplainedSession{ID: ID(s.ID), App: s.App, State: s.State, Idle: s.Idle, Device: Device(s.Device), Location: s.Location,
		LastHeartbeatAt: At(s.LastActivity), LastInputAt: At(s.LastInput), LeavingAt: AtOptional(s.LeavingAt),
		ExpiresAt: At(s.ExpiresAt), EndedAt: AtOptional(s.EndedAt), EndReason: reasonOf(s.EndReason),
		Rule: ruleText(s.Why, s.EndReason), RuleCode: s.Why.Cause, LimitMS: limitOf(s.Why)}
	if n := s.Next; n != nil {
		answer.Next = &ExplainedNext{State: n.State, At: At(n.At), Because: text(nextTexts[n.Cause], n.Reason), BecauseCode: n.Cause, LimitMS: limitOf(n.Reason)}
	}
	return answer
}

// ruleTexts say why a session is in a state.
var ruleTexts = map[presence.Cause]string{
	presence.CauseOutage:    "No heartbeat could be recorded for LIMIT: who was there before still counts until they had the time to send one.",
	presence.CauseClockSet:  "The clock has just been set: what was before still counts as it did then.",
	presence.CauseLeaving:   "The last tab said goodbye less than LIMIT ago (--leave-grace).",
	presence.CauseHeartbeat: "The last heartbeat came less than LIMIT ago (--online-window).",
	presence.CauseLogin:     "The login was less than LIMIT ago, and a page needs that long to load (two of --heartbeat).",
	presence.CauseLeft:      "The last tab said goodbye and none came back within LIMIT (--leave-grace).",
	presence.CauseFuture:    "The last heartbeat came more than LIMIT in the future (--online-window): the clock was set back since.",
	presence.CauseTimedOut:  "No heartbeat came for LIMIT (--online-window).",
	presence.CauseLoginOnly: "No heartbeat followed the login within LIMIT (two of --heartbeat): it is a login, not presence.",
	presence.CauseExpired:   "The login is over: nobody was active for LIMIT (--session-ttl).",
}

// endTexts say how a session ended.
var endTexts = map[presence.EndReason]string{
	presence.EndLogout:          "The application reported a logout.",
	presence.EndExpired:         "The login was over and has been cleaned up (--session-ttl).",
	presence.EndRevoked:         "An administrator ended the session.",
	presence.EndPasswordChanged: "The password was changed.",
	presence.EndEvicted:         "A later login took its place.",
}

// nextTexts say why a session will be in a state.
var nextTexts = map[presence.Cause]string{
	presence.CauseLoginOnly:   "Unless a heartbeat comes within LIMIT of the login (two of --heartbeat).",
	presence.CauseLeft:        "Unless a tab comes back within LIMIT of the goodbye (--leave-grace).",
	presence.CauseTimedOut:    "Unless a heartbeat comes within LIMIT of the last (--online-window).",
	presence.CauseExpired:     "The login ends LIMIT after the last activity (--session-ttl).",
	presence.CauseClockCaught: "By then the clock has caught up with the last heartbeat.",
}

func ruleText(why presence.Reason, end presence.EndReason) string {
	if why.Cause == presence.CauseEnded {
		return endTexts[end]
	}
	return text(ruleTexts[why.Cause], why)
}

// text puts the reason's limit where its text has a place for it. An outage lasts to the
// millisecond, which nobody wants to read.
func text(pattern string, why presence.Reason) string {
	limit := why.Limit
	if why.Cause == presence.CauseOutage {
		limit = limit.Round(time.Second)
	}
	return strings.Replace(pattern, "LIMIT", presence.Plain(limit), 1)
}

func limitOf(why presence.Reason) *int64 {
	if why.Limit == 0 {
		return nil
	}
	return new(why.Limit.Milliseconds())
}
