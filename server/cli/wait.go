package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"rollcall/server/api"
	"rollcall/server/client"
)

// What is no failure of a command that waits: the answer is no, or nobody wants to
// know it any more.
var (
	errStillThere = errors.New("people are still there")
	errStopped    = errors.New("stopped waiting")
)

// lookAgain is how long nobody is asked while the feed says nothing: what it can not
// tell, such as a role that changed, is noticed then.
const lookAgain = 15 * time.Second

// askAgain is how long to wait where there is no feed, or no server.
const askAgain = time.Second

// askRest is between two questions, however much the feed tells.
const askRest = 300 * time.Millisecond

// maxNamed is how many people are named; of more only the number matters.
const maxNamed = 20

// A question is asked until its answer is yes. Until then the answer says, in a
// line, whom it waits for.
type question func(context.Context) (yes bool, waitsFor string, err error)

// waitUntil asks whenever the live feed tells of something. It returns errStillThere
// once the limit is over, unless that is 0, errStopped after Ctrl-C, and otherwise why it
// could not ask. A server that has answered once may restart: it is asked until it
// answers again.
func waitUntil(cmd *cobra.Command, asked *client.Client, limit time.Duration, ask question) error {
	ctx := cmd.Context()
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	said, since := "", ""
	var lost error // why the last question had no answer
	for {
		yes, line, err := ask(ctx)
		switch {
		case err == nil && yes:
			return nil
		case cmd.Context().Err() != nil:
			return errStopped
		case ctx.Err() != nil && said != "" && lost == nil:
			return fmt.Errorf("%w after %s", errStillThere, limit)
		case ctx.Err() != nil:
			return fmt.Errorf("no answer after %s: %w", limit, cmp.Or(lost, err))
		case err != nil && (said == "" || !passing(err)):
			return err
		case err != nil:
			line = "Still trying: " + printable(err.Error())
		}
		if lost = err; line != said {
			said = line
			say(cmd, "%s", truncate(line, columns(cmd.ErrOrStderr())))
		}
		if lost != nil {
			pause(ctx, askAgain)
		} else {
			since = awaitNews(ctx, asked, since)
		}
	}
}

// passing tells a server that is away or busy, or a proxy that speaks for it, from one that
// refuses and would do so again.
func passing(err error) bool {
	refused, ok := errors.AsType[*client.Error](err)
	return !ok || refused.Code == "" || refused.Status >= 500 || refused.Status == http.StatusTooManyRequests
}

// awaitNews waits until the feed tells of something since a cursor, and returns the one
// behind what came together. Of a cursor from elsewhere, or none, nobody knows what it
// has missed, which is news at once. Where there is no feed it waits for a moment.
func awaitNews(ctx context.Context, asked *client.Client, since string) string {
	look, cancel := context.WithTimeout(ctx, lookAgain)
	defer cancel()
	feed, err := asked.Live(look, &since)
	if err != nil {
		pause(ctx, askAgain)
		return since
	}
	defer feed.Close()
	event := api.Event{Type: "hello"}
	for err == nil && event.Type == "hello" {
		event, err = feed.Next(look)
		since = cmp.Or(event.Cursor, since)
	}
	rest, cancel := context.WithTimeout(ctx, askRest)
	defer cancel()
	for err == nil {
		event, err = feed.Next(rest)
		since = cmp.Or(event.Cursor, since)
	}
	<-rest.Done()
	return since
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
