package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rollcall/server/client"
)

// clearScreen also puts the cursor at its top.
const clearScreen = "\x1b[2J\x1b[H"

// watchWho shows who is online until it is told to stop, anew whenever somebody comes,
// goes or changes. What it can not renew it leaves on the screen, and says so.
func watchWho(cmd *cobra.Command, asked *client.Client, filter client.OnlineFilter) error {
	screen, ok := out(cmd).(*os.File)
	if !ok || !isTerminal(screen) {
		return usagef("who: --watch needs a terminal; for programs there is --json")
	}
	ctx, last := cmd.Context(), time.Time{}
	for ctx.Err() == nil {
		filter.Limit = peopleThatFit(screen)
		page, err := asked.Online(ctx, filter)
		if err == nil {
			last, err = page.Timestamp, drawWho(screen, page)
		}
		if err == nil {
			err = awaitNews(ctx, asked, func(context.Context) (bool, string, error) { return false, "", nil })
		}
		var refused *client.Error
		switch {
		case err == nil || ctx.Err() != nil:
		case last.IsZero() || errors.As(err, &refused) && refused.Status < 500:
			return err
		default:
			fmt.Fprintf(screen, "\r\x1b[KNot updated since %s: %s", last.Local().Format(time.TimeOnly), printable(err.Error()))
			_ = pause(ctx, 2*time.Second)
		}
	}
	return nil
}

// peopleThatFit leaves room for what stands above and below them.
func peopleThatFit(screen *os.File) int {
	_, height, err := term.GetSize(int(screen.Fd()))
	if err != nil {
		height = 24
	}
	return min(max(height-4, 1), 1000)
}

func drawWho(w io.Writer, page client.OnlinePage) error {
	head := clearScreen
	if page.Count > 0 {
		head += fmt.Sprintf("%d online: %s\n", page.Count, gateCounts(page.Counts))
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
