package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rollcall/server/doctor"
)

// unit is what a unit file is made of, beside the settings of the server in it.
type unit struct {
	settings settings
	user     string
	program  string
}

func newSystemd() *cobra.Command {
	var u unit
	cmd := &cobra.Command{
		Use:   "systemd",
		Short: "Print a hardened systemd unit for a server with these settings",
		Long: "Prints a systemd unit for a server with these settings, and how to install it. The server\n" +
			"tells systemd when it is ready, how many people are online, and that it is alive.",
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error { return u.print(cmd) },
	}
	flags := cmd.Flags()
	u.settings.register(flags)
	data := flags.Lookup("data")
	data.DefValue, u.settings.data.folder = stateFolder, stateFolder
	flags.StringVar(&u.user, "user", "rollcall", "system user that the server runs as")
	program, _ := os.Executable()
	flags.StringVar(&u.program, "program", program, "where the server's program is")
	return cmd
}

// stateFolder is what StateDirectory= makes and gives to the user.
const stateFolder = "/var/lib/rollcall"

var userName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,30}$`)

func (u *unit) print(cmd *cobra.Command) error {
	if err := u.settings.check(); err != nil {
		return err
	}
	if !userName.MatchString(u.user) {
		return usagef("--user %q is not the name of a user", u.user)
	}
	for _, f := range u.files() {
		if !filepath.IsAbs(f.path) { // the service works in /
			return usagef("--%s must be an absolute path", f.flag)
		}
	}
	var lines strings.Builder
	if err := u.write(&lines, cmd.Flags()); err != nil {
		return err
	}
	u.warn(cmd)
	_, err := fmt.Fprint(out(cmd), lines.String())
	return err
}

// unitFile is a file or folder that a setting names.
type unitFile struct {
	flag, path string
	instead    string // what to do by the flag where the service can not see it
}

// files are those that the service uses.
func (u *unit) files() (used []unitFile) {
	s := &u.settings
	private := "put it into /etc, readable by " + u.user + " only, and name it"
	for _, f := range []unitFile{
		{"data", s.data.folder, "choose another folder, such as " + stateFolder + ","},
		{"database-file", s.data.file, private},
		{"tls-cert", s.tlsCert, private},
		{"tls-key", s.tlsKey, private},
		{"geoip", s.geoip, private},
		{"listen", s.listen.socket(), "choose another, such as unix:/run/rollcall/web.sock,"},
		{"metrics-listen", s.metricsListen.socket(), "choose another, such as unix:/run/rollcall/metrics.sock,"},
	} {
		if f.path != "" {
			used = append(used, f)
		}
	}
	return append(used, unitFile{"program", u.program, "put it into /usr/local/bin and name it"})
}

// warn says what the unit can not do by itself.
func (u *unit) warn(cmd *cobra.Command) {
	for _, f := range u.files() {
		if where := hiddenFrom(f.path); where != "" {
			say(cmd, "The service can not see %s, where %s is: %s by --%s.", where, f.path, f.instead, f.flag)
		}
	}
	if u.settings.data.remote() && u.settings.data.file == "" {
		if _, had := u.settings.data.database.withoutPassword(); had {
			say(cmd, "The unit does not hold the database's password: put PGPASSWORD=... into /etc/rollcall.env, readable by root only.")
		}
	}
}

// hiddenFrom returns the folder of a path that the unit hides, if one does.
func hiddenFrom(path string) string {
	inside := filepath.Clean(path) + "/"
	for _, hidden := range []string{"/home", "/root", "/run/user", "/tmp", "/var/tmp"} {
		if strings.HasPrefix(inside, hidden+"/") {
			return hidden
		}
	}
	return ""
}

func (u *unit) write(w *strings.Builder, flags *pflag.FlagSet) error {
	fmt.Fprintf(w, unitHead, version(), u.user, u.makesFolder(), u.hint(), u.needs())
	program, err := inUnit(u.program)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "ExecStart=%s serve\n", program)
	flags.VisitAll(func(flag *pflag.Flag) {
		if err != nil || flag.Name == "user" || flag.Name == "program" {
			return
		}
		value := u.written(flag)
		if value == "" {
			return
		}
		var assignment string
		if assignment, err = inUnit(flag.Annotations[twinAnnotation][0] + "=" + value); err == nil {
			fmt.Fprintf(w, "Environment=%s\n", assignment)
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "EnvironmentFile=-/etc/rollcall.env\nUser=%s\n", u.user)
	if err := u.places(w); err != nil {
		return err
	}
	w.WriteString(unitRest)
	u.capabilities(w)
	w.WriteString("\n[Install]\nWantedBy=multi-user.target\n")
	return nil
}

// written is what the unit says of a flag; "" for nothing.
func (u *unit) written(flag *pflag.Flag) string {
	place := &u.settings.data
	switch {
	case flag.Name == "data":
		return place.folder
	case !flag.Changed:
		return ""
	case flag.Name == "database":
		address, _ := place.database.withoutPassword()
		return address
	}
	return flag.Value.String()
}

// hint is how commands find the data that the service works on.
func (u *unit) hint() string {
	switch place := &u.settings.data; {
	case place.file != "":
		return "Commands on the data take the same address: rollcall key list --database-file " + doctor.InShell(place.file)
	case place.remote():
		address, _ := place.database.withoutPassword()
		return "Commands on the data take the same address: rollcall key list --database " + doctor.InShell(address)
	}
	return "Commands on the data folder run as its user: sudo -u " + u.user + " rollcall backup FILE --data " + doctor.InShell(u.settings.data.folder)
}

// makesFolder is the step that makes a data folder that systemd does not.
func (u *unit) makesFolder() string {
	if place := &u.settings.data; place.remote() || place.folder == stateFolder {
		return ""
	}
	return fmt.Sprintf("#   install -d -o %s -g %[1]s -m 700 %s\n", u.user, doctor.InShell(u.settings.data.folder))
}

// needs are the lines about what has to be there before. A server ends where the database is not:
// it is started again for as long as that takes.
func (u *unit) needs() string {
	switch place := &u.settings.data; {
	case !place.remote():
		return "After=network.target\n"
	case place.database.local():
		return "After=network.target postgresql.service\nStartLimitIntervalSec=0\n"
	}
	return "Wants=network-online.target\nAfter=network-online.target\nStartLimitIntervalSec=0\n"
}

// places are where the server may write.
func (u *unit) places(w *strings.Builder) error {
	switch place := &u.settings.data; {
	case place.remote():
	case place.folder == stateFolder:
		w.WriteString("StateDirectory=rollcall\nStateDirectoryMode=0700\n")
	default:
		if err := writable(w, place.folder); err != nil {
			return err
		}
	}
	for _, address := range []listenAddress{u.settings.listen, u.settings.metricsListen} {
		switch folder := filepath.Dir(address.socket()); {
		case address.socket() == "" || folder == "/run/rollcall" && strings.Contains(w.String(), "RuntimeDirectory="):
		case folder == "/run/rollcall":
			w.WriteString("RuntimeDirectory=rollcall\n")
		default:
			if err := writable(w, folder); err != nil {
				return err
			}
		}
	}
	return nil
}

func writable(w *strings.Builder, folder string) error {
	path, err := inUnit(folder)
	fmt.Fprintf(w, "ReadWritePaths=%s\n", path)
	return err
}

// capabilities are none, but for a port that only root may listen on.
func (u *unit) capabilities(w *strings.Builder) {
	needed := ""
	for _, address := range []listenAddress{u.settings.listen, u.settings.metricsListen} {
		if port, err := strconv.Atoi(address.text[strings.LastIndex(address.text, ":")+1:]); err == nil && port > 0 && port < 1024 {
			needed = "CAP_NET_BIND_SERVICE"
		}
	}
	fmt.Fprintf(w, "CapabilityBoundingSet=%s\nAmbientCapabilities=%s\n", needed, needed)
}

// inUnit quotes a word of a unit file, where % and \ have a meaning; in the path of a program $ has as well.
func inUnit(word string) (string, error) {
	if strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", usagef("%q can not stand in a unit file", word)
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(word) + `"`, nil
}

const unitHead = `# Made by rollcall %s. To install it:
#   useradd --system --user-group --no-create-home --shell /usr/sbin/nologin %s
%s#   rollcall systemd > /etc/systemd/system/rollcall.service   (with the same flags as for this one)
#   systemctl enable --now rollcall
# The link that makes the first account is in: journalctl -u rollcall
# %s

[Unit]
Description=Rollcall, who(1) for web apps
%s
[Service]
Type=notify
`

// unitRest lets the program do what it does and nothing else. A start takes as long as the upgrade
// of a large database. Not ProcSubset=pid: the kernel's
// longest queue of connections is read from /proc/sys.
const unitRest = `UMask=0077
WatchdogSec=30
Restart=on-failure
RestartSec=2
RestartPreventExitStatus=2
TimeoutStartSec=1h
TimeoutStopSec=20
LimitNOFILE=65536

NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
KeyringMode=private
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
`
