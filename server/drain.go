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
	online, err := s.store.CountDrained(ctx, s.now())
	if err != nil || d == nil {
		return api.Drain{Online: online}, err
	}
	return api.DrainOf(*d, online), nil
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

// endDrained ends the sessions whose drain says so by now. The board tells whether
// there can be any, so that nothing is asked of the database while there is none.
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
