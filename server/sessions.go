package server

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/origin"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
)

const (
	sampleSize = 20   // sessions shown of those that end
	maxExcept  = 1000 // sessions that may be named as staying
)

// sessions lists the sessions that match, as JSON or as a file.
func (s *Server) sessions(r *http.Request) (any, error) {
	q, err := web.Query(r.URL.RawQuery, "state", "user", "directory", "app", "organization", "ip", "device", "reason", "from", "to", "at", "q", "sort", "limit", "cursor", "format")
	if err != nil {
		return nil, err
	}
	filter, err := s.sessionFilter(q)
	if err != nil {
		return nil, err
	}
	if err := s.knownNames(r, q); err != nil {
		return nil, err
	}
	asFile, err := web.WantsCSV(r, q.Get("format"))
	if err != nil {
		return nil, err
	}
	if filter.User != "" {
		if filter.User, err = s.userKey(r.Context(), filter.User, q.Get("directory"), filter.App); err != nil {
			return nil, err
		}
		s.viewed(r, filter.User)
	} else if q.Get("directory") != "" {
		return nil, errDirectoryAlone
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
	s.recorded(r, store.AuditEvent{Action: "session.export"})
	return web.Sheet(r, now, "sessions", sessionColumns, func(ctx context.Context) (rows [][]string, more bool, err error) {
		page, err := s.store.Sessions(ctx, now, f)
		for _, session := range page.Sessions {
			rows = append(rows, sessionRow(api.SessionOf(session, now)))
		}
		f.Cursor = page.Next
		return rows, page.Next != "", err
	})
}

var sessionColumns = []string{"id", "app", "user_id", "name", "email", "organization_name", "team_name", "role", "state",
	"session_started_at", "last_activity_at", "expires_at", "ended_at", "end_reason", "ended_by", "end_note",
	"ip_address", "user_agent", "page", "duration_minutes", "device_type", "device_os", "device_browser", "location", "directory"}

func sessionRow(l api.ListedSession) []string {
	var ended string
	var reason presence.EndReason
	if l.EndedAt != nil && l.EndReason != nil {
		ended, reason = l.EndedAt.String(), *l.EndReason
	}
	return []string{l.ID, l.App, l.User.ID, l.User.Name, l.User.Email, l.User.OrganizationName, l.User.TeamName, l.User.Role, string(l.State),
		l.SessionStartedAt.String(), l.LastActivityAt.String(), l.ExpiresAt.String(), ended, string(reason), l.EndedBy, l.EndNote,
		l.IPAddress, l.UserAgent, l.Page, strconv.Itoa(l.DurationMinutes), l.Device.Type, l.Device.OS, l.Device.Browser, l.Location, l.User.Directory}
}

// revokeSession ends any session.
func (s *Server) revokeSession(r *http.Request) (any, error) {
	q, err := web.Query(r.URL.RawQuery, "note")
	if err != nil {
		return nil, err
	}
	id, ok := web.PathID(r)
	if !ok {
		return nil, store.ErrSessionEnded
	}
	ended, err := s.store.Revoke(r.Context(), s.now(), id, revoked(r, q.Get("note")))
	if err == nil && !ended {
		err = store.ErrSessionEnded
	}
	return api.Nothing{}, err
}

// revoked is an end that the caller asks for.
func revoked(r *http.Request, note string) store.Ending {
	return store.Ending{Reason: presence.EndRevoked, By: auth.CallerOf(r).Actor(), Note: note}
}

// revokeSessions ends all sessions that match, or tells which would end.
func (s *Server) revokeSessions(r *http.Request) (any, error) {
	var in api.Revocation
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	filter, err := revocationFilter(in, s.cfg.Origin.Addresses)
	if err != nil {
		return nil, err
	}
	if err := s.store.CheckNames(r.Context(), store.Names{App: in.App, Organization: in.Organization}); err != nil {
		return nil, err
	}
	if in.User != "" {
		if filter.User, err = s.userKey(r.Context(), in.User, in.Directory, in.App); err != nil {
			return nil, err
		}
	} else if in.Directory != "" {
		return nil, errDirectoryAlone
	}
	ending := revoked(r, in.Note)
	if err := ending.Check(); err != nil { // before a dry run, too
		return nil, err
	}
	now := s.now()
	sample, err := s.store.Sessions(r.Context(), now, filter)
	if err != nil {
		return nil, err
	}
	answer := api.Revoked{DryRun: in.DryRun, Sample: api.SessionsOf(sample.Sessions, now)}
	if in.DryRun {
		answer.Count, err = s.store.CountSessions(r.Context(), now, filter)
	} else {
		answer.Count, err = s.store.RevokeAll(r.Context(), now, filter, ending)
	}
	return answer, err
}

// revocationFilter is which sessions are meant, with the sample as its page. A forgotten
// filter must not end everybody's session, so that has to be said.
func revocationFilter(in api.Revocation, rule origin.AddressRule) (f store.SessionFilter, err error) {
	filtered := in.User+in.App+in.Organization+in.IP+in.Device+in.From+in.To+strings.TrimSpace(in.Q) != "" // a blank is in everybody's text
	switch {
	case !filtered && !in.All:
		return f, web.Invalid(`At least one filter is needed; {"all": true} means everybody`)
	case filtered && in.All:
		return f, web.Invalid("all means everybody: no filter goes with it")
	case in.State == "":
		in.State = store.ScopeActive
	case in.State != store.ScopeActive && in.State != store.ScopeOnline:
		return f, web.Invalid("state must be online or active: other sessions can not end any more")
	}
	f = store.SessionFilter{State: in.State, User: in.User, App: in.App, Organization: in.Organization, Device: in.Device, Search: in.Q, Limit: sampleSize}
	if f.IP, err = rule.Sought(in.IP); err != nil {
		return f, err
	}
	if f.From, err = web.ParseTime("from", in.From); err != nil {
		return f, err
	}
	if f.To, err = web.ParseTime("to", in.To); err != nil {
		return f, err
	}
	f.Except, err = parseIDs("except", in.Except)
	return f, err
}

func parseIDs(name string, texts []string) (ids []int64, err error) {
	if len(texts) > maxExcept {
		return nil, web.Invalid(name + " may have at most " + strconv.Itoa(maxExcept) + " ids")
	}
	for _, text := range texts {
		id, ok := web.ParseID(text)
		if !ok {
			return nil, web.Invalid(name + " must have ids of sessions")
		}
		ids = append(ids, id)
	}
	return ids, nil
}
