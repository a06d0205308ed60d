package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"rollcall/server/api"
	"rollcall/server/client"
	"rollcall/store"
	"rollcall/store/presence"
)

// draining are the flags of drain.
type draining struct {
	message                  string
	end, wait                time.Duration
	untilClear, open, status bool
	ignoreUnidentified       bool
	asJSON                   bool
}

func newDrain() *cobra.Command {
	var server serverFlags
	var d draining
	cmd := &cobra.Command{
		Use:   "drain",
		Short: "Keep new logins out, and wait until everybody has left",
		Args:  arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := d.check(); err != nil {
				return err
			}
			asked, err := server.client()
			if err != nil {
				return err
			}
			defer asked.Close()
			return server.explain(d.run(cmd, asked))
		},
	}
	flags := cmd.Flags()
	server.register(flags, "admin")
	flags.StringVar(&d.message, "message", "", "what people are told, those who are kept out and those inside")
	flags.DurationVar(&d.end, "end-sessions-in", 0, "end all sessions after this time, such as 10m; without it, none")
	flags.BoolVar(&d.untilClear, "until-clear", false, "wait until nobody is online (not counting the panel, and the role admin)")
	flags.BoolVar(&d.ignoreUnidentified, "ignore-unidentified", false, "do not wait for who may be at work and is on no record")
	flags.DurationVar(&d.wait, "wait", 0, "wait no longer than this, such as 20m; then the answer is no")
	flags.BoolVar(&d.open, "open", false, "let people log in again")
	flags.BoolVar(&d.status, "status", false, "show whether new logins are kept out")
	flags.BoolVar(&d.asJSON, "json", false, "print JSON")
	return cmd
}

func (d draining) check() error {
	switch {
	case d.open && d.status || (d.open || d.status) && (d.message != "" || d.untilClear || d.end != 0):
		return usagef("drain: --open and --status stand alone")
	case !d.open && !d.status && d.message == "":
		return usagef("drain: --message is missing (or --open, or --status)")
	case d.end < 0 || d.wait < 0:
		return usagef("drain: a time must be positive")
	case (d.wait != 0 || d.ignoreUnidentified) && !d.untilClear:
		return usagef("drain: --wait and --ignore-unidentified go with --until-clear")
	}
	return nil
}

func (d draining) run(cmd *cobra.Command, asked *client.Client) (err error) {
	var now api.Drain
	switch {
	case d.open:
		now, err = asked.EndDrain(cmd.Context())
	case d.status:
		now, err = asked.Drain(cmd.Context())
	default:
		now, err = d.begin(cmd, asked)
	}
	if err != nil {
		return err
	}
	if d.asJSON {
		return writeJSON(out(cmd), now)
	}
	return printDrain(out(cmd), now)
}

var errDrainEnded = errors.New("the drain was ended by somebody else: people can log in")

// begin keeps new logins out, and waits if it is to. A failure that may leave them out says so.
func (d draining) begin(cmd *cobra.Command, asked *client.Client) (api.Drain, error) {
	var sent atomic.Bool
	ctx := httptrace.WithClientTrace(cmd.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	now, err := asked.BeginDrain(ctx, api.DrainInput{Message: d.message, EndSessionsInMS: milliseconds(d.end)})
	if err != nil {
		refused, answered := errors.AsType[*client.Error](err)
		if sent.Load() && !(answered && refused.Status < 500) {
			err = fmt.Errorf("%w; logins may be refused until rollcall drain --open", err)
		}
		return now, err
	}
	if d.untilClear {
		now, err = d.await(cmd, asked)
	}
	if err != nil && !errors.Is(err, errDrainEnded) {
		err = fmt.Errorf("%w; logins are refused until rollcall drain --open", err)
	}
	return now, err
}

// await waits until nobody is there. A drain that was ended meanwhile is a no, whoever is there.
func (d draining) await(cmd *cobra.Command, asked *client.Client) (now api.Drain, err error) {
	err = waitUntil(cmd, asked, d.wait, func(ctx context.Context) (_ bool, line string, err error) {
		now, err = asked.Drain(ctx)
		hidden := now.StillThere
		if !d.ignoreUnidentified {
			hidden += now.Unidentified
		}
		if err != nil || !now.Draining || now.Online+hidden == 0 {
			return err == nil, "", err
		}
		line, err = whoIsLeft(ctx, asked, now)
		return false, line, err
	})
	if err == nil && !now.Draining {
		err = errDrainEnded
	}
	return now, err
}

func printDrain(w io.Writer, d api.Drain) error {
	if !d.Draining {
		_, err := fmt.Fprintf(w, "Open: people can log in. %s online.\n", headcount(d.Online))
		return err
	}
	lines := []string{"Draining: " + printable(d.Message), "  since      " + since(*d.StartedAt, d.Timestamp) + " by " + printable(actorWords(d.StartedBy))}
	switch {
	case d.SessionsEndedAt != nil:
		lines = append(lines, "  sessions   ended "+since(*d.SessionsEndedAt, d.Timestamp))
	case d.EndSessionsAt != nil:
		lines = append(lines, "  sessions   end "+since(*d.EndSessionsAt, d.Timestamp))
	}
	lines = append(lines, "  still here "+headcount(d.Online))
	if d.StillThere > 0 {
		lines = append(lines, "             "+headcount(d.StillThere)+" after the end of their session")
	}
	if d.Unidentified > 0 {
		lines = append(lines, fmt.Sprint("             ", d.Unidentified, " unidentified: rollcall gate says why"))
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// whoIsLeft tells whom it waits for.
func whoIsLeft(ctx context.Context, asked *client.Client, now api.Drain) (string, error) {
	page, err := asked.Online(ctx, client.OnlineFilter{Limit: maxNamed + 1, Sort: "name"})
	if err != nil {
		return "", err
	}
	var names []string
	for _, user := range page.Users {
		if !store.Exempt(user.Role) && len(names) < maxNamed {
			names = append(names, printable(cmp.Or(user.Name, user.ID)))
		}
	}
	line := fmt.Sprintf("Waiting for %s: %s", headcount(now.Online), strings.Join(names, ", "))
	switch {
	case now.Online == 0 && now.StillThere == 0:
		line = fmt.Sprint("Waiting for ", now.Unidentified, " unidentified: rollcall gate says why")
	case now.Online == 0:
		line = "Waiting for " + headcount(now.StillThere) + " after the end of their session"
	}
	if now.Online > len(names) && len(names) > 0 {
		line += ", ..."
	}
	return line, nil
}

// actorWords says user:rollcall:root, key:7:crm and cli as a person would, and as the panel does.
func actorWords(actor string) string {
	kind, id, _ := strings.Cut(actor, ":")
	switch kind {
	case "user":
		return strings.TrimPrefix(id, presence.PanelApp+":")
	case "key":
		_, app, _ := strings.Cut(id, ":")
		return "the key of " + app
	case "cli":
		return "the command line"
	}
	return actor
}
