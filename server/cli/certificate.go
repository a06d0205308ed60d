package cli

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// certificate is the server's certificate, read again when its file changes: renewals come every
// few weeks, and nobody should have to restart for them.
type certificate struct {
	certFile, keyFile string
	log               zerolog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	changed time.Time // of the file that current was read from
	looked  time.Time
}

// withTLS puts TLS in front of ln.
func withTLS(ln net.Listener, s *settings, log zerolog.Logger) (net.Listener, error) {
	cert := &certificate{certFile: s.tlsCert, keyFile: s.tlsKey, log: log}
	if err := cert.read(); err != nil {
		return nil, usageError{err}
	}
	return tls.NewListener(ln, &tls.Config{
		GetCertificate: cert.get,
		NextProtos:     []string{"h2", "http/1.1"},
		MinVersion:     tls.VersionTLS12,
	}), nil
}

// read replaces the certificate by what the files hold now.
func (c *certificate) read() error {
	info, err := os.Stat(c.certFile)
	if err != nil {
		return fmt.Errorf("reading the certificate: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("reading the certificate of --tls-cert and --tls-key: %w", err)
	}
	c.current, c.changed = &pair, info.ModTime()
	return nil
}

// get returns the certificate for a connection. A broken renewal is logged and the old one stays:
// the files may be half written, and an expiring certificate is better than none.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < time.Minute {
		return c.current, nil
	}
	c.looked = time.Now()
	info, err := os.Stat(c.certFile)
	if err == nil && info.ModTime().Equal(c.changed) {
		return c.current, nil
	}
	if err := c.read(); err != nil {
		c.log.Warn().Err(err).Msg("certificate not renewed")
	}
	return c.current, nil
}
