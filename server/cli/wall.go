package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/server/api"
	"rollcall/server/client"
)

func newWall() *cobra.Command {
	var server serverFlags
	var in api.NoticeInput
	var until string
	var lasts time.Duration
	var list, asJSON bool
	var withdraw string
	cmd := &cobra.Command{
		Use:   `wall "TEXT"`,
		Short: "Announce something to everybody who is online",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkWall(args, list, withdraw); err != nil {
				return err
			}
			end, err := endOf(time.Now(), until, lasts)
			if err != nil {
				return err
			}
			in.Until, in.ForMS = api.AtOptional(end), milliseconds(lasts)
			asked, err := server.client()
			if err != nil {
				return err
			}
			defer asked.Close()
			switch {
			case list:
				err = listNotices(cmd, asked, asJSON)
			case withdraw != "":
				err = withdrawNotice(cmd, asked, withdraw, asJSON)
			default:
				in.Message = args[0]
				err = postNotice(cmd, asked, in, asJSON)
			}
			return server.explain(err)
		},
	}
	flags := cmd.Flags()
	server.register(flags, "admin")
	flags.StringVar(&in.App, "app", "", "only to people in this application")
	flags.StringVar(&in.Organization, "organization", "", "only to people of this organization")
	flags.StringVar((*string)(&in.Level), "level", "info", "how much it matters: info, warning or critical")
	flags.StringVar(&until, "until", "", "when it ends by itself, such as 18:00, of this machine's zone, or 2026-03-02T18:00:00Z")
	flags.DurationVar(&lasts, "for", 0, "how long it is shown, such as 30m")
	flags.BoolVar(&list, "list", false, "show what is announced, and how many have seen it")
	flags.StringVar(&withdraw, "withdraw", "", "take back the notice with this `ID`")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func checkWall(args []string, list bool, withdraw string) error {
	wants := 1
	if list || withdraw != "" {
		wants = 0
	}
	switch {
	case list && withdraw != "":
		return usagef("wall: either --list or --withdraw")
	case len(args) < wants || wants == 1 && args[0] == "":
		return usagef("wall: TEXT is missing (see rollcall wall --help)")
	case len(args) > wants:
		return usagef("wall: unexpected argument %q; a text of several words needs quotes", args[wants])
	}
	return nil
}

// justOver is for how long a time of day is rather over than meant for tomorrow.
const justOver = time.Hour

// endOf reads a time of day, of which the next is meant, or a full time.
func endOf(now time.Time, until string, lasts time.Duration) (*time.Time, error) {
	switch {
	case until != "" && lasts != 0:
		return nil, usagef("either --until or --for")
	case lasts < 0:
		return nil, usagef("--for must be positive")
	case until == "":
		return nil, nil
	}
	if at, err := time.Parse(time.RFC3339, until); err == nil {
		return &at, nil
	}
	clock, err := time.Parse("15:04", until)
	if err != nil {
		return nil, usagef("invalid value %q for --until: it must be like 18:00 or 2026-03-02T18:00:00Z", until)
	}
	at := time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), 0, 0, now.Location())
	if !at.After(now) {
		tomorrow := at.AddDate(0, 0, 1)
		if now.Sub(at) < justOver {
			return nil, usagef("--until %s is over: here it is %s; if you mean tomorrow, give --until %s", until, now.Format("15:04 MST"), tomorrow.Format(time.RFC3339))
		}
		at = tomorrow
	}
	return &at, nil
}

// untilWords says when something ends, in the zone of this machine, and how long that is.
func untilWords(now, at time.Time) string {
	at = at.In(now.Location())
	day := ""
	switch midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location()); {
	case !at.Before(midnight.AddDate(0, 0, 2)):
		day = at.Format("2 January ")
	case !at.Before(midnight.AddDate(0, 0, 1)):
		day = "tomorrow "
	}
	return "until " + day + at.Format("15:04 MST") + ", in " + strings.TrimSuffix(at.Sub(now).Round(time.Minute).String(), "0s")
}

// milliseconds is a time that was given, nil for none.
func milliseconds(d time.Duration) *int64 {
	if d == 0 {
		return nil
	}
	return new(d.Milliseconds())
}

func postNotice(cmd *cobra.Command, asked *client.Client, in api.NoticeInput, asJSON bool) error {
	n, err := asked.PostNotice(cmd.Context(), in)
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(out(cmd), n)
	}
	of := 0
	if n.Of != nil {
		of = *n.Of
	}
	end := ""
	if n.Until != nil {
		end = ", " + untilWords(time.Now(), n.Until.Time)
	}
	say(cmd, "Announced to %s online%s; the id is for --withdraw.", headcount(of), end)
	_, err = fmt.Fprintln(out(cmd), n.ID)
	return err
}

func withdrawNotice(cmd *cobra.Command, asked *client.Client, id string, asJSON bool) error {
	if err := asked.WithdrawNotice(cmd.Context(), id); err != nil || !asJSON {
		return err
	}
	return writeJSON(out(cmd), map[string]string{"withdrawn": id})
}

func headcount(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprint(n, " people")
}

func listNotices(cmd *cobra.Command, asked *client.Client, asJSON bool) error {
	all, err := asked.Notices(cmd.Context())
	switch {
	case err != nil:
		return err
	case asJSON:
		return writeJSON(out(cmd), append([]api.Notice{}, all...)) // [] rather than null
	}
	return printNotices(out(cmd), all, api.At(time.Now()))
}

func printNotices(w io.Writer, all []api.Notice, now api.Time) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "Nothing is announced.")
		return err
	}
	rows := table{header: []string{"ID", "STATE", "LEVEL", "TO", "SINCE", "SEEN", "MESSAGE"}, fit: columns(w), whole: 1}
	for _, n := range all {
		seen := fmt.Sprint(n.Seen)
		if n.Of != nil {
			seen += fmt.Sprint(" of ", *n.Of)
		}
		rows.add(n.ID, n.State, string(n.Level), audienceOf(n), since(n.CreatedAt, now), seen, n.Message)
	}
	return rows.print(w, nil)
}

func audienceOf(n api.Notice) string {
	if n.App != "" && n.Organization != "" {
		return n.App + ", " + n.Organization
	}
	return cmp.Or(n.App, n.Organization, "all")
}
