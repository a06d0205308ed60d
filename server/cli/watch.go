package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rollcall/server/api"
	"rollcall/server/client"
)

// clearScreen also puts the cursor at its top.
const clearScreen = "\x1b[2J\x1b[H"

// watchWho goes on showing who is online, at a terminal or to a program.
func watchWho(cmd *cobra.Command, asked *client.Client, filter client.OnlineFilter, asJSON bool) error {
	if asJSON {
		return inLines(cmd, asked, filter).run(cmd.Context(), asked)
	}
	w, err := onScreen(cmd, asked, filter)
	if err != nil {
		return err
	}
	return w.run(cmd.Context(), asked)
}

// A watch goes on showing who is online. What it can not renew it leaves as it is, and
// says so.
type watch struct {
	read  func(context.Context) (api.Online, error)
	show  func(api.Online) error
	doubt func(words string)
}

// run shows the list until it is told to stop, anew whenever somebody comes, goes or
// changes.
func (w watch) run(ctx context.Context, asked *client.Client) error {
	var last time.Time
	for ctx.Err() == nil {
		page, err := w.read(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && (last.IsZero() || !passing(err)):
			return err
		case err != nil:
			w.doubt(fmt.Sprintf("Not updated since %s: %s", last.Local().Format(time.TimeOnly), printable(err.Error())))
			pause(ctx, askAgain)
			continue
		}
		last = page.Timestamp.Time
		if err := w.show(page); err != nil {
			return err
		}
		awaitNews(ctx, asked, page.Cursor)
	}
	return nil
}

// onScreen watches as many people as fit on it.
func onScreen(cmd *cobra.Command, asked *client.Client, filter client.OnlineFilter) (watch, error) {
	screen, ok := out(cmd).(*os.File)
	if !ok || !isTerminal(screen) {
		return watch{}, usagef("who: --watch needs a terminal; for programs there is --json")
	}
	return watch{
		read: func(ctx context.Context) (api.Online, error) {
			filter.Limit = peopleThatFit(screen)
			return asked.Online(ctx, filter)
		},
		show:  func(page api.Online) error { return drawWho(screen, page) },
		doubt: func(words string) { fmt.Fprint(screen, "\r\x1b[K"+truncate(words, columns(screen)-1)) },
	}, nil
}

// inLines watches everybody for a program: a line of JSON each time that it is news.
func inLines(cmd *cobra.Command, asked *client.Client, filter client.OnlineFilter) watch {
	shown, doubted := "", ""
	return watch{
		read: func(ctx context.Context) (api.Online, error) { return asked.OnlineAll(ctx, filter) },
		show: func(page api.Online) error {
			doubted = ""
			looks, err := newsOf(page)
			if err != nil || looks == shown {
				return err
			}
			shown = looks
			return writeLine(out(cmd), page)
		},
		doubt: func(words string) {
			if words != doubted {
				doubted = words
				say(cmd, "%s", words)
			}
		},
	}
}

// newsOf is what of a list is news when it changes. That somebody is still there is not.
func newsOf(page api.Online) (string, error) {
	users := slices.Clone(page.Users)
	for i := range users {
		user := &users[i]
		user.LastActivityAt, user.SessionDurationMinutes = api.Time{}, 0
		user.Sessions = slices.Clone(user.Sessions)
		for j := range user.Sessions {
			user.Sessions[j].LastActivityAt, user.Sessions[j].ExpiresAt = api.Time{}, api.Time{}
		}
		slices.SortFunc(user.Sessions, func(a, b api.OnlineSession) int { return cmp.Compare(a.ID, b.ID) })
	}
	slices.SortFunc(users, func(a, b api.Person) int { return cmp.Compare(a.ID, b.ID) }) // the latest active come first in the list
	raw, err := json.Marshal(users)
	return string(raw), err
}

// peopleThatFit leaves room for what stands above and below them.
func peopleThatFit(screen *os.File) int {
	_, height, err := term.GetSize(int(screen.Fd()))
	if err != nil {
		height = 24
	}
	return min(max(height-4, 1), 1000)
}

func drawWho(w io.Writer, page api.Online) error {
	head := clearScreen
	if page.Count > 0 {
		head += fmt.Sprintf("%d online: %s\n", page.Count, page.Counts)
	}
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	if err := printWho(w, page); err != nil || page.Count <= len(page.Users) {
		return err
	}
	_, err := fmt.Fprintf(w, "and %d more\n", page.Count-len(page.Users))
	return err
}
