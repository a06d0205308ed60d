package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"rollcall/server/api"
	"rollcall/store/presence"
)

// parse reads settings as the serve command does.
func parse(t *testing.T, args ...string) *settings {
	t.Helper()
	var s settings
	cmd := &cobra.Command{Use: "serve"}
	s.register(cmd.Flags())
	addTwins(cmd)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	if err := bindEnvironment(cmd.Flags()); err != nil {
		t.Fatal(err)
	}
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	return &s
}

// start runs the command line and returns its exit code and what it said on stderr.
func start(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	root := newRoot("")
	root.SetArgs(append([]string{}, args...)) // not nil, which stands for those of the tests
	root.SetIn(strings.NewReader(""))
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	return run(t.Context(), root), stderr.String()
}

func TestAFlagWinsOverItsVariableAndThatOverTheDefault(t *testing.T) {
	if got := parse(t).rules.Heartbeat; got != time.Minute {
		t.Errorf("the default is %s", got)
	}
	t.Setenv("ROLLCALL_HEARTBEAT", "30s")
	if got := parse(t).rules.Heartbeat; got != 30*time.Second {
		t.Errorf("the variable gives %s", got)
	}
	if got := parse(t, "--heartbeat", "20s").rules.Heartbeat; got != 20*time.Second {
		t.Errorf("the flag gives %s", got)
	}
	t.Setenv("ROLLCALL_HEARTBEAT", "")
	if got := parse(t).rules.Heartbeat; got != time.Minute {
		t.Errorf("an empty variable gives %s", got)
	}
}

func TestAListFlagReplacesItsVariable(t *testing.T) {
	t.Setenv("ROLLCALL_ALLOW_ORIGIN", "https://a.example,https://b.example:8443")
	if diff := cmp.Diff([]string{"https://a.example", "https://b.example:8443"}, parse(t).allowOrigins.list); diff != "" {
		t.Error(diff)
	}
	got := parse(t, "--allow-origin", "https://C.example:443", "--allow-origin", "http://d.example:80").allowOrigins.list
	if diff := cmp.Diff([]string{"https://c.example", "http://d.example"}, got); diff != "" {
		t.Errorf("as a browser sends them: %s", diff)
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
	tests := []struct{ args, want string }{
		{"--online-window 149s", "--online-window 2m29s is too short for --heartbeat 1m0s: one lost heartbeat would show people as gone; it must be at least 2.5 heartbeats (2m30s)"},
		{"--online-window 0s", "--online-window must be a positive time, not 0s"},
		{"--heartbeat -1s", "--heartbeat must be a positive time, not -1s"},
		{"--idle-after 0s", "--idle-after must be a positive time, not 0s"},
		{"--leave-grace -5s", "--leave-grace must be a positive time, not -5s"},
		{"--session-ttl 0s", "--session-ttl must be a positive time, not 0s"},
		{"--history-retention 0", "--history-retention must be a positive time, not 0s"},
		{"--retention -720h", "--retention must be a positive time, not -720h0m0s"},
		{"--leave-grace 5m", "--leave-grace 5m0s must be shorter than --online-window 5m0s"},
		{"--session-ttl 5m", "--session-ttl 5m0s must be longer than --online-window 5m0s"},
		{"--heartbeat soon", `invalid value "soon" for --heartbeat: time: invalid duration "soon"`},
		{"--tls-cert c.pem", "--tls-cert needs --tls-key"},
		{"--tls-key k.pem", "--tls-key needs --tls-cert"},
		{"--tls-cert c.pem --tls-key k.pem --public-url http://a.example", "--public-url is http, but --tls-cert makes the server speak only HTTPS"},
		{"--listen 0.0.0.0:8080", "--listen 0.0.0.0:8080 without TLS would send passwords readable over the network; give --tls-cert and --tls-key, or --insecure-http behind a proxy that adds TLS"},
		{"--listen :8080", "--listen :8080 without TLS would send passwords readable over the network; give --tls-cert and --tls-key, or --insecure-http behind a proxy that adds TLS"},
		{"--listen 8080", `invalid value "8080" for --listen: it must be host:port, such as 127.0.0.1:8080, or unix:/path`},
		{"--listen localhost:65536", `invalid value "localhost:65536" for --listen: "65536" is not a port`},
		{"--listen unix:rollcall.sock", `invalid value "unix:rollcall.sock" for --listen: a socket needs an absolute path, such as unix:/run/rollcall.sock`},
		{"--data=", "--data must name a folder"},
		{"--public-url rollcall.example", `invalid value "rollcall.example" for --public-url: it must be like https://rollcall.example`},
		{"--public-url ftp://a.example", `invalid value "ftp://a.example" for --public-url: it must be like https://rollcall.example`},
		{"--public-url https://a.example/x/", `invalid value "https://a.example/x/" for --public-url: it must not contain a path; give that as --base-path /x`},
		{"--public-url https://a.example?b", `invalid value "https://a.example?b" for --public-url: it must not contain a query or fragment`},
		{"--public-url https://u@a.example", `invalid value "https://u@a.example" for --public-url: it must not contain a user or password`},
		{"--base-path x", `invalid value "x" for --base-path: it must start with a slash, such as /rollcall`},
		{"--base-path /x/", `invalid value "/x/" for --base-path: it must not end with a slash or contain two in a row`},
		{"--base-path /../x", `invalid value "/../x" for --base-path: it may only contain letters, digits, -, _, . and ~ between slashes`},
		{"--base-path /{x}", `invalid value "/{x}" for --base-path: it may only contain letters, digits, -, _, . and ~ between slashes`},
		{"--trusted-proxies 10.0.0.1/8", `invalid value "10.0.0.1/8" for --trusted-proxies: 10.0.0.1/8 has host bits set; the network is 10.0.0.0/8`},
		{"--trusted-proxies proxy", `invalid value "proxy" for --trusted-proxies: "proxy" is neither an address nor a network like 10.0.0.0/8`},
		{"--trusted-proxies 10.0.0.1,,10.0.0.2", `invalid value "10.0.0.1,,10.0.0.2" for --trusted-proxies: it contains an empty part`},
		{"--ip half", `invalid value "half" for --ip: it must be one of: full, truncated, off`},
		{"--network 10.0.0.0/8", `invalid value "10.0.0.0/8" for --network: "10.0.0.0/8" is not like Office=192.168.1.0/24`},
		{"--network =10.0.0.0/8", `invalid value "=10.0.0.0/8" for --network: "=10.0.0.0/8" is not like Office=192.168.1.0/24`},
		{"--network Office=", `invalid value "Office=" for --network: "Office=" is not like Office=192.168.1.0/24`},
		{"--network Office=10.0.0.0/33", `invalid value "Office=10.0.0.0/33" for --network: "10.0.0.0/33" is neither an address nor a network like 10.0.0.0/8`},
		{"--network Office=10.0.0.1/8", `invalid value "Office=10.0.0.1/8" for --network: 10.0.0.1/8 has host bits set; the network is 10.0.0.0/8`},
		{"--network Office=fe80::1%eth0", `invalid value "Office=fe80::1%eth0" for --network: "fe80::1%eth0" is neither an address nor a network like 10.0.0.0/8`},
		{"--network A=10.0.0.0/8,B=10.0.0.0/8", `invalid value "A=10.0.0.0/8,B=10.0.0.0/8" for --network: 10.0.0.0/8 has two names, A and B`},
		{"--network A\x00=10.0.0.0/8", `invalid value "A\x00=10.0.0.0/8" for --network: a name must have at most 60 visible characters`},
		{"--host https://a.example", `invalid value "https://a.example" for --host: "https://a.example" is not a host name; give it without scheme, port and wildcards`},
		{"--allow-origin *", `invalid value "*" for --allow-origin: *: wildcards are not allowed; name each origin`},
		{"--allow-origin https://*.a.example", `invalid value "https://*.a.example" for --allow-origin: https://*.a.example: wildcards are not allowed; name each origin`},
		{"--allow-origin null", `invalid value "null" for --allow-origin: null is what any sandboxed page sends; it cannot be allowed`},
		{"--allow-origin https://a.example/", `invalid value "https://a.example/" for --allow-origin: https://a.example/: an origin has no trailing slash`},
		{"--allow-origin https://a.example/x", `invalid value "https://a.example/x" for --allow-origin: https://a.example/x: an origin has no path; give https://a.example`},
		{"--allow-origin a.example", `invalid value "a.example" for --allow-origin: a.example is not an origin; it must be like https://app.example`},
		{"--log-level loud", `invalid value "loud" for --log-level: it must be one of: debug, info, warn, error`},
		{"--log-format xml", `invalid value "xml" for --log-format: it must be one of: console, json`},
		{"--metrics-listen 9090", `invalid value "9090" for --metrics-listen: it must be host:port, such as 127.0.0.1:8080, or unix:/path`},
		{"--listen 127.0.0.1:9090 --metrics-listen 127.0.0.1:9090", "--metrics-listen must be another address than --listen"},
		{"--listen unix:/run/r --metrics-listen unix:/run/r", "--metrics-listen must be another address than --listen"},
		{"--session-limit -1", "--session-limit must not be negative"},
		{"--session-limit-policy deny", "--session-limit-policy deny needs --session-limit"},
		{"--session-limit 3 --session-limit-policy drop", `invalid value "drop" for --session-limit-policy: it must be one of: evict, deny`},
		{"--app-limit 3", "unknown flag: --app-limit"},
		{"--auth-header Remote-User", "--auth-header needs --trusted-proxies: from anybody else the header is not believed"},
		{"--auth-header Remote-User --trusted-proxies 10.0.0.1,::/0", "--auth-header with --trusted-proxies 10.0.0.1/32,::/0 would let everybody be anybody; name the address of your proxy"},
		{"--auth-header Remote-User --trusted-proxies ::ffff:0.0.0.0/96", "--auth-header with --trusted-proxies 0.0.0.0/0 would let everybody be anybody; name the address of your proxy"},
		{"--auth-header Remote-User --trusted-proxies 10.0.0.1 --listen unix:/run/r", "--auth-header needs --listen host:port: who connects to a socket file has no address that could be one of --trusted-proxies"},
		{"--auth-header Remote_User", `invalid value "Remote_User" for --auth-header: "Remote_User" is not the name of a header, such as Remote-User`},
		{"--auth-header cookie", `invalid value "cookie" for --auth-header: the header Cookie has another meaning`},
		{"--auth-header-claims name", `invalid value "name" for --auth-header-claims: "name" is not FIELD=HEADER`},
		{"--auth-header-claims id=Remote-Id", `invalid value "id=Remote-Id" for --auth-header-claims: the field must be among email, groups, name, organization, role, session, team`},
		{"--auth-header Remote-User --trusted-proxies 10.0.0.1", "--auth-header needs --auth-app, the application whose people the proxy signs in, or --public-url, whose host name it is then"},
		{"--auth-admins ada", "--auth-header-claims, --auth-app, --auth-admins, --auth-viewers and --auth-sign-out need --auth-header"},
		{"--auth-admins ada,", `invalid value "ada," for --auth-admins: it contains an empty part`},
		{"--auth-header Remote-User --trusted-proxies 10.0.0.1 --auth-app wiki --auth-admins ada,*", "--auth-admins must name users or groups: * would have everybody administer"},
		{"--auth-header Remote-User --trusted-proxies 10.0.0.1 --auth-app wiki --auth-viewers @ops", "a group in --auth-admins or --auth-viewers needs the header that has the groups: --auth-header-claims groups=Remote-Groups"},
		{"--auth-sign-out javascript:alert(1)", `invalid value "javascript:alert(1)" for --auth-sign-out: it must be like https://auth.example/logout or /oauth2/sign_out`},
		{"--auth-sign-out //auth.example", `invalid value "//auth.example" for --auth-sign-out: it must be like https://auth.example/logout or /oauth2/sign_out`},
	}
	t.Chdir(t.TempDir())
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			code, said := start(t, append([]string{"serve"}, strings.Fields(test.args)...)...)
			if code != exitUsage {
				t.Errorf("exit code %d", code)
			}
			if diff := cmp.Diff("rollcall: "+test.want+"\n", said); diff != "" {
				t.Error(diff)
			}
		})
	}
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("a refused start left %v", left)
	}
}

func TestABadVariableIsNamed(t *testing.T) {
	t.Setenv("ROLLCALL_ONLINE_WINDOW", "5")
	code, said := start(t)
	want := "rollcall: invalid value \"5\" for ROLLCALL_ONLINE_WINDOW: time: missing unit in duration \"5\"\n"
	if code != exitUsage || said != want {
		t.Errorf("exit code %d, %q", code, said)
	}
}

func TestSettingsThatAreTaken(t *testing.T) {
	for _, args := range []string{
		"--session-limit 0 --session-limit-policy evict", "--session-limit 3 --session-limit-policy deny",
		"--metrics-listen 127.0.0.1:9090", "--listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0", "--metrics-listen unix:/run/rollcall-metrics.sock",
		"--online-window 150s", "--leave-grace 299s", "--session-ttl 301s",
		"--listen [::1]:0", "--listen localhost:1", "--listen 127.8.9.10:0", "--listen unix:/run/rollcall.sock",
		"--listen 0.0.0.0:8080 --insecure-http", "--listen :8443 --tls-cert c.pem --tls-key k.pem --public-url https://a.example",
		"--public-url https://A.example:8443/", "--base-path /", "--base-path /a/b-c_d.e~f",
		"--ip off", "--ip truncated --network Office=10.0.0.0/8,VPN=fd00::/8 --network Desk=10.1.2.3 --network Office=10.0.0.0/8",
		"--trusted-proxies 10.0.0.0/8,::1 --trusted-proxies 192.0.2.1", "--host a,B.example.",
		"--allow-origin http://localhost:3000,capacitor://localhost",
	} {
		parse(t, strings.Fields(args)...) // fails the test where it is refused
	}
}

func TestWhoseThePeopleOfTheProxyAre(t *testing.T) {
	for args, want := range map[string]string{
		"": "",
		"--public-url https://Intranet.example:8443": "intranet.example",
		"--auth-app wiki": "wiki",
		"--auth-app wiki --public-url https://a.example": "wiki",
	} {
		if args != "" {
			args += " --auth-header Remote-User --trusted-proxies 10.0.0.1"
		}
		got := parse(t, strings.Fields(args)...)
		if app := got.proxy.proxy(got.publicURL).App; app != want {
			t.Errorf("%s: %q, want %q", args, app, want)
		}
	}
}

func TestTheLinkWorksInABrowser(t *testing.T) {
	tests := []struct{ args, listening, want string }{
		{"", "127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"--listen 0.0.0.0:0 --insecure-http", "0.0.0.0:4711", "http://127.0.0.1:4711"},
		{"--listen :0 --insecure-http --base-path /rollcall", "[::]:4711", "http://[::1]:4711/rollcall"},
		{"--tls-cert c.pem --tls-key k.pem", "127.0.0.1:8080", "https://127.0.0.1:8080"},
		{"--public-url https://A.example/ --base-path /who", "127.0.0.1:8080", "https://a.example/who"},
		{"--listen unix:/run/rollcall.sock", "/run/rollcall.sock", ""},
		{"--listen unix:/run/rollcall.sock --public-url https://a.example", "/run/rollcall.sock", "https://a.example"},
	}
	for _, test := range tests {
		if got := parse(t, strings.Fields(test.args)...).address(test.listening); got != test.want {
			t.Errorf("%s: %q, want %q", test.args, got, test.want)
		}
	}
}

func TestCookiesAreSecureWhereBrowsersUseHTTPS(t *testing.T) {
	tests := []struct {
		args string
		want bool
	}{
		{"", false},
		{"--public-url http://a.example", false},
		{"--public-url https://a.example", true},
		{"--tls-cert c.pem --tls-key k.pem", true},
	}
	for _, test := range tests {
		if got := parse(t, strings.Fields(test.args)...).secureCookies(); got != test.want {
			t.Errorf("%q: %t", test.args, got)
		}
	}
}

func TestUnknownVariablesAreToldOnce(t *testing.T) {
	t.Setenv("ROLLCALL_ONLINE_WINDOWS", "1m")
	t.Setenv("ROLLCALL_DATABSE", "x")
	t.Setenv("ROLLCALL_PASSWORD", "read by account create")
	t.Setenv("ROLLCALL_KEY_FILE", "read by who")
	t.Setenv("ROLLCALL_SERVICE_HOST", "10.0.0.1")
	t.Setenv("ROLLCALL_PORT", "tcp://10.0.0.1:8080")
	t.Setenv("ROLLCALL_PORT_8080_TCP", "tcp://10.0.0.1:8080")
	_, said := start(t, "version")
	if want := "rollcall: warning: nothing reads ROLLCALL_DATABSE, ROLLCALL_ONLINE_WINDOWS\n"; said != want {
		t.Errorf("%q", said)
	}
}

func TestSecrets(t *testing.T) {
	folder := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first, second := file("first", "rck_first\r\n"), file("second", "rck_second")
	tests := []struct {
		name, args, variable, fileVariable string
		want, problem                      string
	}{
		{"none", "", "", "", "", ""},
		{"the flag", "--key rck_flag", "", "", "rck_flag", ""},
		{"the variable", "", "rck_env", "", "rck_env", ""},
		{"the variable's file", "", "", first, "rck_first", ""},
		{"a flag wins over both variables", "--key rck_flag", "rck_env", first, "rck_flag", ""},
		{"a flag's file too", "--key-file " + second, "rck_env", first, "rck_second", ""},
		{"two flags", "--key rck_flag --key-file " + second, "", "", "", "contradict each other"},
		{"two variables", "", "rck_env", first, "", "contradict each other"},
		{"a file that is not there", "--key-file " + folder + "/none", "", "", "", "no such file"},
		{"an empty file", "--key-file " + file("empty", "\n"), "", "", "", "it is empty"},
		{"a huge file", "--key-file " + file("huge", strings.Repeat("x", maxSecret+1)), "", "", "", "it is too long"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("ROLLCALL_KEY", test.variable)
			t.Setenv("ROLLCALL_KEY_FILE", test.fileVariable)
			var asked serverFlags
			cmd := &cobra.Command{Use: "who"}
			asked.register(cmd.Flags(), "read")
			addTwins(cmd)
			if err := cmd.ParseFlags(strings.Fields(test.args)); err != nil {
				t.Fatal(err)
			}
			if err := bindEnvironment(cmd.Flags()); err != nil {
				t.Fatal(err)
			}
			got, err := asked.key.read()
			if got != test.want || (err == nil) != (test.problem == "") || err != nil && !strings.Contains(err.Error(), test.problem) {
				t.Errorf("got %q and %v", got, err)
			}
		})
	}
}

func TestHelpNamesTheVariable(t *testing.T) {
	var help bytes.Buffer
	root := newRoot("")
	root.SetArgs([]string{"who", "--help"})
	root.SetOut(&help)
	if code := run(t.Context(), root); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	for _, twin := range []string{"[ROLLCALL_URL]", "[ROLLCALL_KEY]", "[ROLLCALL_KEY_FILE]", "[ROLLCALL_JSON]"} {
		if !strings.Contains(help.String(), twin) {
			t.Errorf("%s is missing in %s", twin, &help)
		}
	}
}

func TestAWindowTooShortForHiddenTabsIsAdvisedAgainst(t *testing.T) {
	for window, advised := range map[time.Duration]bool{5 * time.Minute: false, 2 * time.Minute: false, 2*time.Minute - 1: true} {
		var log bytes.Buffer
		s := settings{rules: presence.Rules{Heartbeat: time.Minute, OnlineWindow: window}}
		s.advise(zerolog.New(&log))
		if got := strings.Contains(log.String(), "hidden"); got != advised {
			t.Errorf("a window of %s: %q", window, log.String())
		}
	}
}

func TestAdministratorsAreShownWhatTheServerWasStartedWith(t *testing.T) {
	cmd := newServe("")
	addTwins(cmd)
	if err := cmd.ParseFlags([]string{"--session-ttl", "90m", "--allow-origin", "https://a.example"}); err != nil {
		t.Fatal(err)
	}
	all := map[string]api.Setting{}
	for _, setting := range flagValues(cmd.Flags()) {
		all[setting.Name] = setting
	}
	for name, want := range map[string]string{"session-ttl": "1h30m 24h", "retention": "720h 720h", "online-window": "5m 5m", "leave-grace": "15s 15s", "tls-cert": " "} {
		if got := all[name].Value + " " + all[name].Default; got != want {
			t.Errorf("--%s is shown as %q, want %q", name, got, want)
		}
	}
	if got := all["allow-origin"].Value; !strings.Contains(got, "https://a.example") {
		t.Errorf("--allow-origin is shown as %q", got)
	}
	if got := all["session-ttl"].About; got != "how long a login lasts after the last activity" {
		t.Errorf("what it is about: %q", got)
	}
}

func TestNetworksHaveNames(t *testing.T) {
	t.Setenv("ROLLCALL_NETWORK", "Head office=10.0.0.0/8, VPN=fd00::/8")
	if got := parse(t).networks.String(); got != "Head office=10.0.0.0/8,VPN=fd00::/8" {
		t.Errorf("the variable gives %s", got)
	}
	if got := parse(t, "--network", "Desk=::ffff:10.1.2.3", "--network", "Lab=::ffff:10.2.0.0/112").networks.String(); got != "Desk=10.1.2.3/32,Lab=10.2.0.0/16" {
		t.Errorf("IPv4 inside IPv6 is %s", got)
	}
}

func TestAFileOfPlacesThatIsNoneStopsTheStart(t *testing.T) {
	t.Chdir(t.TempDir())
	code, said := start(t, "serve", "--geoip", "places.mmdb", "--listen", "127.0.0.1:0")
	if code != exitFailed || said != "rollcall: reading the places in places.mmdb: no such file or directory\n" {
		t.Errorf("exit code %d, %q", code, said)
	}
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("a refused start left %v", left)
	}
}

func TestNamesAreAsBrowsersSendThem(t *testing.T) {
	for _, written := range []string{"bücher.example", "BÜCHER.example", "xn--bcher-kva.example", "XN--BCHER-KVA.Example"} {
		got := parse(t, "--public-url", "https://"+written, "--allow-origin", "https://"+written+":8443", "--host", written)
		if got.publicURL.String() != "https://xn--bcher-kva.example" || got.allowOrigins.String() != "https://xn--bcher-kva.example:8443" || got.hosts.String() != "xn--bcher-kva.example" {
			t.Errorf("%s: %s, %s, %s", written, &got.publicURL, &got.allowOrigins, &got.hosts)
		}
	}
	for written, want := range map[string]string{
		"https://a.example:443": "https://a.example", "http://a.example:80": "http://a.example", "https://a.example:80": "https://a.example:80", "https://[2001:DB8::7]:8443": "https://[2001:db8::7]:8443",
		"https://例え.テスト": "https://xn--r8jz45g.xn--zckzah", "https://my_host.example": "https://my_host.example",
	} {
		if got := parse(t, "--public-url", written).publicURL.String(); got != want {
			t.Errorf("%s is %s, want %s", written, got, want)
		}
	}
}
