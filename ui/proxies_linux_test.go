package ui_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// installed finds a proxy's program. Where there is none the test is skipped,
// unless TEST_PROXY=required makes that a failure.
func installed(t *testing.T, program string) string {
	t.Helper()
	for _, name := range []string{program, "/usr/sbin/" + program} { // which is not in everybody's path
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, program, "TEST_PROXY")
	return ""
}

// freePort is an address for a proxy, on which nothing else listens.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.3:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// placed puts the addresses of this machine into a snippet. Each must have been there.
func (f *front) placed(snippet string, pairs ...string) string {
	f.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(snippet, pairs[i]) {
			f.t.Fatalf("the snippet has no %s:\n%s", pairs[i], snippet)
		}
		snippet = strings.ReplaceAll(snippet, pairs[i], pairs[i+1])
	}
	return snippet
}

func (f *front) ownName() bool { return strings.HasPrefix(f.base, "https://rollcall.example") }

func (f *front) nginx(program, snippet string) {
	dir := f.t.TempDir()
	certificate, key := certificate(f.t, dir)
	snippet = f.placed(snippet, "127.0.0.1:8080", f.in.address)
	if f.ownName() {
		snippet = f.placed(snippet, "[::]:443", freePort(f.t), "[::]:80", freePort(f.t), "listen 443", "listen "+f.https, "listen 80", "listen "+f.plain,
			"/etc/ssl/rollcall.example/fullchain.pem", certificate, "/etc/ssl/rollcall.example/privkey.pem", key)
	} else {
		snippet = "server { listen " + f.https + " ssl; port_in_redirect off; server_name intranet.example; ssl_certificate " + certificate +
			"; ssl_certificate_key " + key + "; location / { return 200 'the site'; } location ~ \\.js$ { return 404; }\n" + snippet + "}"
	}
	me, err := user.Current()
	if err != nil {
		f.t.Fatal(err)
	}
	temporary := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += kind + "_temp_path " + filepath.Join(dir, kind) + ";"
	}
	config := "daemon off; user " + me.Username + "; pid " + filepath.Join(dir, "pid") + "; error_log stderr; events {}\nhttp { access_log off; " + temporary + "\n" + snippet + "}"
	f.run(exec.Command(program, "-p", dir, "-e", "stderr", "-c", f.file(dir, "nginx.conf", config)))
}

func (f *front) caddy(program, snippet string) {
	dir := f.t.TempDir()
	snippet = f.placed(snippet, "127.0.0.1:8080", f.in.address)
	if !f.ownName() {
		snippet = "intranet.example {\n" + snippet + "\nrespond \"the site\"\n}"
	}
	host, port, _ := net.SplitHostPort(f.https)
	_, plain, _ := net.SplitHostPort(f.plain)
	options := "{\nadmin off\nlocal_certs\nskip_install_trust\ndefault_bind " + host + "\nhttps_port " + port + "\nhttp_port " + plain + "\n}\n"
	cmd := exec.Command(program, "run", "--adapter", "caddyfile", "--config", f.file(dir, "Caddyfile", options+snippet))
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	f.run(cmd)
}

func (f *front) apache(program, snippet string) {
	dir := f.t.TempDir()
	certificate, key := certificate(f.t, dir)
	snippet = f.placed(snippet, "127.0.0.1:8080", f.in.address)
	if f.ownName() {
		snippet = f.placed(snippet, "*:80", f.plain, "*:443", f.https,
			"/etc/ssl/rollcall.example/fullchain.pem", certificate, "/etc/ssl/rollcall.example/privkey.pem", key)
	} else {
		site := filepath.Join(dir, "site")
		if err := os.Mkdir(site, 0o755); err != nil {
			f.t.Fatal(err)
		}
		if err := os.Chmod(f.file(site, "page", "the site"), 0o644); err != nil {
			f.t.Fatal(err)
		}
		snippet = "<VirtualHost " + f.https + ">\nServerName intranet.example\nSSLEngine on\nSSLCertificateFile " + certificate + "\nSSLCertificateKeyFile " + key +
			"\nAliasMatch ^/(?!rollcall) " + filepath.Join(site, "page") + "\n" + snippet + "\n</VirtualHost>"
	}
	config := "ServerRoot " + dir + "\nServerName localhost\nPidFile " + filepath.Join(dir, "pid") + "\nDefaultRuntimeDir " + dir + "\nErrorLog /dev/stderr\n"
	for _, module := range []string{"mpm_event", "authz_core", "alias", "ssl", "proxy", "proxy_http", "headers"} {
		config += "LoadModule " + module + "_module /usr/lib/apache2/modules/mod_" + module + ".so\n"
	}
	config += "Listen " + f.plain + "\nListen " + f.https + "\n<Directory />\nRequire all granted\n</Directory>\n"
	if me, err := user.Current(); err == nil && me.Uid == "0" {
		config += "User nobody\nGroup nogroup\n" // as whom it serves
		for at := dir; at != os.TempDir() && at != "/"; at = filepath.Dir(at) {
			_ = os.Chmod(at, 0o755)
		}
	}
	f.run(exec.Command(program, "-f", f.file(dir, "apache.conf", config+snippet), "-DFOREGROUND"))
}

func (f *front) haproxy(program, snippet string) {
	dir := f.t.TempDir()
	var both []byte
	certificate, key := certificate(f.t, dir)
	for _, path := range []string{certificate, key} {
		part, err := os.ReadFile(path)
		if err != nil {
			f.t.Fatal(err)
		}
		both = append(both, part...)
	}
	pem := f.file(dir, "both.pem", string(both))
	snippet = f.placed(snippet, "127.0.0.1:8080", f.in.address)
	if f.ownName() {
		snippet = f.placed(snippet, "bind :80", "bind "+f.plain, "bind :443", "bind "+f.https, "/etc/haproxy/rollcall.example.pem", pem)
	} else {
		snippet = "frontend site\n    bind " + f.https + " ssl crt " + pem + "\n    default_backend site\n" + snippet +
			"\nbackend site\n    http-request return status 200 content-type text/plain string \"the site\"\n"
	}
	const defaults = "global\n    hard-stop-after 1s\ndefaults\n    mode http\n    timeout connect 5000\n    timeout client 50000\n    timeout server 50000\n" // Debian's
	f.end = syscall.SIGUSR1                                                                                                                                    // ends well
	f.run(exec.Command(program, "-db", "-f", f.file(dir, "haproxy.cfg", defaults+snippet)))
}

func (f *front) file(dir, name, text string) string {
	f.t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	return path
}

// certificate is one that httptest has made, as files.
func certificate(t *testing.T, dir string) (certificate, key string) {
	t.Helper()
	made := httptest.NewTLSServer(nil)
	made.Close()
	pair := made.TLS.Certificates[0]
	secret, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	certificate, key = filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	if err == nil {
		err = os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o600)
	}
	if err == nil {
		err = os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// run lets a proxy run until the test ends.
func (f *front) run(cmd *exec.Cmd) {
	f.t.Helper()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		_ = cmd.Process.Signal(f.end)
		if err := cmd.Wait(); err != nil || f.t.Failed() {
			f.t.Errorf("the proxy ended with %v and said:\n%s", err, &said)
		}
	})
}
