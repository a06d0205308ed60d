package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rollcall/server/client"
)

// errStillThere is a no, not a failure of the command.
var errStillThere = errors.New("people are still there")

// lookAgain is how long nobody is asked while the feed says nothing: what it can not
// tell, such as a role that changed, is noticed then.
const lookAgain = 15 * time.Second

// askRest is between two questions, however much the feed tells.
const askRest = 300 * time.Millisecond

// maxNamed is how many people are named; of more only the number matters.
const maxNamed = 20

// A question is asked until its answer is yes. Until then the answer says, in a
// line, whom it waits for.
type question func(context.Context) (yes bool, waitsFor string, err error)

// waitUntil asks whenever the live feed tells of somebody. It returns errStillThere
// once the limit is over, unless that is 0, and otherwise why it could not ask. A server
// that has answered once may restart: it is asked until it answers again.
func waitUntil(cmd *cobra.Command, asked *client.Client, limit time.Duration, ask question) error {
	ctx := cmd.Context()
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	said := ""
	for {
		yes, line, err := ask(ctx)
		if err == nil && yes {
			return nil
		}
		lost := err != nil && said != "" && passing(err)
		if lost {
			line = "Still trying: " + printable(err.Error())
		}
		if (err == nil || lost) && line != said && ctx.Err() == nil {
			said = line
			say(cmd, "%s", truncate(line, columns(cmd.ErrOrStderr())))
		}
		switch {
		case lost:
			err = pause(ctx, time.Second)
		case err == nil:
			err = awaitNews(ctx, asked, ask)
		}
		if ctx.Err() != nil && cmd.Context().Err() == nil {
			return fmt.Errorf("%w after %s", errStillThere, limit)
		}
		if err != nil {
			return err
		}
	}
}

// awaitNews waits until the feed tells of somebody. Where there is no feed it waits
// for a moment: a server that restarts comes back.
func awaitNews(ctx context.Context, asked *client.Client, ask question) error {
	look, cancel := context.WithTimeout(ctx, lookAgain)
	defer cancel()
	feed, err := asked.Live(look, nil)
	if err != nil {
		if !passing(err) {
			return err
		}
		return pause(ctx, time.Second)
	}
	defer feed.Close()
	if yes, _, err := ask(look); err == nil && yes { // who left before the feed began
		return nil
	}
	for {
		event, err := feed.Next(look)
		if err != nil || event.Type != "hello" {
			return pause(ctx, askRest)
		}
	}
}

// passing tells a server that is away from one that refuses, which it would do again.
func passing(err error) bool {
	refused, ok := errors.AsType[*client.Error](err)
	return !ok || refused.Status < 400 || refused.Status >= 500
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
