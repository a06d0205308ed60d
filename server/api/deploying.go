package api

import (
	"time"

	"rollcall/store"
	"rollcall/store/presence"
)

// Gate is the answer to "may I deploy?": a success or, where the gate is closed, a failure that
// says who is in the way.
type Gate struct {
	Success    bool               `json:"success"`
	Error      string             `json:"error,omitempty"`
	Code       string             `json:"code,omitempty"` // gate_caution or gate_hold
	Level      presence.GateLevel `json:"level"`          // clear, caution or hold
	Text       string             `json:"text"`           // the counts in words, for people
	Online     int                `json:"online"`
	Counts     Counts             `json:"counts"`
	Blocking   []InTheWay         `json:"blocking"`    // busy people first, then available, then idle ones; at most 100
	StillThere []StillThere       `json:"still_there"` // not online, see there; at most 100

	Unidentified []Unidentified `json:"unidentified"` // likewise
	Quietest     *QuietTime     `json:"quietest"`     // when it is likely to be quiet next; null while nobody knows

	NeverReported bool `json:"never_reported"` // nobody has ever been reported to be logged in to the app that is asked about

	Timestamp Time `json:"timestamp"`
}

// InTheWay is somebody who would notice a deployment.
type InTheWay struct {
	ID               string `json:"id"`
	Directory        string `json:"directory"`
	Name             string `json:"name"`
	Email            string `json:"email"`
	Role             string `json:"role"`
	OrganizationName string `json:"organization_name"`
	TeamName         string `json:"team_name"`
	ShownStatus
	IdleSince      *Time    `json:"idle_since"` // the last input; null while not idle
	LastActivityAt Time     `json:"last_activity_at"`
	Page           string   `json:"page"`
	Apps           []string `json:"apps"`
}

// StillThere is somebody who works, or may, in a page whose session has ended: they were asked to leave, or
// their time ran out, and the application has not signed them out.
type StillThere struct {
	ID        string             `json:"id"` // of the user
	Directory string             `json:"directory"`
	Name      string             `json:"name"`
	SessionID string             `json:"session_id"`
	App       string             `json:"app"`
	EndReason presence.EndReason `json:"end_reason"`
	SeenAt    Time               `json:"seen_at"` // last heartbeat, which was refused
}

// Unidentified is somebody who may be at work and is on no record.
type Unidentified struct {
	Doubt  store.Doubt `json:"doubt"`  // unknown_token: a page in use has one that nobody reported; refused_heartbeat; refused_report: of a login; deleted_user: who was there; unheard: the server has just started, or could record nothing
	App    string      `json:"app"`    // that reported the login; "" where nobody knows
	Detail string      `json:"detail"` // origin of the page, "" where it said none; code of the refusal; of a heartbeat the code and the origin; of unheard start or outage
	SeenAt Time        `json:"seen_at"`
}

// GateOf is the gate's answer: open where the level lets whoever asks deploy.
func GateOf(gate store.Gate, open bool, now time.Time) Gate {
	counts := Counts(gate.Counts)
	answer := Gate{Success: open, Level: gate.Level, Text: counts.String(), Online: gate.Counts.People(), Counts: counts, Blocking: []InTheWay{}, StillThere: []StillThere{}, Unidentified: []Unidentified{}, Timestamp: At(now)}
	for _, person := range gate.Blocking {
		answer.Blocking = append(answer.Blocking, inTheWayOf(person, now))
	}
	for _, one := range gate.StillThere {
		answer.StillThere = append(answer.StillThere, StillThere{ID: one.User.ID, Directory: one.User.Directory, Name: one.User.Name, SessionID: ID(one.Session), App: one.App, EndReason: one.Reason, SeenAt: At(one.SeenAt)})
	}
	for _, one := range gate.Unidentified {
		answer.Unidentified = append(answer.Unidentified, Unidentified{Doubt: one.Doubt, App: one.App, Detail: one.Detail, SeenAt: At(one.SeenAt)})
	}
	if answer.NeverReported = gate.NeverReported; gate.NeverReported {
		answer.Text += ", and this application has never reported anybody"
	}
	if !open {
		answer.Code, answer.Error = "gate_"+string(gate.Level), answer.Text
	}
	return answer
}

func inTheWayOf(p store.OnlinePerson, now time.Time) InTheWay {
	u := PersonOf(p, now)
	answer := InTheWay{ID: u.ID, Directory: u.Directory, Name: u.Name, Email: u.Email, Role: u.Role, OrganizationName: u.OrganizationName, TeamName: u.TeamName,
		ShownStatus: u.ShownStatus, LastActivityAt: u.LastActivityAt, Page: u.Page, Apps: u.Apps}
	if u.Idle { // of all sessions, as it is the one with the latest input
		input := At(p.Shown().LastInput)
		answer.IdleSince = &input
	}
	return answer
}

// Drain is whether new logins are kept out.
type Drain struct {
	Draining        bool   `json:"draining"`
	Message         string `json:"message"`
	StartedAt       *Time  `json:"started_at"`
	StartedBy       string `json:"started_by"`
	EndSessionsAt   *Time  `json:"end_sessions_at"`
	SessionsEndedAt *Time  `json:"sessions_ended_at"`
	Online          int    `json:"online"`       // people who are still there
	CameIn          int    `json:"came_in"`      // of whom so many logged in since it began
	StillThere      int    `json:"still_there"`  // and who works on after the end of their session
	Unidentified    int    `json:"unidentified"` // and who may, and is on no record
	Timestamp       Time   `json:"timestamp,omitzero"`
}

// DrainOf is a drain for an answer.
func DrainOf(d store.Drain, left store.Drained) Drain {
	return Drain{Draining: true, Message: d.Message, StartedAt: AtOptional(&d.StartedAt), StartedBy: d.StartedBy,
		EndSessionsAt: AtOptional(d.EndSessionsAt), SessionsEndedAt: AtOptional(d.SessionsEndedAt), Online: left.Online, CameIn: left.CameIn, StillThere: left.StillThere, Unidentified: left.Unidentified}
}

// DrainInput says what people are told who are kept out, and when the sessions of those inside end.
type DrainInput struct {
	Message         string `json:"message"`
	EndSessionsAt   *Time  `json:"end_sessions_at,omitempty"`    // nil: never
	EndSessionsInMS *int64 `json:"end_sessions_in_ms,omitempty"` // instead: how long from now, by the server's clock
}
