package cli

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// databaseAddress is the address of a PostgreSQL database. It may hold a password, so whatever
// prints a flag gets it without.
type databaseAddress struct {
	whole  string   // as given
	parsed *url.URL // nil before read
}

// String is what anybody may see: host, port and name.
func (a *databaseAddress) String() string {
	if a.parsed == nil {
		return ""
	}
	seen := &url.URL{Scheme: a.parsed.Scheme, Host: a.parsed.Host, Path: a.parsed.Path}
	var where []string
	for _, name := range []string{"host", "port"} {
		if value := a.parsed.Query().Get(name); value != "" {
			where = append(where, name+"="+value)
		}
	}
	seen.RawQuery = strings.Join(where, "&") // readable rather than escaped
	return seen.String()
}

// Type names the value in the help.
func (a *databaseAddress) Type() string { return "url" }

// Set takes anything: an error here would be told together with the value. See read.
func (a *databaseAddress) Set(text string) error {
	*a = databaseAddress{whole: text}
	return nil
}

var (
	errAddress    = usageError{errors.New("--database must be like postgres://user@host:5432/name, where other than letters and digits of a password are written like %2F")}
	hostAndPort   = regexp.MustCompile(`^([^:,]*|\[[0-9a-fA-F:.]+\])(:[0-9]+)?(,([^:,]+|\[[0-9a-fA-F:.]+\])(:[0-9]+)?)*$`) // several: whichever of them takes writes
	parameterName = regexp.MustCompile(`^[a-z_]+$`)
)

// read understands an address, strictly: of one that is written in another way than it is meant,
// what seems to be the host may be the password. Its errors quote nothing.
func (a *databaseAddress) read(text string) error {
	parsed, err := url.Parse(text)
	switch {
	case err != nil, parsed.Scheme != "postgres" && parsed.Scheme != "postgresql", parsed.Opaque != "", parsed.Fragment != "",
		!hostAndPort.MatchString(parsed.Host), strings.ContainsAny(strings.TrimPrefix(parsed.Path, "/"), "/@"):
		return errAddress
	}
	parameters, err := url.ParseQuery(parsed.RawQuery)
	if err != nil {
		return errAddress
	}
	for name := range parameters {
		if !parameterName.MatchString(name) {
			return errAddress
		}
	}
	a.parsed = parsed
	return nil
}

// secretParameters are those of an address that nobody may see.
var secretParameters = []string{"password", "sslpassword"}

// withoutPassword is the address as it may be written down, and whether it had one.
func (a *databaseAddress) withoutPassword() (address string, had bool) {
	open, parameters := *a.parsed, a.parsed.Query()
	if _, had = open.User.Password(); had {
		open.User = url.User(open.User.Username())
	}
	for _, secret := range secretParameters {
		had = had || parameters.Has(secret)
		parameters.Del(secret)
	}
	open.RawQuery = parameters.Encode()
	return open.String(), had
}

// host is where the database's server is: a name, an address, the folder of a socket, or "" for
// wherever its programs look by themselves.
func (a *databaseAddress) host() string {
	if host := a.parsed.Query().Get("host"); host != "" {
		return host
	}
	return a.parsed.Hostname()
}

// local tells whether the database's server is on this machine.
func (a *databaseAddress) local() bool {
	host := a.host()
	if strings.Contains(host, ",") {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "" || host == "localhost" || strings.HasPrefix(host, "/") || err == nil && addr.Unmap().IsLoopback()
}
