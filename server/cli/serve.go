package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"rollcall/server"
	"rollcall/server/api"
	"rollcall/server/doctor"
	"rollcall/server/metrics"
	"rollcall/server/origin"
	"rollcall/store"
	"rollcall/store/backup"
	"rollcall/store/sqldb"
	"rollcall/ui"
)

func newServe(schema string) *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the panel and the API (what rollcall does without a command)",
		Long: "Serves the panel and the API. The data is in a folder, which one server has for itself, or in a PostgreSQL\n" +
			"database (--database), which any number of servers share. Where that can not be reached, a server does not\n" +
			"start, and ends with exit code 1; one that runs waits for it to come back, and answers 503 meanwhile.",
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.check(); err != nil {
				return err
			}
			err := serve(cmd, schema, &s)
			if cmd.Context().Err() != nil && errors.Is(err, context.Canceled) {
				return nil // told to stop before it was up
			}
			return err
		},
	}
	s.register(cmd.Flags())
	return cmd
}

// serve holds the folder, the address and the store, in this order: of two servers on one folder
// the second must say so, whatever address it was given.
func serve(cmd *cobra.Command, schema string, s *settings) (err error) {
	log := s.log.logger(cmd.ErrOrStderr())
	defer heedHangup(log)()
	s.advise(log)
	places, err := origin.NewPlaces(s.networks.list, s.geoip, log)
	if err != nil {
		return err
	}
	signed, err := s.jwt.issuers()
	if err != nil {
		return err
	}
	release, err := s.data.hold(cmd.Context(), s.waitForLock, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()

	if !s.data.remote() {
		backup.Sweep(s.data.folder)
		adviseData(s.data.folder, log)
	}
	adviseProxies(s.trustedProxies, log)
	doors, err := openDoors(cmd.Context(), s, log)
	if err != nil {
		return err
	}
	defer doors.close()
	meters := metrics.New()
	opened, err := s.data.open(cmd.Context(), store.Config{Schema: schema, Rules: s.rules, Limit: s.limit(), Older: sqldb.UpgradeAndKeep, Reserve: true,
		OnCommit: meters.Commit, Now: time.Now()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeInTime(opened, log)) }()
	for flag, app := range map[string]string{"--jwt": s.jwt.keys.app, "--auth-app": s.proxy.appName(s.publicURL)} {
		if app == "" {
			continue
		}
		if _, err := opened.EnsureApp(cmd.Context(), app); err != nil {
			return declined(flag+" "+app, err)
		}
	}
	cfg := s.server(opened, log)
	cfg.Signed = signed
	if s.data.remote() {
		cfg.Database, _ = s.data.database.withoutPassword()
	} else {
		cfg.Data = absolute(s.data.folder)
	}
	cfg.Settings, cfg.Meters, cfg.Metrics = flagValues(cmd.Flags()), meters, doors.metrics
	cfg.Origin.Places = places
	return serveStore(cmd, s, cfg, doors)
}

// closeTime is how long the database may take to close, of the ten seconds in which a server ends.
const closeTime = 2500 * time.Millisecond

// closeInTime leaves a database as it is that takes long to close, on a slow disk or in the middle of being written
// anew: all that was answered is on the disk, and the next start does as after a power cut.
func closeInTime(opened *store.Store, log zerolog.Logger) error {
	closed := make(chan error, 1)
	go func() { closed <- opened.Close() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(closeTime):
		log.Warn().Msg("the disk is too slow to close the database in time; the next start brings it in order")
		return nil
	}
}

// adviseData warns where the database is not safe, or soon has no room. An operator may
// know better, so it is no error.
func adviseData(folder string, log zerolog.Logger) {
	for _, f := range doctor.DataChecks(folder) {
		if f.State != api.FindingOK {
			log.Warn().Str("data", folder).Str("fix", f.Fix).Msg(f.Words + "; see rollcall doctor")
		}
	}
}

// adviseProxies warns where everybody is trusted to say what address they have.
func adviseProxies(trusted prefixes, log zerolog.Logger) {
	for _, prefix := range trusted.list {
		if origin.TrustsAll(prefix) {
			log.Warn().Stringer("trusted_proxies", prefix).Msg("everybody is trusted as a proxy: limits on sign-ins and addresses in the log mean nothing; name the address of your proxy instead")
		}
	}
}

func serveStore(cmd *cobra.Command, s *settings, cfg server.Config, doors doors) error {
	srv, err := server.New(cfg)
	if err != nil {
		return err
	}
	if err := noteUpgrade(s, cfg); err != nil {
		return err
	}
	if err := announce(cmd, srv, s, doors, cfg.Log); err != nil {
		return err
	}
	defer supervisorOf(os.Getenv).follow(cmd.Context(), cfg.Store, srv.Now, cfg.Log)()
	if err := srv.Serve(cmd.Context(), doors.web); err != nil {
		return s.data.explain(fmt.Errorf("serving: %w", err))
	}
	cfg.Log.Info().Msg("stopped")
	return nil
}

// noteUpgrade tells of the copy that an upgrade has kept. Where an earlier start has upgraded the
// data, and this one is up as well, nobody goes back any more.
func noteUpgrade(s *settings, cfg server.Config) error {
	if kept := cfg.Store.DB().KeptCopy(); kept != "" {
		cfg.Log.Info().Str("copy", kept).Msg("upgraded the database; it is kept as it was until the next start")
		return nil
	}
	if s.data.remote() {
		return nil
	}
	return sqldb.RemoveKeptCopies(s.data.folder)
}

// heedHangup keeps a service from being ended by SIGHUP, by which others are told to read their
// files again: this one does so by itself. At a terminal it ends the server; see ends.
func heedHangup(log zerolog.Logger) (done func()) {
	signal.Ignore(syscall.SIGPIPE) // whoever reads the log may be gone, and is no reason to end
	if isTerminal(os.Stdin) || signal.Ignored(syscall.SIGHUP) {
		return func() {}
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		for range hangup {
			log.Info().Msg("SIGHUP: certificate and places are read again by themselves when their files change; other settings need a restart")
		}
	}()
	return func() {
		signal.Stop(hangup)
		close(hangup)
	}
}

// doors are what a server listens on.
type doors struct {
	web     net.Listener
	address string       // of web
	metrics net.Listener // nil: /metrics is not served
}

func openDoors(ctx context.Context, s *settings, log zerolog.Logger) (d doors, err error) {
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if d.web, err = listen(ctx, s.listen, "listen"); err != nil {
		return d, err
	}
	d.address = d.web.Addr().String()
	if s.metricsListen.text != "" {
		if d.metrics, err = listen(ctx, s.metricsListen, "metrics-listen"); err != nil {
			return d, err
		}
	}
	if s.tls() {
		secured, err := withTLS(d.web, s, log)
		if err != nil {
			return d, err
		}
		d.web = secured
	}
	return d, nil
}

func (d doors) close() {
	for _, ln := range []net.Listener{d.web, d.metrics} {
		if ln != nil {
			ln.Close()
		}
	}
}

// server translates the settings.
func (s *settings) server(opened *store.Store, log zerolog.Logger) server.Config {
	return server.Config{
		Store:          opened,
		Assets:         ui.Static,
		PublicURL:      s.publicURL.URL,
		BasePath:       s.basePath.text,
		TLS:            s.secureCookies(),
		Origin:         origin.Resolver{TrustedProxies: s.trustedProxies.list, Addresses: origin.AddressRule(s.ip.text)},
		AllowedOrigins: s.allowOrigins.list,
		Heartbeat:      s.rules.Heartbeat,
		Hosts:          s.hosts.list,
		Proxy:          s.proxy.proxy(s.publicURL),
		Version:        version(),
		Log:            log,
	}
}

// announce tells the operator where the panel is and, until there is an account, the link that
// makes the first one. The link is a secret: it is written to stderr as plain text and never given
// to the logger, so that it does not become a record that is collected and kept. It is void as
// soon as there is an account.
func announce(cmd *cobra.Command, srv *server.Server, s *settings, doors doors, log zerolog.Logger) error {
	panel := s.address(doors.address)
	code, err := srv.SetupCode(cmd.Context())
	if err != nil {
		return fmt.Errorf("preparing the set-up link: %w", err)
	}
	onTerminal := isTerminal(cmd.ErrOrStderr())
	if onTerminal {
		say(cmd, "rollcall %s", version())
		say(cmd, "  panel   %s", cmp.Or(panel, "behind the proxy that connects to "+s.listen.text))
		say(cmd, "  data    %s", &s.data)
		if doors.metrics != nil {
			say(cmd, "  metrics at %s", doors.metrics.Addr())
		}
	}
	if code != "" {
		say(cmd, "  set up  %s/setup#%s", panel, code)
	}
	if !onTerminal {
		if doors.metrics != nil {
			log.Info().Stringer("address", doors.metrics.Addr()).Msg("serving metrics")
		}
		log.Info().Str("address", doors.address).Str("url", panel).Stringer("data", &s.data).Str("version", version()).Msg("listening")
	}
	return nil
}
