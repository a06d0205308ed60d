package cli

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"rollcall/server/authproxy"
	"rollcall/server/origin"
)

// proxySettings say what an authenticating proxy is believed.
type proxySettings struct {
	header          authHeader
	claims          headerClaims
	app             appName
	admins, viewers proxyNames
	signOut         webAddress
}

func (s *proxySettings) register(flags *pflag.FlagSet) {
	flags.Var(&s.header, "auth-header", "header in which an authenticating proxy, one of --trusted-proxies, says who is logged in, such as Remote-User")
	flags.Var(&s.claims, "auth-header-claims", "headers in which it says more, such as name=Remote-Name,email=Remote-Email,groups=Remote-Groups,session=Remote-Session")
	flags.Var(&s.app, "auth-app", "application whose people they are (default: the host name of --public-url)")
	flags.Var(&s.admins, "auth-admins", "of them who administers: users, and groups such as @ops")
	flags.Var(&s.viewers, "auth-viewers", "of them who may look: users, groups, or * for all")
	flags.Var(&s.signOut, "auth-sign-out", "address at which people sign out of the proxy")
}

// check refuses what would believe everybody, or nobody.
func (s *proxySettings) check(trusted prefixes, listen listenAddress, public publicURL) error {
	if s.header.name == "" {
		if s.claims.text != "" || s.app.text != "" || s.admins.list != nil || s.viewers.list != nil || s.signOut.text != "" {
			return usagef("--auth-header-claims, --auth-app, --auth-admins, --auth-viewers and --auth-sign-out need --auth-header")
		}
		return nil
	}
	switch {
	case len(trusted.list) == 0:
		return usagef("--auth-header needs --trusted-proxies: from anybody else the header is not believed")
	case slices.ContainsFunc(trusted.list, origin.TrustsAll):
		return usagef("--auth-header with --trusted-proxies %s would let everybody be anybody; name the address of your proxy", trusted.String())
	case listen.socket() != "":
		return usagef("--auth-header needs --listen host:port: who connects to a socket file has no address that could be one of --trusted-proxies")
	case s.appName(public) == "":
		return usagef("--auth-header needs --auth-app, the application whose people the proxy signs in, or --public-url, whose host name it is then")
	case slices.Contains(s.admins.list, authproxy.Everybody):
		return usagef("--auth-admins must name users or groups: * would have everybody administer")
	case s.claims.claims["groups"] == "" && (s.admins.list.HaveGroups() || s.viewers.list.HaveGroups()):
		return usagef("a group in --auth-admins or --auth-viewers needs the header that has the groups: --auth-header-claims groups=Remote-Groups")
	}
	return nil
}

// appName is the application whose people the proxy signs in: "" where it signs in nobody, or nothing names the
// application. What a visitor asks for does not, who could name any number of them.
func (s *proxySettings) appName(public publicURL) string {
	switch {
	case s.header.name == "" || s.app.text != "":
		return s.app.text
	case public.URL != nil:
		return public.Hostname()
	}
	return ""
}

func (s *proxySettings) proxy(public publicURL) authproxy.Proxy {
	return authproxy.Proxy{Header: s.header.name, Claims: s.claims.claims, App: s.appName(public), Admins: s.admins.list, Viewers: s.viewers.list, SignOut: s.signOut.text}
}

// authHeader is the name of a header.
type authHeader struct{ name string }

func (h *authHeader) String() string { return h.name }
func (h *authHeader) Type() string   { return "header" }

func (h *authHeader) Set(text string) (err error) {
	h.name, err = authproxy.ParseHeader(text)
	return err
}

// headerClaims are headers by what they say.
type headerClaims struct {
	text   string
	claims authproxy.Claims
}

func (c *headerClaims) String() string { return c.text }
func (c *headerClaims) Type() string   { return "FIELD=HEADER" }

func (c *headerClaims) Set(text string) (err error) {
	c.text = text
	c.claims, err = authproxy.ParseClaims(text)
	return err
}

// appName is the name of an application.
type appName struct{ text string }

func (a *appName) String() string { return a.text }
func (a *appName) Type() string   { return "name" }

func (a *appName) Set(text string) error {
	if text == "" || strings.TrimSpace(text) != text || printable(text) != text {
		return errors.New("it must be the name of an application, such as wiki")
	}
	a.text = text
	return nil
}

// proxyNames are users and groups.
type proxyNames struct{ list authproxy.Names }

func (n *proxyNames) String() string { return strings.Join(n.list, ",") }
func (n *proxyNames) Type() string   { return "names" }

func (n *proxyNames) Set(text string) error {
	return eachPart(text, func(part string) error {
		if printable(part) != part {
			return errors.New("it must be users as the proxy names them, and groups such as @ops")
		}
		n.list = append(n.list, part)
		return nil
	})
}

// webAddress is an address for a link.
type webAddress struct{ text string }

func (a *webAddress) String() string { return a.text }
func (a *webAddress) Type() string   { return "url" }

func (a *webAddress) Set(text string) error {
	u, err := url.Parse(text)
	path := strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//")
	if err != nil || printable(text) != text || !path && (u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return errors.New("it must be like https://auth.example/logout or /oauth2/sign_out")
	}
	a.text = text
	return nil
}
