package api

import (
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
	Timestamp Time               `json:"timestamp,omitzero"`
}

// ExplainedUser is of whom it is told.
type ExplainedUser struct {
	ID   string `json:"id"`
	Name string `json:"name"`
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
	Rule            string                `json:"rule"` // a sentence
	Next            *ExplainedNext        `json:"next"` // null where time alone changes nothing
}

// ExplainedNext is what becomes of a session of which nothing more is heard.
type ExplainedNext struct {
	State   presence.SessionState `json:"state"`
	At      Time                  `json:"at"`
	Because string                `json:"because"` // a sentence
}

// ExplanationOf is an explanation for an answer.
func ExplanationOf(e store.Explanation) Explanation {
	answer := Explanation{User: ExplainedUser{ID: e.ID, Name: e.Name}, Status: e.Status, DecidedBy: e.DecidedBy,
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
		ExpiresAt: At(s.ExpiresAt), EndedAt: AtOptional(s.EndedAt), EndReason: reasonOf(s.EndReason), Rule: s.Rule}
	if s.Next != nil {
		answer.Next = &ExplainedNext{State: s.Next.State, At: At(s.Next.At), Because: s.Next.Because}
	}
	return answer
}
