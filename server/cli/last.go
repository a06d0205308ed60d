package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"rollcall/server/api"
	"rollcall/server/client"
)

const (
	lastShown = 20
	lastPage  = 1000 // sessions that one answer may have
)

func newLast() *cobra.Command {
	var server serverFlags
	var filter client.SessionFilter
	var most int
	var at string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "last",
		Short: "Show who was logged in, the latest first",
		Long: "Shows who was logged in, the latest first. With --at, who was on then, as far as is known:\n" +
			"a session keeps only its last activity, so somebody who was heard of later may have been silent just then.",
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if most < 0 {
				return usagef("last: --number must not be negative")
			}
			if filter.At, err = parseMoment(at, time.Now()); err != nil {
				return err
			}
			asked, err := server.client()
			if err != nil {
				return err
			}
			defer asked.Close()
			page, err := latest(cmd.Context(), asked, filter, most)
			switch {
			case err != nil:
				return server.explain(err)
			case asJSON:
				return writeJSON(out(cmd), page.Sessions)
			}
			return printLast(out(cmd), page, filter.At)
		},
	}
	flags := cmd.Flags()
	server.register(flags, "read")
	flags.IntVarP(&most, "number", "n", lastShown, "how many sessions (0: all that are kept)")
	flags.StringVar(&filter.User, "user", "", "only of the user with this id")
	flags.StringVar(&filter.Directory, "directory", "", directoryUsage)
	flags.StringVar(&filter.App, "app", "", "only in this application")
	flags.StringVar(&filter.Organization, "organization", "", "only of this organization")
	flags.StringVar(&at, "at", "", "only who was on at this time, such as 14:32 or 2026-03-02T14:32:00Z")
	flags.BoolVar(&asJSON, "json", false, "print the sessions as JSON")
	return cmd
}

// parseMoment reads a time of today, or of yesterday where that is still to come, or a whole date
// and time; nil for none.
func parseMoment(text string, now time.Time) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	if clock, err := time.Parse("15:04", text); err == nil {
		at := time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), 0, 0, now.Location())
		if at.After(now) {
			at = at.AddDate(0, 0, -1)
		}
		return &at, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04"} {
		if at, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return &at, nil
		}
	}
	return nil, usagef("last: --at must be a time such as 14:32 or 2026-03-02T14:32:00Z, not %q", text)
}

// latest reads the latest sessions, page by page; all for 0.
func latest(ctx context.Context, asked *client.Client, filter client.SessionFilter, most int) (all api.Sessions, err error) {
	filter.State, filter.Sort = "all", "created"
	all.Sessions = []api.ListedSession{} // [] rather than null
	for {
		filter.Limit = lastPage
		if most > 0 {
			filter.Limit = min(most-len(all.Sessions), lastPage)
		}
		page, err := asked.Sessions(ctx, filter)
		if err != nil {
			return all, err
		}
		all.Sessions, all.Timestamp = append(all.Sessions, page.Sessions...), page.Timestamp
		if page.NextCursor == "" || page.NextCursor == filter.Cursor || len(all.Sessions) == most {
			return all, nil
		}
		filter.Cursor = page.NextCursor
	}
}

const untilColumn = 4

// printLast looks like last(1): a line for each session.
func printLast(w io.Writer, page api.Sessions, at *time.Time) error {
	if len(page.Sessions) == 0 {
		words := "No session is kept."
		if at != nil {
			words = "No known sessions at " + at.Local().Format("Jan _2 15:04") + "."
		}
		_, err := fmt.Fprintln(w, words)
		return err
	}
	rows := table{header: []string{"NAME", "APP", "FROM", "LOGIN", "LOGOUT", "TIME"}, fit: columns(w), keep: 3}
	called := namesOf(page.Sessions, func(s api.ListedSession) (string, string) { return cmp.Or(s.User.Name, s.User.ID), s.User.Directory })
	for i, session := range page.Sessions {
		began, end, over := session.SessionStartedAt.Time, session.ExpiresAt.Time, true
		switch {
		case session.EndedAt != nil:
			end = session.EndedAt.Time
		case session.State != "expired":
			end, over = page.Timestamp.Time, false
		}
		rows.add(called[i], session.App, cmp.Or(session.Location, session.IPAddress), began.Local().Format("Jan _2 15:04"),
			logout(began, end, over), length(end.Sub(began)))
	}
	if !colourful(w) {
		return rows.print(w, nil)
	}
	return rows.print(w, func(column int, cell string) string {
		if column == untilColumn && cell == stillThere {
			return "\x1b[32m" + cell + "\x1b[0m"
		}
		return cell
	})
}

const stillThere = "still logged in"

// logout is when a session ended, without the date where that is the one on which it began.
func logout(began, end time.Time, over bool) string {
	if !over {
		return stillThere
	}
	began, end = began.Local(), end.Local()
	if began.YearDay() == end.YearDay() && began.Year() == end.Year() {
		return end.Format("15:04")
	}
	return end.Format("Jan _2 15:04")
}

// length is how long a session lasted, in the two units that matter.
func length(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	}
}
