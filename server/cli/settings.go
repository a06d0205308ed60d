package cli

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/pflag"

	"rollcall/server/origin"
	"rollcall/store"
	"rollcall/store/presence"
)

const defaultListen = "127.0.0.1:8080"

// settings are what an operator can choose about a server.
type settings struct {
	listen         listenAddress
	metricsListen  listenAddress // none: ""
	data           dataPlace
	publicURL      publicURL
	basePath       basePath
	trustedProxies prefixes
	networks       namedNetworks
	geoip          string
	ip             choice
	allowOrigins   origins
	hosts          hostNames
	rules          presence.Rules
	sessionLimit   int
	limitPolicy    choice
	tlsCert        string
	tlsKey         string
	insecureHTTP   bool
	waitForLock    time.Duration
	jwt            jwtSettings
	proxy          proxySettings
	log            logSettings
}

func (s *settings) register(flags *pflag.FlagSet) {
	s.listen = listenAddress{defaultListen}
	s.rules = presence.DefaultRules()
	s.limitPolicy = choice{"evict", []string{"evict", "deny"}}
	s.ip = choice{string(origin.FullAddresses), []string{string(origin.FullAddresses), string(origin.TruncatedAddresses), string(origin.NoAddresses)}}

	flags.Var(&s.listen, "listen", "address to listen on, host:port or unix:/path (port 0: any free one)")
	flags.Var(&s.metricsListen, "metrics-listen", "address to serve /metrics on, to whoever reaches it, host:port or unix:/path (default: nowhere)")
	s.data.register(flags)
	flags.DurationVar(&s.waitForLock, "wait-for-lock", 0, "how long to wait at the start for another server to let go of the data folder, such as 1m")
	flags.Var(&s.publicURL, "public-url", "address that browsers use, if it is not the one listened on")
	flags.Var(&s.basePath, "base-path", "path below which everything is served, such as /rollcall")
	flags.Var(&s.trustedProxies, "trusted-proxies", "addresses or networks whose X-Forwarded-For is believed")
	flags.Var(&s.allowOrigins, "allow-origin", "origin of a host page, such as https://app.example (repeatable)")
	flags.Var(&s.hosts, "host", "further host name to answer to (repeatable)")

	flags.DurationVar(&s.rules.OnlineWindow, "online-window", s.rules.OnlineWindow, "how long somebody stays online after the last heartbeat")
	flags.DurationVar(&s.rules.Heartbeat, "heartbeat", s.rules.Heartbeat, "how often browsers are asked to send a heartbeat")
	flags.DurationVar(&s.rules.IdleAfter, "idle-after", s.rules.IdleAfter, "how long without input until somebody is away")
	flags.DurationVar(&s.rules.LeaveGrace, "leave-grace", s.rules.LeaveGrace, "how long a closed tab may take to come back")
	flags.DurationVar(&s.rules.SessionTTL, "session-ttl", s.rules.SessionTTL, "how long a login lasts after the last activity")
	flags.DurationVar(&s.rules.Retention, "retention", s.rules.Retention, "how long ended sessions, and people without one, are kept, and the history of each organization")
	flags.DurationVar(&s.rules.HistoryRetention, "history-retention", s.rules.HistoryRetention, "how long the history of how many people were online is kept")
	flags.DurationVar(&s.rules.AuditRetention, "audit-retention", s.rules.AuditRetention, "how long the audit log is kept")

	flags.IntVar(&s.sessionLimit, "session-limit", 0, "how many sessions a user may have in one application (0: any number)")
	flags.Var(&s.limitPolicy, "session-limit-policy", "what a login too many does: evict the least recently active session, or deny")

	s.jwt.register(flags)
	s.proxy.register(flags)

	flags.Var(&s.ip, "ip", "how much of people's addresses is stored and logged: full, truncated (the network: /24, or /48 of IPv6) or off")
	flags.Var(&s.networks, "network", "name of a network, such as Office=192.168.1.0/24, shown as place (repeatable)")
	flags.StringVar(&s.geoip, "geoip", "", "file of cities or countries in MaxMind's format, for the places of other addresses")

	flags.StringVar(&s.tlsCert, "tls-cert", "", "certificate file (PEM), to serve HTTPS")
	flags.StringVar(&s.tlsKey, "tls-key", "", "key file of the certificate (PEM)")
	flags.BoolVar(&s.insecureHTTP, "insecure-http", false, "allow other than loopback addresses without TLS, for instance behind a proxy")
	s.log.register(flags)
}

// limit is what logins are held against.
func (s *settings) limit() store.SessionLimit {
	return store.SessionLimit{Sessions: s.sessionLimit, Deny: s.limitPolicy.text == "deny"}
}

func (s *settings) tls() bool { return s.tlsCert != "" }

// secureCookies tells whether browsers reach the server by HTTPS.
func (s *settings) secureCookies() bool {
	return s.tls() || s.publicURL.URL != nil && s.publicURL.Scheme == "https"
}

// check refuses settings that are each valid but do not make sense together.
func (s *settings) check() error {
	if err := s.checkTimes(); err != nil {
		return err
	}
	if err := errors.Join(s.data.check(), s.jwt.check(), s.proxy.check(s.trustedProxies, s.listen, s.publicURL)); err != nil {
		return err
	}
	switch {
	case s.waitForLock < 0:
		return usagef("--wait-for-lock must not be negative")
	case s.sessionLimit < 0:
		return usagef("--session-limit must not be negative")
	case s.sessionLimit == 0 && s.limitPolicy.text == "deny":
		return usagef("--session-limit-policy deny needs --session-limit")
	case s.metricsListen.text == s.listen.text && !strings.HasSuffix(s.listen.text, ":0"):
		return usagef("--metrics-listen must be another address than --listen")
	case s.tlsCert != "" && s.tlsKey == "":
		return usagef("--tls-cert needs --tls-key")
	case s.tlsKey != "" && s.tlsCert == "":
		return usagef("--tls-key needs --tls-cert")
	case s.tls() && s.publicURL.URL != nil && s.publicURL.Scheme == "http":
		return usagef("--public-url is http, but --tls-cert makes the server speak only HTTPS")
	case !s.tls() && !s.insecureHTTP && !s.listen.private():
		return usagef("--listen %s without TLS would send passwords readable over the network; give --tls-cert and --tls-key, or --insecure-http behind a proxy that adds TLS", s.listen.text)
	}
	return nil
}

func (s *settings) checkTimes() error {
	for _, setting := range []struct {
		flag  string
		value time.Duration
	}{
		{"online-window", s.rules.OnlineWindow}, {"heartbeat", s.rules.Heartbeat}, {"idle-after", s.rules.IdleAfter},
		{"leave-grace", s.rules.LeaveGrace}, {"session-ttl", s.rules.SessionTTL}, {"retention", s.rules.Retention},
		{"history-retention", s.rules.HistoryRetention}, {"audit-retention", s.rules.AuditRetention},
	} {
		if setting.value < time.Millisecond { // the unit in which times are stored
			return usagef("--%s must be a positive time, not %s", setting.flag, setting.value)
		}
	}
	switch {
	case s.rules.OnlineWindow < s.rules.Heartbeat*5/2:
		return usagef("--online-window %s is too short for --heartbeat %s: one lost heartbeat would show people as gone; it must be at least 2.5 heartbeats (%s)",
			s.rules.OnlineWindow, s.rules.Heartbeat, s.rules.Heartbeat*5/2)
	case s.rules.LeaveGrace >= s.rules.OnlineWindow:
		return usagef("--leave-grace %s must be shorter than --online-window %s", s.rules.LeaveGrace, s.rules.OnlineWindow)
	case s.rules.SessionTTL <= s.rules.OnlineWindow:
		return usagef("--session-ttl %s must be longer than --online-window %s", s.rules.SessionTTL, s.rules.OnlineWindow)
	}
	return nil
}

// throttled is how rarely a browser may let a hidden tab do anything.
const throttled = time.Minute

// advise says what works, but not as one may expect.
func (s *settings) advise(log zerolog.Logger) {
	if s.rules.OnlineWindow < s.rules.Heartbeat+throttled {
		log.Warn().Str("online_window", s.rules.OnlineWindow.String()).Str("advised", (s.rules.Heartbeat + throttled).String()).
			Msg("people whose tab is hidden may seem to come and go: browsers let such a tab send a heartbeat once a minute only")
	}
}

// address is where the panel is found once the server listens on addr: the public URL if there is
// one, else a link that works on this machine, else "".
func (s *settings) address(addr string) string {
	base := &url.URL{Scheme: "http"}
	switch {
	case s.publicURL.URL != nil:
		base = s.publicURL.URL
	case s.listen.socket() != "":
		return ""
	default:
		base.Host = reachable(addr)
		if s.tls() {
			base.Scheme = "https"
		}
	}
	return base.String() + s.basePath.String()
}

// reachable replaces "all addresses", which no browser can open, by the loopback address.
func reachable(addr string) string {
	if port, ok := strings.CutPrefix(addr, ":"); ok {
		return "127.0.0.1:" + port
	}
	parsed, err := netip.ParseAddrPort(addr)
	switch {
	case err != nil || !parsed.Addr().IsUnspecified():
		return addr
	case parsed.Addr().Is4():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), parsed.Port()).String()
	}
	return netip.AddrPortFrom(netip.IPv6Loopback(), parsed.Port()).String()
}
