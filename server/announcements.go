package server

import (
	"context"
	"errors"
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
	if err := s.store.CheckNames(r.Context(), store.Names{App: in.App, Organization: in.Organization}); err != nil {
		return nil, err
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

// announce has the next heartbeat tell of what has just been stored. If that fails now,
// the announcements are read again within a second.
func (s *Server) announce(r *http.Request) {
	if err := s.live.RefreshAnnouncements(r.Context(), s.now()); err != nil && !s.troubles.Observe(err) {
		s.log.Error().Err(err).Msg("reading what there is to announce")
	}
}

// drain tells whether new logins are kept out, and how many people are still there.
func (s *Server) drain(r *http.Request) (any, error) {
	switch d, err := s.store.Drain(r.Context()); {
	case errors.Is(err, sqldb.ErrNotFound):
		return s.drainAnswer(r.Context(), nil)
	case err != nil:
		return nil, err
	default:
		return s.drainAnswer(r.Context(), &d)
	}
}

// drainAnswer shows a drain, nil for none.
func (s *Server) drainAnswer(ctx context.Context, d *store.Drain) (any, error) {
	now := s.now()
	since := now // nobody has come in during a drain that there is not
	if d != nil {
		since = d.StartedAt
	}
	left, err := s.store.CountDrained(ctx, now, since)
	if err != nil || d == nil {
		return api.Drain{Online: left.Online, StillThere: left.StillThere, Unidentified: left.Unidentified}, err
	}
	return api.DrainOf(*d, left), nil
}

// beginDrain keeps new logins out, or changes what a drain says.
func (s *Server) beginDrain(r *http.Request) (any, error) {
	var in api.DrainInput
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	now := s.now()
	end, err := web.Ahead(now, "end_sessions_at", in.EndSessionsAt, "end_sessions_in_ms", in.EndSessionsInMS)
	if err != nil {
		return nil, err
	}
	d, err := s.store.BeginDrain(r.Context(), now, auth.CallerOf(r).Actor(), in.Message, end)
	if err != nil {
		return nil, err
	}
	s.clock.Confirm()
	s.announce(r)
	return s.drainAnswer(r.Context(), &d)
}

// endDrain lets people log in again. Saying it twice is no error.
func (s *Server) endDrain(r *http.Request) (any, error) {
	if err := s.store.EndDrain(r.Context(), s.now(), auth.CallerOf(r).Actor()); err != nil {
		return nil, err
	}
	s.announce(r)
	return s.drainAnswer(r.Context(), nil)
}

// endDrained ends the sessions whose drain says so by now. The announcements in memory
// tell whether there can be any, so that the database is not asked while there is none.
func (s *Server) endDrained(ctx context.Context) error {
	now := s.now()
	up, err := s.live.Announced(ctx, now)
	if err != nil {
		return err
	}
	if d := up.Drain(); d == nil || d.EndSessionsAt == nil || d.EndSessionsAt.After(now) || d.SessionsEndedAt != nil {
		return nil
	}
	n, err := s.store.EndDrained(ctx, now)
	if err != nil {
		return err
	}
	if n > 0 {
		s.log.Info().Int64("ended", n).Msg("the drain ended the sessions")
	}
	return s.live.RefreshAnnouncements(ctx, now)
}
