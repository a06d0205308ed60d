package server

import (
	stdlog "log"
	"maps"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rs/cors"
	"github.com/rs/zerolog"

	"rollcall/server/metrics"
	"rollcall/server/origin"
	"rollcall/server/web"
)

// contentPolicy lets our pages load what this server serves, and nothing else.
// No inline code, no markup from text.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'"

// wrap puts around the router what holds for every request, known or not. The
// first line is the innermost.
func (s *Server) wrap(h http.Handler) http.Handler {
	h = s.crossOriginCalls(h)
	h = s.noteForeignPage(h)
	h = s.doctor.Watch(h)
	h = s.underBasePath(h)
	h = s.knownHost(h)
	h = s.secureHeaders(h)
	h = s.recovered(h)
	return s.meters.All(h)
}

// scraping is what is served of the metrics, behind the same checks and headers: else a
// page of a stranger could read them in a visitor's browser.
func (s *Server) scraping() http.Handler {
	live := func() metrics.Live { return metrics.Live(s.live.Stats()) }
	page := metrics.NewPage(s.meters, s.store, s.cfg.Version, live, &s.respond)
	return s.recovered(s.secureHeaders(s.knownHost(page)))
}

// recovered answers 500 where a handler panics, and keeps the server up. An answer that has
// begun is broken off: its end would make a part look like the whole.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch cause := recover(); cause {
			case nil:
			case http.ErrAbortHandler:
				panic(cause)
			default:
				s.log.Error().Any("panic", cause).Bytes("stack", debug.Stack()).Str("method", r.Method).Msg("a handler panicked")
				if answer, ok := w.(interface{ Begun() bool }); ok && answer.Begun() {
					panic(http.ErrAbortHandler)
				}
				s.respond.Panicked(w)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// apiPolicy is for answers that are no pages: nothing is loaded by them, and nobody shows them in a frame.
const apiPolicy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"

// secureHeaders are on every answer; assets loosen what host pages need. Those of the API, of which there are
// many, have what concerns every answer (ASVS 5.0, 3.4.1 to 3.4.4 and 3.4.6), and not what concerns documents.
func (s *Server) secureHeaders(next http.Handler) http.Handler {
	api := map[string]string{
		"Content-Security-Policy":      apiPolicy,
		"X-Content-Type-Options":       "nosniff",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "no-store",
	}
	if s.cfg.TLS {
		api["Strict-Transport-Security"] = "max-age=31536000"
	}
	pages := maps.Clone(api)
	maps.Copy(pages, map[string]string{
		"Content-Security-Policy":    contentPolicy,
		"X-Frame-Options":            "DENY",
		"Referrer-Policy":            "no-referrer",
		"Permissions-Policy":         "camera=(), geolocation=(), microphone=()",
		"Cross-Origin-Opener-Policy": "same-origin",
	})
	setForAPI, setForPages := setter(api), setter(pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.isAPI(r) {
			setForAPI(w.Header())
		} else {
			setForPages(w.Header())
		}
		next.ServeHTTP(w, r)
	})
}

// isAPI tells of an address whether no page is there.
func (s *Server) isAPI(r *http.Request) bool {
	path, ok := strings.CutPrefix(r.URL.Path, s.cfg.BasePath)
	return ok && strings.HasPrefix(path, "/admin/")
}

// setter returns what sets headers.
func setter(fixed map[string]string) func(http.Header) {
	type header struct {
		name  string
		value []string // shared by all answers: replaced, never appended to
	}
	var all []header
	for name, value := range fixed {
		all = append(all, header{http.CanonicalHeaderKey(name), []string{value}})
	}
	return func(h http.Header) {
		for _, one := range all {
			h[one.name] = one.value
		}
	}
}

// knownHost refuses requests for a name that is not ours: a stranger's domain
// that resolves to this address must not reach it through a visitor's browser
// (DNS rebinding). An address is no name and can not be rebound. Those who ask only
// whether the server is well give any name, or none: they are balancers, which know it by
// an address or a name of their own, and nothing is to be learned.
func (s *Server) knownHost(next http.Handler) http.Handler {
	names := map[string]bool{"localhost": true}
	for _, name := range s.cfg.Hosts {
		names[strings.ToLower(name)] = true
	}
	if s.cfg.PublicURL != nil {
		names[strings.ToLower(s.cfg.PublicURL.Hostname())] = true
	}
	knows := func(name string) bool {
		if names[name] {
			return true
		}
		_, err := netip.ParseAddr(name)
		return err == nil
	}
	unknown := &web.Problem{Status: http.StatusMisdirectedRequest, Code: "unknown_host", Words: "This server does not answer for that host name; see --public-url and --host"}
	refuse := s.doubting(unknown, s.respond.Always(unknown))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if names[r.Host] || knows(web.HostName(r.Host)) || s.isHealth(r) {
			next.ServeHTTP(w, r)
			return
		}
		refuse.ServeHTTP(w, r)
	})
}

func (s *Server) isHealth(r *http.Request) bool {
	path, ok := strings.CutPrefix(r.URL.Path, s.cfg.BasePath)
	return ok && (path == "/healthz" || path == "/readyz")
}

// underBasePath serves everything below the base path.
func (s *Server) underBasePath(next http.Handler) http.Handler {
	base := s.cfg.BasePath
	if base == "" {
		return next
	}
	inside, outside := http.StripPrefix(base, next), s.doubting(web.NothingHere, s.respond.Always(web.NothingHere))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == base {
			http.Redirect(w, r, base+"/", http.StatusSeeOther)
			return
		}
		if !strings.HasPrefix(r.URL.Path, base+"/") {
			outside.ServeHTTP(w, r)
			return
		}
		inside.ServeHTTP(w, r)
	})
}

// crossOriginCalls lets the pages of the allowed origins call the API with a
// bearer token. Cookies never count there: credentials are not allowed.
func (s *Server) crossOriginCalls(next http.Handler) http.Handler {
	if len(s.cfg.AllowedOrigins) == 0 { // for rs/cors that would mean all
		return next
	}
	shared := cors.New(cors.Options{
		AllowedOrigins: s.cfg.AllowedOrigins,
		AllowedMethods: []string{"GET", "POST", "PUT", "DELETE"},
		AllowedHeaders: []string{"Authorization", "Content-Type"},
		ExposedHeaders: []string{"Retry-After"},
		MaxAge:         int((10 * time.Minute).Seconds()),
	}).Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/admin/") && r.URL.Path != "/auth/me" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin") // CORS decides here
		shared.ServeHTTP(w, r)
	})
}

// quiet receives what net/http logs of broken connections, and removes whose they were.
func quiet(log zerolog.Logger, rule origin.AddressRule) *stdlog.Logger {
	return stdlog.New(writerFunc(func(line []byte) (int, error) {
		log.Debug().Str("detail", rule.InText(strings.TrimSpace(string(line)))).Msg("connection trouble")
		return len(line), nil
	}), "", 0)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
