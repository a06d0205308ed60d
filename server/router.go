package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"rollcall/server/auth"
	"rollcall/server/live"
	"rollcall/server/web"
)

// router finds the route of a request. What belongs to all routes is not in the
// router's middleware, which does not run for unknown paths and methods.
func (s *Server) router() http.Handler {
	// An id may hold a slash, and an address that is slightly wrong is wrong: a
	// redirect would make a GET of a POST.
	r := mux.NewRouter().UseEncodedPath().SkipClean(true)
	var beats http.Handler
	for _, route := range s.routes() {
		h := route.serve
		if h == nil {
			h = s.adapt(route)
		}
		h = s.meters.Route(route.method, route.path, h)
		r.Handle(route.path, h).Methods(verbs(route.method)...)
		if route.path == heartbeatPath && route.method == http.MethodPost {
			beats = h
		}
	}
	for prefix, h := range s.cfg.Mount {
		r.PathPrefix(prefix).Handler(s.meters.Route("", prefix, h))
	}
	r.MethodNotAllowedHandler = s.doubting(web.MethodNotAllowed, s.methodNotAllowed(r))
	r.NotFoundHandler = s.doubting(web.NothingHere, s.nothingHere())
	return beatsFirst(beats, r)
}

// beatsFirst hands heartbeats, which are nearly all that comes, to their route without a look at the others.
func beatsFirst(beats, others http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == heartbeatPath && r.Method == http.MethodPost && r.URL.RawPath == "" {
			beats.ServeHTTP(w, r)
			return
		}
		others.ServeHTTP(w, r)
	})
}

// adapt turns a route into an http.Handler: the one place that checks who is calling and
// writes what comes back.
func (s *Server) adapt(route route) http.Handler {
	count := s.meters.Results(route.method, route.path)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, err := s.auth.Admit(r, route.who)
		if errors.Is(err, auth.Forbidden) {
			s.refused(r, route)
		}
		var answer any
		if err == nil {
			if route.takes > 0 {
				_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(route.takes)) // the network's time, not the rules'
			}
			answer, err = route.answer(r)
		} else if route.refused != nil {
			route.refused(r, err)
		}
		count(err)
		if err != nil {
			s.respond.Fail(w, r, err)
			return
		}
		s.respond.Succeed(w, r, answer)
	})
}

// verbs adds HEAD, which net/http answers by a GET without its body.
func verbs(method string) []string {
	if method == http.MethodGet {
		return []string{http.MethodGet, http.MethodHead}
	}
	return []string{method}
}

// methodNotAllowed names the methods that an address takes. Several routes may
// be behind one: "heartbeat" is also the id of a user.
func (s *Server) methodNotAllowed(routes *mux.Router) http.Handler {
	refuse := s.respond.Always(web.MethodNotAllowed)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut} {
			other, match := *r, mux.RouteMatch{}
			other.Method = method
			if routes.Match(&other, &match) && match.MatchErr == nil {
				allowed = append(allowed, method)
			}
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		refuse.ServeHTTP(w, r)
	})
}

// socket opens a WebSocket for an audience. A browser sends cookies from any page, so a
// cookie counts only from a page of ours; other pages, and programs, bring a token.
func (s *Server) socket(who auth.Audience, serve func(http.ResponseWriter, *http.Request, string, live.Follow) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, follow, err := s.auth.Socket(r, who)
		if err == nil {
			err = serve(w, r, token, func(ctx context.Context, token string) (live.Follower, error) {
				c, err := follow(ctx, token)
				return live.Follower(c), err
			})
		}
		if err != nil {
			s.respond.Fail(w, r, err)
		}
	})
}
