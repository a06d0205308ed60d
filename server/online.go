package server

import (
	"net/http"
	"net/url"
	"slices"

	"rollcall/server/api"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
)

// online lists the people who are online.
func (s *Server) online(r *http.Request) (any, error) {
	q, err := web.Among(r.URL.RawQuery, "app", "organization", "team", "role", "status", "q", "sort", "limit", "cursor")
	if err != nil {
		return nil, err
	}
	filter, err := onlineFilter(q)
	if err != nil {
		return nil, err
	}
	if err := s.knownNames(r, q); err != nil {
		return nil, err
	}
	cursor := s.live.Cursor() // before the list is read: it must not promise more than the list shows
	now := s.now()
	page, err := s.store.Online(r.Context(), now, filter)
	if err != nil {
		return nil, err
	}
	answer := api.Online{Cursor: cursor, Count: page.Counts.People(), Counts: api.Counts(page.Counts), Level: page.Counts.Level(0), NextCursor: page.Next}
	answer.Users = make([]api.Person, len(page.People)) // not nil: JSON must say [], never null
	for i, person := range page.People {
		answer.Users[i] = api.PersonOf(person, now)
	}
	return answer, nil
}

func onlineFilter(q url.Values) (store.OnlineFilter, error) {
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

// explainUser tells why a user is online, or is not.
func (s *Server) explainUser(r *http.Request) (any, error) {
	user, err := s.userInPath(r)
	if err != nil {
		return nil, unknownUser(err)
	}
	e, err := s.store.Explain(r.Context(), s.now(), user)
	if err != nil {
		return nil, unknownUser(err)
	}
	s.viewed(r, user)
	return api.ExplanationOf(e), nil
}

// knownNames refuses a question whose filters name an app, an organization, a team or a role that
// nobody knows.
func (s *Server) knownNames(r *http.Request, q url.Values) error {
	return s.store.CheckNames(r.Context(), store.Names{App: q.Get("app"), Organization: q.Get("organization"), Team: q.Get("team"),
		Roles: []string{q.Get("role"), q.Get("ignore_role")}})
}
