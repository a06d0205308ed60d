package cli

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rollcall/server/client"
)

// newHealthcheck asks the server of the same settings. In a container it therefore needs no flags.
func newHealthcheck() *cobra.Command {
	var s settings
	var url string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the server whether it is ready (exit code 0 or 1)",
		Args:  arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			asked, err := healthClient(&s, url, client.WithTimeout(timeout))
			if err != nil {
				return err
			}
			defer asked.Close()
			if err := asked.Health(cmd.Context()); err != nil {
				return fmt.Errorf("not ready: %w", err)
			}
			_, err = fmt.Fprintln(out(cmd), "ready")
			return err
		},
	}
	flags := cmd.Flags()
	s.listen = listenAddress{defaultListen}
	flags.StringVar(&url, "url", "", "address of the server (default: that of --listen)")
	flags.DurationVar(&timeout, "timeout", 3*time.Second, "how long to wait for the answer")
	flags.Var(&s.listen, "listen", "address that the server listens on")
	flags.Var(&s.basePath, "base-path", "path below which the server serves")
	flags.StringVar(&s.tlsCert, "tls-cert", "", "certificate file of the server, if it serves HTTPS")
	return cmd
}

func healthClient(s *settings, url string, opts ...client.Option) (*client.Client, error) {
	if url != "" {
		return client.New(url, "", opts...), nil
	}
	scheme := "http"
	if s.tls() {
		// The certificate is made for the public name, not for the address asked here. Nothing
		// secret is sent, so who answers need not be proven.
		scheme, opts = "https", append(opts, client.WithTLS(&tls.Config{InsecureSkipVerify: true}))
	}
	if socket := s.listen.socket(); socket != "" {
		return client.New(scheme+"://localhost"+s.basePath.text, "", append(opts, client.WithUnixSocket(socket))...), nil
	}
	// Of names, the server is sure to answer to this one.
	return client.New(scheme+"://"+reachable(s.listen.text)+s.basePath.text, "", append(opts, client.WithHost("localhost"))...), nil
}
