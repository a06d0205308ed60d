package cli

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"rollcall/server/demo"
	"rollcall/ui"
)

// demoSettings are what can be chosen about a demo.
type demoSettings struct {
	listen listenAddress
	people int
	seed   uint64
	log    logSettings
}

func newDemo(schema string) *cobra.Command {
	s := demoSettings{listen: listenAddress{defaultListen}}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve a temporary database full of simulated people",
		Long: "Serves a temporary database in which simulated people log in, work and leave, with five weeks of made-up history.\n" +
			"Nothing in it is real, nothing is kept, and your own data is not touched.",
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runDemo(cmd, schema, &s) },
	}
	flags := cmd.Flags()
	flags.Var(&s.listen, "listen", "address to listen on, host:port")
	flags.IntVar(&s.people, "people", 40, "how many people")
	flags.Uint64Var(&s.seed, "seed", 0, "choose the people and their habits (0: others each time)")
	s.log.register(flags)
	return cmd
}

func (s *demoSettings) check() error {
	switch {
	case s.people < 1 || s.people > demo.MaxPeople:
		return usagef("--people must be 1 to %d, not %d", demo.MaxPeople, s.people)
	case s.listen.socket() != "":
		return usagef("--listen of the demo must be host:port: browsers cannot open a socket file")
	}
	return nil
}

func runDemo(cmd *cobra.Command, schema string, s *demoSettings) error {
	if err := s.check(); err != nil {
		return err
	}
	ln, err := s.open(cmd)
	if err != nil {
		return err
	}
	defer ln.Close()
	if s.seed == 0 {
		s.seed = rand.Uint64()
	}
	err = demo.Run(cmd.Context(), demo.Config{
		Schema:   schema,
		Assets:   ui.Static,
		Listener: ln,
		URL:      "http://" + reachable(ln.Addr().String()),
		People:   s.people,
		Seed:     s.seed,
		Version:  version(),
		Log:      s.logger(cmd),
		Ready:    func(links demo.Links) { s.announce(cmd, links) },
	})
	if cmd.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return nil // told to stop before it was up
	}
	return err
}

// open listens on the address. Only where nobody chose the address, a free port will do as well.
func (s *demoSettings) open(cmd *cobra.Command) (net.Listener, error) {
	ln, err := listen(cmd.Context(), s.listen, "listen")
	if errors.Is(err, syscall.EADDRINUSE) && !cmd.Flags().Changed("listen") {
		say(cmd, "%s is in use; taking a free port.", s.listen.text)
		return listen(cmd.Context(), listenAddress{"127.0.0.1:0"}, "listen")
	}
	return ln, err
}

// logger says little by default: forty people would bury the links.
func (s *demoSettings) logger(cmd *cobra.Command) zerolog.Logger {
	if !cmd.Flags().Changed("log-level") {
		s.log.level.text = "warn"
	}
	return s.log.logger(cmd.ErrOrStderr())
}

func (s *demoSettings) announce(cmd *cobra.Command, links demo.Links) {
	say(cmd, "rollcall demo: %d simulated people with a made-up past. Nothing is kept; Ctrl-C ends it.", s.people)
	say(cmd, "  panel       %s   (works once)", links.SignIn)
	say(cmd, "  sample app  %s", links.App)
	say(cmd, "  again       sign in as %s with %s", links.Account, links.Password)
}
