package server

import (
	"context"
	"net/http"

	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
)

type drainAnswer struct {
	success
	Draining        bool    `json:"draining"`
	Message         string  `json:"message"`
	StartedAt       *string `json:"started_at"`
	StartedBy       string  `json:"started_by"`
	EndSessionsAt   *string `json:"end_sessions_at"`
	SessionsEndedAt *string `json:"sessions_ended_at"`
	Online          int     `json:"online"`
}

// drain tells whether new logins are kept out, and how many people are still there.
func (s *Server) drain(r *http.Request) (any, error) {
	d, err := s.store.Drain(r.Context())
	if err != nil {
		return nil, err
	}
	return s.drainAnswer(r.Context(), d)
}

func (s *Server) drainAnswer(ctx context.Context, d *store.Drain) (answer *drainAnswer, err error) {
	answer = &drainAnswer{}
	if d != nil {
		answer = &drainAnswer{Draining: true, Message: d.Message, StartedAt: optional(&d.StartedAt), StartedBy: d.StartedBy,
			EndSessionsAt: optional(d.EndSessionsAt), SessionsEndedAt: optional(d.SessionsEndedAt)}
	}
	answer.Online, err = s.store.CountDrained(ctx, s.now())
	return answer, err
}

// beginDrain keeps new logins out, or changes what a drain says.
func (s *Server) beginDrain(r *http.Request) (any, error) {
	var in struct {
		Message string  `json:"message"`
		EndAt   *string `json:"end_sessions_at"`
		EndInMS *int64  `json:"end_sessions_in_ms"`
	}
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	now := s.now()
	end, err := web.Ahead(now, "end_sessions_at", in.EndAt, "end_sessions_in_ms", in.EndInMS)
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
	up, _, err := s.live.announcements.read(ctx, now)
	if err != nil {
		return err
	}
	if d := up.drain; d == nil || d.EndSessionsAt == nil || d.EndSessionsAt.After(now) || d.SessionsEndedAt != nil {
		return nil
	}
	n, err := s.store.EndDrained(ctx, now)
	if err != nil {
		return err
	}
	if n > 0 {
		s.log.Info().Int64("ended", n).Msg("the drain ended the sessions")
	}
	return s.live.announcements.refresh(ctx, now)
}
