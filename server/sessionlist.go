package server

import (
	"net/http"
	"net/url"
	"strconv"

	"rollcall/server/api"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
)

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
	return api.Sessions{Sessions: api.SessionsOf(page.Sessions, now), NextCursor: page.Next}, nil
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
			rows = append(rows, sessionRow(api.SessionOf(session, now)))
		}
		f.Cursor = page.Next
		return rows, page.Next != "", err
	})
}

var sessionColumns = []string{"id", "app", "user_id", "name", "email", "organization_name", "team_name", "role", "state",
	"session_started_at", "last_activity_at", "expires_at", "ended_at", "end_reason", "ended_by", "end_note",
	"ip_address", "user_agent", "page", "duration_minutes", "device_type", "device_os", "device_browser", "location"}

func sessionRow(l api.ListedSession) []string {
	var ended string
	var reason presence.EndReason
	if l.EndedAt != nil && l.EndReason != nil {
		ended, reason = l.EndedAt.String(), *l.EndReason
	}
	return []string{l.ID, l.App, l.User.ID, l.User.Name, l.User.Email, l.User.OrganizationName, l.User.TeamName, l.User.Role, string(l.State),
		l.SessionStartedAt.String(), l.LastActivityAt.String(), l.ExpiresAt.String(), ended, string(reason), l.EndedBy, l.EndNote,
		l.IPAddress, l.UserAgent, l.Page, strconv.Itoa(l.DurationMinutes), l.Device.Type, l.Device.OS, l.Device.Browser, l.Location}
}
