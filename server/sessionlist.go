package server

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
)

type sessionsAnswer struct {
	success
	Sessions   []listedSession `json:"sessions"`
	NextCursor string          `json:"next_cursor"`
}

type listedSession struct {
	ID               string                `json:"id"`
	App              string                `json:"app"`
	User             listedUser            `json:"user"`
	State            presence.SessionState `json:"state"`
	SessionStartedAt string                `json:"session_started_at"`
	LastActivityAt   string                `json:"last_activity_at"`
	ExpiresAt        string                `json:"expires_at"`
	EndedAt          *string               `json:"ended_at"`
	EndReason        *presence.EndReason   `json:"end_reason"`
	EndedBy          string                `json:"ended_by"`
	EndNote          string                `json:"end_note"`
	IPAddress        string                `json:"ip_address"`
	UserAgent        string                `json:"user_agent"`
	Device           device                `json:"device"`
	Location         string                `json:"location"`
	Page             string                `json:"page"`
	DurationMinutes  int                   `json:"duration_minutes"`
}

type listedUser struct {
	ID               string `json:"id"`
	Name             string `json:"name"`
	Email            string `json:"email"`
	OrganizationName string `json:"organization_name"`
	TeamName         string `json:"team_name"`
	Role             string `json:"role"`
}

// sessions lists the sessions that match, as JSON or as a file.
func (s *Server) sessions(r *http.Request) (any, error) {
	q, err := web.Query(r.URL.RawQuery, "state", "user", "app", "organization", "ip", "device", "reason", "from", "to", "at", "q", "sort", "limit", "cursor", "format")
	if err != nil {
		return nil, err
	}
	filter, err := s.sessionFilter(q)
	if err != nil {
		return nil, err
	}
	asFile, err := web.WantsCSV(r, q.Get("format"))
	if err != nil {
		return nil, err
	}
	if filter.User != "" {
		s.viewed(r, filter.User)
	}
	if asFile {
		return s.sessionsFile(r, q, filter)
	}
	now := s.now()
	page, err := s.store.Sessions(r.Context(), now, filter)
	if err != nil {
		return nil, err
	}
	return &sessionsAnswer{Sessions: answerSessions(page.Sessions, now), NextCursor: page.Next}, nil
}

func (s *Server) sessionFilter(q url.Values) (f store.SessionFilter, err error) {
	f = store.SessionFilter{State: store.SessionScope(q.Get("state")), User: q.Get("user"), App: q.Get("app"), Organization: q.Get("organization"),
		Device: q.Get("device"), Reason: presence.EndReason(q.Get("reason")), Search: q.Get("q"), Sort: store.Sort(q.Get("sort")), Cursor: q.Get("cursor")}
	if f.IP, err = s.cfg.Origin.Addresses.Sought(q.Get("ip")); err != nil {
		return f, err
	}
	if f.Limit, err = web.Limit(q); err != nil {
		return f, err
	}
	if f.From, err = web.ParseTime("from", q.Get("from")); err != nil {
		return f, err
	}
	if f.To, err = web.ParseTime("to", q.Get("to")); err != nil {
		return f, err
	}
	f.At, err = web.ParseTime("at", q.Get("at"))
	return f, err
}

func answerSessions(sessions []store.ListedSession, now time.Time) []listedSession {
	answer := make([]listedSession, len(sessions))
	for i, session := range sessions {
		answer[i] = answerListed(session, now)
	}
	return answer
}

func answerListed(l store.ListedSession, now time.Time) listedSession {
	u := l.User
	answer := listedSession{ID: formatID(l.ID), App: l.App, State: l.State,
		User:             listedUser{ID: u.ID, Name: u.Name, Email: u.Email, OrganizationName: u.Organization, TeamName: u.Team, Role: u.Role},
		SessionStartedAt: timestamp(l.CreatedAt), LastActivityAt: timestamp(l.LastActivity), ExpiresAt: timestamp(l.ExpiresAt),
		EndedAt: optional(l.EndedAt), EndedBy: l.EndedBy, EndNote: l.EndNote,
		IPAddress: l.IPAddress, UserAgent: l.UserAgent, Device: device(l.Device), Location: l.Location, Page: l.Page,
		DurationMinutes: int(max(over(l, now).Sub(l.CreatedAt), 0) / time.Minute)} // the clock may be set back
	if l.EndReason != "" {
		answer.EndReason = &l.EndReason
	}
	return answer
}

// over is until when a session has lasted.
func over(l store.ListedSession, now time.Time) time.Time {
	switch {
	case l.EndedAt != nil:
		return *l.EndedAt
	case l.State == presence.StateExpired:
		return l.ExpiresAt
	}
	return now
}

// sessionsFile is the list of all sessions that match. It is in the order of
// their beginning unless another is asked for: that never changes, so none is
// missed that moves while the file is written.
func (s *Server) sessionsFile(r *http.Request, q url.Values, f store.SessionFilter) (any, error) {
	if err := web.WholeFile(q); err != nil {
		return nil, err
	}
	if f.Sort == "" {
		f.Sort = store.SortCreated
	}
	f.Limit = web.MaxLimit
	now := s.now()
	return web.Sheet(r, s.now(), "sessions", sessionColumns, func() (rows [][]string, more bool, err error) {
		page, err := s.store.Sessions(r.Context(), now, f)
		for _, session := range page.Sessions {
			rows = append(rows, sessionRow(answerListed(session, now)))
		}
		f.Cursor = page.Next
		return rows, page.Next != "", err
	})
}

var sessionColumns = []string{"id", "app", "user_id", "name", "email", "organization_name", "team_name", "role", "state",
	"session_started_at", "last_activity_at", "expires_at", "ended_at", "end_reason", "ended_by", "end_note",
	"ip_address", "user_agent", "page", "duration_minutes", "device_type", "device_os", "device_browser", "location"}

func sessionRow(l listedSession) []string {
	var ended string
	var reason presence.EndReason
	if l.EndedAt != nil && l.EndReason != nil {
		ended, reason = *l.EndedAt, *l.EndReason
	}
	return []string{l.ID, l.App, l.User.ID, l.User.Name, l.User.Email, l.User.OrganizationName, l.User.TeamName, l.User.Role, string(l.State),
		l.SessionStartedAt, l.LastActivityAt, l.ExpiresAt, ended, string(reason), l.EndedBy, l.EndNote,
		l.IPAddress, l.UserAgent, l.Page, strconv.Itoa(l.DurationMinutes), l.Device.Type, l.Device.OS, l.Device.Browser, l.Location}
}
