package cli

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// selfSigned writes a certificate with this serial number, as of this time, to cert.pem and key.pem.
func selfSigned(t *testing.T, folder string, serial int64, modified time.Time) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{"who.example"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	writeFile(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), modified)
	writeFile(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), modified)
	return certFile, keyFile
}

func writeFile(t *testing.T, name string, content []byte, modified time.Time) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(name, modified, modified); err != nil {
		t.Fatal(err)
	}
}

func TestACertificateIsRenewedWithoutARestart(t *testing.T) {
	folder, issued := t.TempDir(), time.Now().Add(-time.Hour)
	c := &certificate{log: zerolog.Nop()}
	c.certFile, c.keyFile = selfSigned(t, folder, 1, issued)
	if err := c.read(); err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		current, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return current.Leaf.SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Fatalf("it serves %d", got)
	}
	selfSigned(t, folder, 2, issued.Add(time.Minute))
	if got := serial(); got != 1 {
		t.Errorf("it looks at the disk for every connection, and serves %d", got)
	}
	c.looked = time.Time{} // a minute later
	if got := serial(); got != 2 {
		t.Errorf("after the renewal it serves %d", got)
	}
	writeFile(t, c.certFile, []byte("half wri"), issued.Add(2*time.Minute))
	c.looked = time.Time{}
	if got := serial(); got != 2 {
		t.Errorf("after a broken renewal it serves %d", got)
	}
}

func TestServingHTTPS(t *testing.T) {
	schema, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	t.Chdir(folder)
	certFile, keyFile := selfSigned(t, folder, 1, time.Now())
	socket := "unix:" + filepath.Join(folder, "s")
	ctx, stop := context.WithCancel(t.Context())
	root := newRoot(string(schema))
	root.SetArgs([]string{"--listen", socket, "--tls-cert", certFile, "--tls-key", keyFile})
	root.SetErr(t.Output())
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, root) }()

	for deadline := time.Now().Add(30 * time.Second); ; {
		if code, said := start(t, "healthcheck", "--listen", socket, "--tls-cert", certFile); code == exitOK {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("not ready: %s", said)
		}
	}
	if code, said := start(t, "healthcheck", "--listen", socket); code != exitFailed {
		t.Errorf("without TLS it answers as well: %d %s", code, said)
	}
	for version, taken := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("unix", strings.TrimPrefix(socket, "unix:"), &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
		if (err == nil) != taken {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			conn.Close()
		}
	}
	stop()
	if code := <-ended; code != exitOK {
		t.Errorf("exit code %d", code)
	}
}
