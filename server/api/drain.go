package api

import "rollcall/store"

// Drain is whether new logins are kept out.
type Drain struct {
	Draining        bool   `json:"draining"`
	Message         string `json:"message"`
	StartedAt       *Time  `json:"started_at"`
	StartedBy       string `json:"started_by"`
	EndSessionsAt   *Time  `json:"end_sessions_at"`
	SessionsEndedAt *Time  `json:"sessions_ended_at"`
	Online          int    `json:"online"` // people who are still there
	Timestamp       Time   `json:"timestamp,omitzero"`
}

// DrainOf is a drain for an answer.
func DrainOf(d store.Drain, online int) Drain {
	return Drain{Draining: true, Message: d.Message, StartedAt: AtOptional(&d.StartedAt), StartedBy: d.StartedBy,
		EndSessionsAt: AtOptional(d.EndSessionsAt), SessionsEndedAt: AtOptional(d.SessionsEndedAt), Online: online}
}

// DrainInput says what people are told who are kept out, and when the sessions of those inside end.
type DrainInput struct {
	Message         string `json:"message"`
	EndSessionsAt   *Time  `json:"end_sessions_at,omitempty"`    // nil: never
	EndSessionsInMS *int64 `json:"end_sessions_in_ms,omitempty"` // instead: how long from now, by the server's clock
}
