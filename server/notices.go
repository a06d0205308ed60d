package server

import (
	"net/http"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/sqldb"
)

// notices lists what is announced, and what was.
func (s *Server) notices(r *http.Request) (any, error) {
	all, err := s.store.Notices(r.Context(), s.now())
	answer := api.Notices{Notices: []api.Notice{}}
	for _, n := range all {
		answer.Notices = append(answer.Notices, api.NoticeOf(n))
	}
	return answer, err
}

// postNotice announces something to the people who are online.
func (s *Server) postNotice(r *http.Request) (any, error) {
	var in api.NoticeInput
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	now := s.now()
	until, err := web.Ahead(now, "until", in.Until, "for_ms", in.ForMS)
	if err != nil {
		return nil, err
	}
	if in.Level == "" {
		in.Level = store.LevelInfo
	}
	n, err := s.store.PostNotice(r.Context(), now, auth.CallerOf(r).Actor(), store.NoticeInput{
		Message: in.Message, Level: in.Level, App: in.App, Organization: in.Organization, Until: until})
	if err != nil {
		return nil, err
	}
	s.announce(r)
	all, err := s.store.Notices(r.Context(), now)
	if err != nil {
		return nil, err
	}
	answer := api.PostedNotice{Notice: api.NoticeOf(store.ListedNotice{Notice: n})}
	for _, listed := range all {
		if listed.ID == n.ID {
			answer.Notice = api.NoticeOf(listed)
		}
	}
	return web.Reply{Status: http.StatusCreated, Body: answer}, nil
}

// withdrawNotice takes a notice back. Saying it twice is no error.
func (s *Server) withdrawNotice(r *http.Request) (any, error) {
	id, ok := web.PathID(r)
	if !ok {
		return nil, sqldb.ErrNotFound
	}
	err := s.store.WithdrawNotice(r.Context(), s.now(), auth.CallerOf(r).Actor(), id)
	if err == nil {
		s.announce(r)
	}
	return api.Nothing{}, err
}

// announce has the next heartbeat know what has just been stored. It is stored
// whatever becomes of this, and the board is read again within a second.
func (s *Server) announce(r *http.Request) {
	if err := s.live.RefreshAnnouncements(r.Context(), s.now()); err != nil && !s.outage.Observe(err) {
		s.log.Error().Err(err).Msg("reading what there is to announce")
	}
}
