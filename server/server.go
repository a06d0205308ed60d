// Package server is how the store is asked: every route with who may call it (routes.go), a handler
// file a theme, and the jobs that run by the clock. It knows no SQL and no rule of presence: the
// rooms below it do.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"rollcall/server/api"
	"rollcall/server/assets"
	"rollcall/server/auth"
	"rollcall/server/authproxy"
	"rollcall/server/clock"
	"rollcall/server/doctor"
	"rollcall/server/jwt"
	"rollcall/server/live"
	"rollcall/server/metrics"
	"rollcall/server/origin"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/sqldb"
)

// Config is what a server needs to know.
type Config struct {
	Store          *store.Store
	Assets         fs.FS           // pages and scripts
	PublicURL      *url.URL        // where people reach it; nil: wherever they do
	BasePath       string          // "" or "/rollcall"
	TLS            bool            // people reach it by https: cookies are Secure
	Origin         origin.Resolver // where requests come from
	AllowedOrigins []string        // pages of other origins that may call with a bearer token
	Heartbeat      time.Duration   // how often a browser should send one
	Hosts          []string        // host names served besides localhost, addresses and PublicURL's
	Version        string          // for the log
	Signed         jwt.Issuers     // whose signed tokens begin sessions
	Proxy          authproxy.Proxy // which says who is logged in; without a Header: none does
	Settings       []api.Setting   // what administrators are shown of all this
	Data           string          // folder of the database, "" where it is not to be looked at
	Database       string          // address of the database, without a password; "" where it is a file
	Log            zerolog.Logger
	Sockets        live.Limits      // how many may be open; zero: the usual
	Meters         *metrics.Meters  // what the store's commits are counted by; nil: those are not counted
	Metrics        net.Listener     // where /metrics is served, to whoever reaches it; nil: nowhere
	Now            func() time.Time // nil: time.Now

	// Uptime is monotonic: where Now steps against it, the clock was set. Nil: Now's own reading.
	Uptime func() time.Duration

	// Mount adds handlers by path prefix, behind the same checks and headers.
	Mount map[string]http.Handler
}

// Server is the HTTP side of a store.
type Server struct {
	respond     web.Responder
	store       *store.Store
	cfg         Config
	clock       *clock.Clock
	now         func() time.Time // of clock
	log         zerolog.Logger
	assets      *assets.Files
	codes       *auth.Codes
	live        *live.Hub
	meters      *metrics.Meters
	doctor      *doctor.Doctor
	pages       origin.Pages
	auth        *auth.Authenticator
	proxy       *authproxy.Proxy // nil: none says who is logged in
	handler     http.Handler
	troubles    *web.Troubles
	refusals    *rate.Limiter  // how many refusals the audit log takes
	takeovers   *rate.Limiter  // how often the log tells of a token that becomes another user's
	auditWrites sync.WaitGroup // in the audit log that are being written
}

// How long a request may take to arrive, and what is under way to finish at the
// end. The answers are small, so a slow reader is a stuck one. With what sockets
// (live) and the database (sqldb) take, the end comes within the 10 seconds that are
// promised.
const (
	headerTimeout   = 5 * time.Second
	readTimeout     = 15 * time.Second
	idleTimeout     = 2 * time.Minute
	requestsTimeout = 5 * time.Second
	jobsTimeout     = 1 * time.Second
	foldTimeout     = 1 * time.Second
	auditsTimeout   = 1 * time.Second
	maxHeaderBytes  = 16 << 10
)

// New returns a server for cfg. It starts nothing; see Serve.
func New(cfg Config) (*Server, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Server{store: cfg.Store, cfg: cfg, log: cfg.Log, refusals: rate.NewLimiter(rate.Every(time.Minute), 100), takeovers: rate.NewLimiter(rate.Every(time.Minute), 10),
		pages:  origin.Pages{PublicURL: cfg.PublicURL, BasePath: cfg.BasePath, TLS: cfg.TLS, Allowed: cfg.AllowedOrigins},
		meters: cmp.Or(cfg.Meters, metrics.New()), troubles: &web.Troubles{Log: cfg.Log, Damaged: cfg.Store.DB().NoteDamage}}
	s.clock = clock.New(clock.Config{Store: cfg.Store, Wall: cfg.Now, Uptime: cfg.Uptime, Heartbeat: cfg.Heartbeat, Log: cfg.Log,
		Moved: func() { s.live.Reset() }})
	s.now = s.clock.Now
	if cfg.Proxy.Header != "" {
		s.proxy = &cfg.Proxy
		s.proxy.Trusted = cfg.Origin.FromTrustedProxy
	}
	s.doctor = doctor.New(doctor.Config{Store: cfg.Store, Clock: s.clock, Recorded: s.meters.Heartbeats, Origin: cfg.Origin, Pages: s.pages, TLS: cfg.TLS,
		Proxy: s.proxy, Data: cfg.Data, Database: cfg.Database, Log: cfg.Log})
	s.respond = web.Responder{Now: s.now, Log: cfg.Log, Redact: cfg.Origin.Addresses.InText, Refused: s.meters.Refused, Troubles: s.troubles}
	s.codes, s.live = auth.NewCodes(s.now), live.New(live.Config{Store: cfg.Store, Now: s.now, Log: cfg.Log, Troubles: s.troubles,
		Limits: cfg.Sockets, Networks: cfg.Origin.Networks})
	var err error
	if s.auth, err = auth.New(cfg.Store, s.now, cfg.TLS, cfg.Origin, s.pages, s.proxy); err != nil {
		return nil, fmt.Errorf("reading the public address: %w", err)
	}
	if s.assets, err = assets.Load(cfg.Assets); err != nil {
		return nil, fmt.Errorf("loading the pages: %w", err)
	}
	s.handler = s.wrap(s.router())
	return s, nil
}

// Now is the time by which the server judges who is online.
func (s *Server) Now() time.Time { return s.now() }

// Handler answers every request.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve answers requests on ln and runs the scheduled jobs until ctx ends; then
// it finishes what is under way. It returns sqldb.ErrBroken when the disk
// failed, because nothing may be acknowledged from then on.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if err := s.clock.Start(ctx); err != nil && !s.troubles.Observe(err) {
		s.log.Error().Err(err).Msg("asking the database for the time, and for who was there when the server stopped")
	}
	jobs, err := s.startJobs()
	if err != nil {
		return errors.Join(fmt.Errorf("scheduling jobs: %w", err), ln.Close())
	}
	var listening []*http.Server
	served := make(chan error, 2)
	listen := func(h http.Handler, ln net.Listener) {
		w := s.httpServer(h)
		listening = append(listening, w)
		go func() { served <- w.Serve(web.LogAccepts(ln, s.log)) }()
	}
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	go s.live.Run(watching)
	listen(s.handler, ln)
	if s.cfg.Metrics != nil {
		listen(s.scraping(), s.cfg.Metrics)
	}
	select {
	case err = <-served:
	case <-s.store.DB().Broken():
		err = brokenBy(s.store.DB().Failure())
	case <-ctx.Done():
	}
	s.live.Stop()
	err = errors.Join(err, s.shutdown(listening, jobs))
	_ = within(auditsTimeout, func(ctx context.Context) error {
		written := make(chan struct{})
		go func() { s.auditWrites.Wait(); close(written) }()
		select {
		case <-written:
		case <-ctx.Done(): // the log says so when they fail
		}
		return nil
	})
	return err
}

// brokenBy says why the server ends where the database accepts no more writes, and what to do.
func brokenBy(failure error) error {
	if moved, ok := errors.AsType[*sqldb.MovedError](failure); ok {
		return fmt.Errorf("%w: %w; nothing was acknowledged since. Put it back, with the files beside it, or restore a backup, then start again",
			sqldb.ErrBroken, moved)
	}
	if errors.Is(failure, sqldb.ErrDamaged) {
		return fmt.Errorf("%w; nothing was acknowledged since. Keep a copy of the data folder, and restore the latest backup: rollcall restore BACKUP",
			sqldb.ErrDamaged)
	}
	return fmt.Errorf("%w: the disk does not keep what is written to it, as the log says; mend it, then start again", sqldb.ErrBroken)
}

// httpServer is how anything is served over HTTP.
func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: web.WriteTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: quiet(s.log, s.cfg.Origin.Addresses),
	}
}
