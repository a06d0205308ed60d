package server

import (
	"context"
	"net/http"

	"rollcall/server/auth"
	"rollcall/server/live"
)

// socket opens a WebSocket for an audience. A browser sends cookies from any page, so a
// cookie counts only from a page of ours; other pages, and programs, bring a token.
func (s *Server) socket(who auth.Audience, serve func(http.ResponseWriter, *http.Request, string, live.Follow) error) http.Handler {
	follow := func(ctx context.Context, token string) (live.Follower, error) {
		c, err := s.auth.Follow(ctx, token, who)
		return live.Follower(c), err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := s.auth.SocketToken(r, who)
		if err == nil {
			err = serve(w, r, token, follow)
		}
		if err != nil {
			s.respond.Fail(w, r, err)
		}
	})
}
