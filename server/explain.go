package server

import (
	"net/http"

	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
)

type explainAnswer struct {
	success
	User      explainedUser      `json:"user"`
	Status    presence.Status    `json:"status"`
	DecidedBy presence.Rule      `json:"decided_by"`
	Claims    []explainedClaim   `json:"claims"`
	Sessions  []explainedSession `json:"sessions"`
}

type explainedUser struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type explainedClaim struct {
	By     string          `json:"by"` // "person", or the app
	Status presence.Status `json:"status"`
	Text   string          `json:"text"`
	Until  *string         `json:"until"`
}

type explainedSession struct {
	ID              string                `json:"id"`
	App             string                `json:"app"`
	State           presence.SessionState `json:"state"`
	Idle            bool                  `json:"idle"`
	Device          device                `json:"device"`
	Location        string                `json:"location"`
	LastHeartbeatAt string                `json:"last_heartbeat_at"`
	LastInputAt     string                `json:"last_input_at"`
	LeavingAt       *string               `json:"leaving_at"`
	ExpiresAt       string                `json:"expires_at"`
	EndedAt         *string               `json:"ended_at"`
	EndReason       *presence.EndReason   `json:"end_reason"`
	Rule            string                `json:"rule"`
	Next            *explainedNext        `json:"next"`
}

type explainedNext struct {
	State   presence.SessionState `json:"state"`
	At      string                `json:"at"`
	Because string                `json:"because"`
}

// explainUser tells why a user is online, or is not.
func (s *Server) explainUser(r *http.Request) (any, error) {
	user, err := web.PathText(r)
	if err != nil {
		return nil, err
	}
	e, err := s.store.Explain(r.Context(), s.now(), user)
	if err != nil {
		return nil, unknownUser(err)
	}
	s.viewed(r, user)
	answer := &explainAnswer{User: explainedUser{ID: e.ID, Name: e.Name}, Status: e.Status, DecidedBy: e.DecidedBy,
		Claims: []explainedClaim{}, Sessions: []explainedSession{}}
	for _, c := range e.Claims {
		by := c.App
		if by == "" {
			by = "person"
		}
		answer.Claims = append(answer.Claims, explainedClaim{By: by, Status: c.Status, Text: c.Text, Until: optional(c.Until)})
	}
	for _, session := range e.States {
		answer.Sessions = append(answer.Sessions, answerExplained(session))
	}
	return answer, nil
}

func answerExplained(s store.ExplainedSession) explainedSession {
	answer := explainedSession{ID: formatID(s.ID), App: s.App, State: s.State, Idle: s.Idle, Device: device(s.Device), Location: s.Location,
		LastHeartbeatAt: timestamp(s.LastActivity), LastInputAt: timestamp(s.LastInput), LeavingAt: optional(s.LeavingAt),
		ExpiresAt: timestamp(s.ExpiresAt), EndedAt: optional(s.EndedAt), Rule: s.Rule}
	if s.EndReason != "" {
		answer.EndReason = &s.EndReason
	}
	if s.Next != nil {
		answer.Next = &explainedNext{State: s.Next.State, At: timestamp(s.Next.At), Because: s.Next.Because}
	}
	return answer
}
