package api

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
)

// Online is a page of the people who are online.
type Online struct {
	Users      []Person           `json:"users"`
	Count      int                `json:"count"` // of all who match, not only of this page
	Counts     Counts             `json:"counts"`
	Level      presence.GateLevel `json:"level"`       // that follows from the counts, where nobody may be disturbed
	Cursor     string             `json:"cursor"`      // of the live feed, which goes on from this list
	NextCursor string             `json:"next_cursor"` // of the next page, "" for none
	Timestamp  Time               `json:"timestamp,omitzero"`
}

// Counts are how many of the people online have which status.
type Counts struct {
	Available int `json:"available"`
	Busy      int `json:"busy"`
	Away      int `json:"away"`

	StillThere   int `json:"still_there"`  // not online: their session has ended, and its page is in use
	Unidentified int `json:"unidentified"` // may be at work, and are on no record
}

// String says who is there, such as "1 busy, 3 available, 2 away".
func (c Counts) String() string {
	var kinds []string
	for _, kind := range []struct {
		people int
		status presence.Status
	}{{c.Busy, presence.StatusBusy}, {c.Available, presence.StatusAvailable}, {c.Away, presence.StatusAway}} {
		if kind.people > 0 {
			kinds = append(kinds, fmt.Sprint(kind.people, " ", kind.status))
		}
	}
	if c.StillThere > 0 {
		kinds = append(kinds, fmt.Sprint(c.StillThere, " still there after their session ended"))
	}
	if c.Unidentified > 0 {
		kinds = append(kinds, fmt.Sprint(c.Unidentified, " unidentified"))
	}
	return cmp.Or(strings.Join(kinds, ", "), "nobody is online")
}

// Person is somebody who is online, with all their sessions; in the live feed also somebody who
// has just gone. It has the original system's fields first, then ours.
type Person struct {
	ID                     string `json:"id"` // the application's own, in Directory
	Name                   string `json:"name"`
	Email                  string `json:"email"`
	Role                   string `json:"role"`
	OrganizationName       string `json:"organization_name"`
	TeamName               string `json:"team_name"`
	LastActivityAt         Time   `json:"last_activity_at,omitzero"`   // none for
	SessionStartedAt       Time   `json:"session_started_at,omitzero"` // who has just gone
	SessionDurationMinutes int    `json:"session_duration_minutes"`
	IPAddress              string `json:"ip_address"`
	UserAgent              string `json:"user_agent"`
	Device                 Device `json:"device"`
	Location               string `json:"location"`
	OrganizationID         *int64 `json:"organization_id"`
	ShownStatus
	Idle     bool            `json:"idle"`
	Page     string          `json:"page"`
	Apps     []string        `json:"apps"`
	Sessions []OnlineSession `json:"sessions"`

	Directory    string `json:"directory"`     // of two of the same id, whose person this is
	SessionCount int    `json:"session_count"` // of which Sessions has the latest
}

// OnlineSession is one of the sessions by which somebody is online.
type OnlineSession struct {
	ID               string `json:"id"`
	App              string `json:"app"`
	SessionStartedAt Time   `json:"session_started_at"`
	LastActivityAt   Time   `json:"last_activity_at"`
	ExpiresAt        Time   `json:"expires_at"`
	IPAddress        string `json:"ip_address"`
	UserAgent        string `json:"user_agent"`
	Device           Device `json:"device"`
	Location         string `json:"location"`
	Page             string `json:"page"`
	Idle             bool   `json:"idle"`
}

// Device is what a session is used on. Its fields are "" where that is not known.
type Device struct {
	Type    string `json:"type"` // desktop, mobile, tablet or bot
	OS      string `json:"os"`
	Browser string `json:"browser"` // with its major version
}

// String is the device in words, such as "Firefox 140 on Windows".
func (d Device) String() string {
	if d.Browser != "" && d.OS != "" {
		return d.Browser + " on " + d.OS
	}
	return cmp.Or(d.Browser, d.OS, d.Type)
}

// PersonOf shows a person by the session with the latest input, and as online since the first of
// the sessions.
func PersonOf(p store.OnlinePerson, now time.Time) Person {
	answer := Person{ID: p.ID, Directory: p.Directory, Name: p.Name, Email: p.Email, Role: p.Role, OrganizationName: p.Organization, TeamName: p.Team,
		OrganizationID: p.OrganizationID, ShownStatus: StatusOf(p), Apps: []string{}, Sessions: []OnlineSession{}}
	if len(p.Sessions) == 0 { // offline
		return answer
	}
	shown := p.Shown()
	for _, session := range p.Sessions {
		answer.Sessions = append(answer.Sessions, onlineSessionOf(session))
	}
	answer.Apps, answer.SessionCount = p.Apps, p.SessionCount
	answer.IPAddress, answer.UserAgent, answer.Device, answer.Location = shown.IPAddress, shown.UserAgent, Device(shown.Device), shown.Location
	answer.Page, answer.Idle = shown.Page, shown.Idle
	answer.LastActivityAt, answer.SessionStartedAt = At(p.Sessions[0].LastActivity), At(p.Since)
	answer.SessionDurationMinutes = minutes(p.Since, now)
	return answer
}

func onlineSessionOf(s store.OnlineSession) OnlineSession {
	return OnlineSession{ID: ID(s.ID), App: s.App, SessionStartedAt: At(s.CreatedAt), LastActivityAt: At(s.LastActivity), ExpiresAt: At(s.ExpiresAt),
		IPAddress: s.IPAddress, UserAgent: s.UserAgent, Device: Device(s.Device), Location: s.Location, Page: s.Page, Idle: s.Idle}
}

// ShownStatus is a person's status as every answer has it.
type ShownStatus struct {
	Status      presence.Status `json:"status"` // available, busy, away or offline
	StatusText  string          `json:"status_text"`
	StatusUntil *Time           `json:"status_until"` // null: until it is taken back
}

// StatusOf is what a person does now, all things considered.
func StatusOf(p store.OnlinePerson) ShownStatus {
	return ShownStatus{Status: p.Status, StatusText: p.StatusText, StatusUntil: AtOptional(p.StatusUntil)}
}

// StatusInput is what somebody says that a person does.
type StatusInput struct {
	Status presence.Status `json:"status"`           // busy, away, or available to take it back
	Text   string          `json:"text,omitempty"`   // at most 80 characters
	Until  *Time           `json:"until,omitempty"`  // nil: until it is taken back
	ForMS  *int64          `json:"for_ms,omitempty"` // instead of Until: how long from now, by the server's clock
}
