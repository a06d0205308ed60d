package server

import (
	"net/http"
	"slices"
	"time"

	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
)

type onlineAnswer struct {
	success
	Users      []onlineUser `json:"users"`
	Count      int          `json:"count"`
	Counts     counts       `json:"counts"`
	Cursor     string       `json:"cursor"` // of the live feed
	NextCursor string       `json:"next_cursor"`
}

type counts struct {
	Available int `json:"available"`
	Busy      int `json:"busy"`
	Away      int `json:"away"`
}

// of returns the count of people with a status, which is not offline.
func (c *counts) of(status presence.Status) *int {
	switch status {
	case presence.StatusAvailable:
		return &c.Available
	case presence.StatusBusy:
		return &c.Busy
	}
	return &c.Away
}

// onlineUser has the original system's fields first, then ours.
type onlineUser struct {
	ID               string `json:"id"`
	Name             string `json:"name"`
	Email            string `json:"email"`
	Role             string `json:"role"`
	OrganizationName string `json:"organization_name"`
	TeamName         string `json:"team_name"`
	LastActivityAt   string `json:"last_activity_at,omitempty"`   // none for
	SessionStartedAt string `json:"session_started_at,omitempty"` // who has just gone offline
	SessionMinutes   int    `json:"session_duration_minutes"`
	IPAddress        string `json:"ip_address"`
	UserAgent        string `json:"user_agent"`
	Device           device `json:"device"`
	Location         string `json:"location"`
	OrganizationID   *int64 `json:"organization_id"`
	statusFields
	Idle     bool            `json:"idle"`
	Page     string          `json:"page"`
	Apps     []string        `json:"apps"`
	Sessions []onlineSession `json:"sessions"`
}

// device is what a session is used on, as the API shows it.
type device struct {
	Type    string `json:"type"`
	OS      string `json:"os"`
	Browser string `json:"browser"`
}

type onlineSession struct {
	ID               string `json:"id"`
	App              string `json:"app"`
	SessionStartedAt string `json:"session_started_at"`
	LastActivityAt   string `json:"last_activity_at"`
	ExpiresAt        string `json:"expires_at"`
	IPAddress        string `json:"ip_address"`
	UserAgent        string `json:"user_agent"`
	Device           device `json:"device"`
	Location         string `json:"location"`
	Page             string `json:"page"`
	Idle             bool   `json:"idle"`
}

// online lists the people who are online.
func (s *Server) online(r *http.Request) (any, error) {
	filter, err := onlineFilter(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	cursor := s.live.cursor() // before the list is read: it must not promise more than the list shows
	now := s.now()
	page, err := s.store.Online(r.Context(), now, filter)
	if err != nil {
		return nil, err
	}
	c := page.Counts
	answer := &onlineAnswer{Cursor: cursor, Count: c.People(), Counts: counts(c), NextCursor: page.Next}
	answer.Users = make([]onlineUser, len(page.People)) // not nil: JSON must say [], never null
	for i, person := range page.People {
		answer.Users[i] = answerPerson(person, now)
	}
	return answer, nil
}

func onlineFilter(query string) (store.OnlineFilter, error) {
	q, err := web.Query(query, "app", "organization", "team", "role", "status", "q", "sort", "limit", "cursor")
	if err != nil {
		return store.OnlineFilter{}, err
	}
	limit, err := web.Limit(q)
	if err != nil {
		return store.OnlineFilter{}, err
	}
	f := store.OnlineFilter{App: q.Get("app"), Organization: q.Get("organization"), Team: q.Get("team"), Role: q.Get("role"),
		Status: presence.Status(q.Get("status")), Search: q.Get("q"), Sort: store.Sort(q.Get("sort")), Limit: limit, Cursor: q.Get("cursor")}
	if !slices.Contains([]presence.Status{"", presence.StatusAvailable, presence.StatusAway, presence.StatusBusy}, f.Status) {
		return f, web.Invalid("status must be available, busy or away")
	}
	return f, nil
}

// answerPerson shows a person by the session with the latest input, and as
// online since the first of the sessions.
func answerPerson(p store.OnlinePerson, now time.Time) onlineUser {
	answer := onlineUser{ID: p.ID, Name: p.Name, Email: p.Email, Role: p.Role, OrganizationName: p.Organization, TeamName: p.Team,
		OrganizationID: p.OrganizationID, statusFields: answerStatus(p.Status, p.StatusText, p.StatusUntil), Apps: []string{}, Sessions: []onlineSession{}}
	if len(p.Sessions) == 0 { // offline
		return answer
	}
	shown, since := p.Shown(), p.Sessions[0].CreatedAt
	answer.LastActivityAt = timestamp(p.Sessions[0].LastActivity)
	for _, session := range p.Sessions {
		if session.CreatedAt.Before(since) {
			since = session.CreatedAt
		}
		if !slices.Contains(answer.Apps, session.App) {
			answer.Apps = append(answer.Apps, session.App)
		}
		answer.Sessions = append(answer.Sessions, answerOnlineSession(session))
	}
	slices.Sort(answer.Apps) // every heartbeat moves the order of the sessions
	answer.IPAddress, answer.UserAgent, answer.Device, answer.Location = shown.IPAddress, shown.UserAgent, device(shown.Device), shown.Location
	answer.Page, answer.Idle = shown.Page, shown.Idle
	answer.SessionStartedAt, answer.SessionMinutes = timestamp(since), int(max(now.Sub(since), 0)/time.Minute) // the clock may be set back
	return answer
}

func answerOnlineSession(s store.OnlineSession) onlineSession {
	return onlineSession{ID: formatID(s.ID), App: s.App, SessionStartedAt: timestamp(s.CreatedAt), LastActivityAt: timestamp(s.LastActivity),
		ExpiresAt: timestamp(s.ExpiresAt), IPAddress: s.IPAddress, UserAgent: s.UserAgent, Device: device(s.Device), Location: s.Location, Page: s.Page, Idle: s.Idle}
}
