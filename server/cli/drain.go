package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/server/client"
)

// errStillThere is a no, not a failure of the command.
var errStillThere = errors.New("people are still there")

// draining are the flags of drain.
type draining struct {
	message                  string
	end, wait                time.Duration
	untilClear, open, status bool
	asJSON                   bool
}

func newDrain() *cobra.Command {
	var server remote
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
	case d.wait != 0 && !d.untilClear:
		return usagef("drain: --wait goes with --until-clear")
	}
	return nil
}

func (d draining) run(cmd *cobra.Command, asked *client.Client) (err error) {
	var now client.Drain
	switch {
	case d.open:
		now, err = asked.EndDrain(cmd.Context())
	case d.status:
		now, err = asked.Drain(cmd.Context())
	default:
		now, err = asked.BeginDrain(cmd.Context(), client.DrainInput{Message: d.message, EndSessionsInMS: d.end.Milliseconds()})
	}
	if err == nil && d.untilClear {
		now, err = d.waitUntilClear(cmd, asked)
	}
	if err != nil {
		return err
	}
	if d.asJSON {
		return writeJSON(out(cmd), now)
	}
	return printDrain(out(cmd), now)
}

func printDrain(w io.Writer, d client.Drain) error {
	if !d.Draining {
		_, err := fmt.Fprintf(w, "Open: people can log in. %s online.\n", headcount(d.Online))
		return err
	}
	lines := []string{"Draining: " + printable(d.Message), "  since      " + since(*d.StartedAt, d.Timestamp) + " by " + printable(d.StartedBy)}
	switch {
	case d.SessionsEndedAt != nil:
		lines = append(lines, "  sessions   ended "+since(*d.SessionsEndedAt, d.Timestamp))
	case d.EndSessionsAt != nil:
		lines = append(lines, "  sessions   end "+since(*d.EndSessionsAt, d.Timestamp))
	}
	lines = append(lines, "  still here "+headcount(d.Online))
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// waitUntilClear follows the live feed until nobody is online who counts. The feed
// says when to look; the server says who counts.
func (d draining) waitUntilClear(cmd *cobra.Command, asked *client.Client) (client.Drain, error) {
	ctx := cmd.Context()
	if d.wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.wait)
		defer cancel()
	}
	shown := ""
	for {
		now, err := asked.Drain(ctx)
		if err == nil && now.Online == 0 {
			return now, nil
		}
		if err == nil {
			shown, err = sayWhoIsLeft(cmd, ctx, asked, now, shown)
		}
		if err == nil {
			err = awaitNews(ctx, asked)
		}
		if ctx.Err() != nil && cmd.Context().Err() == nil {
			return now, fmt.Errorf("%w after %s", errStillThere, d.wait)
		}
		if err != nil {
			return now, err
		}
	}
}

// lookAgain is how long nobody is asked while the feed says nothing: what it can not
// tell, such as a role that changed, is noticed then.
const lookAgain = 15 * time.Second

// awaitNews waits until the feed tells of somebody. Where there is no feed it waits
// for a moment: a server that restarts comes back.
func awaitNews(ctx context.Context, asked *client.Client) error {
	look, cancel := context.WithTimeout(ctx, lookAgain)
	defer cancel()
	feed, err := asked.Live(look, nil)
	if err != nil {
		var refused *client.Error
		if errors.As(err, &refused) && refused.Status < 500 && refused.Status >= 400 {
			return err
		}
		return pause(ctx, time.Second)
	}
	defer feed.Close()
	if now, err := asked.Drain(look); err == nil && now.Online == 0 { // who left before the feed began
		return nil
	}
	for {
		event, err := feed.Next(look)
		if err != nil {
			return pause(ctx, 100*time.Millisecond)
		}
		if event.Type == "offline" || event.Type == "online" || event.Type == "reset" || event.Type == "session_ended" {
			return nil
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// sayWhoIsLeft tells whom it waits for, when that is somebody else than before.
func sayWhoIsLeft(cmd *cobra.Command, ctx context.Context, asked *client.Client, now client.Drain, before string) (string, error) {
	page, err := asked.Online(ctx, client.OnlineFilter{Limit: maxNamed + 1, Sort: "name"})
	if err != nil {
		return before, err
	}
	var names []string
	for _, user := range page.Users {
		if !strings.EqualFold(user.Role, "admin") && len(names) < maxNamed {
			names = append(names, printable(cmp.Or(user.Name, user.ID)))
		}
	}
	line := fmt.Sprintf("Waiting for %s: %s", headcount(now.Online), strings.Join(names, ", "))
	if now.Online > len(names) && len(names) > 0 {
		line += ", ..."
	}
	if line != before {
		say(cmd, "%s", truncate(line, columns(cmd.ErrOrStderr())))
	}
	return line, nil
}

// maxNamed is how many people are named; of more only the number matters.
const maxNamed = 20
