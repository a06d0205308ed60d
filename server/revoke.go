package server

import (
	"net/http"
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
