package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"rollcall/server/api"
	"rollcall/server/client"
)

// serverFlags are the settings of a command that asks a running server.
type serverFlags struct {
	url string
	key secretFlag
}

func (r *serverFlags) register(flags *pflag.FlagSet, scope string) {
	flags.StringVar(&r.url, "url", "http://"+defaultListen, "address of the server")
	r.key.register(flags, "key", "key with the scope "+scope+" (better in the variable or a file: other users can see flags)")
}

func (r *serverFlags) client(opts ...client.Option) (*client.Client, error) {
	key, err := r.key.read()
	if err != nil {
		return nil, err
	}
	return client.New(r.url, key, append(opts, client.WithUserAgent("rollcall/"+version()))...), nil
}

// explain says what to do about a refusal.
func (r *serverFlags) explain(err error) error {
	failure, ok := errors.AsType[*client.Error](err)
	switch {
	case !ok:
		return err
	case failure.Status == http.StatusUnauthorized && r.key.value == "" && r.key.file == "":
		return errors.New("the server wants a key: give one by --key-file, ROLLCALL_KEY or ROLLCALL_KEY_FILE (rollcall key create makes it)")
	case failure.Status == http.StatusUnauthorized:
		return fmt.Errorf("the server does not know this key: %w", err)
	case failure.Status == http.StatusForbidden:
		return fmt.Errorf("the key may not do this: %w", err)
	}
	return err
}

func newWho() *cobra.Command {
	var server serverFlags
	var filter client.OnlineFilter
	var asJSON, watching bool
	cmd := &cobra.Command{
		Use:   "who",
		Short: "Show who is online",
		Long: `Show who is online.

--watch shows it anew whenever somebody comes, goes or changes, until Ctrl-C. With --json
it prints a line each time, for programs: an object with the whole list in "users", "count"
and "counts", as the API names them. It begins with the list as it is now.

  rollcall who --watch --json | jq --unbuffered -r '"\(.count) online: \([.users[].name] | join(", "))"'`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			asked, err := server.client()
			if err != nil {
				return err
			}
			defer asked.Close()
			if watching {
				return server.explain(watchWho(cmd, asked, filter, asJSON))
			}
			page, err := asked.OnlineAll(cmd.Context(), filter)
			if err != nil {
				return server.explain(err)
			}
			if asJSON {
				return printJSON(out(cmd), page.Users)
			}
			return printWho(out(cmd), page)
		},
	}
	flags := cmd.Flags()
	server.register(flags, "read")
	flags.StringVar(&filter.App, "app", "", "only who is in this application")
	flags.StringVar(&filter.Organization, "organization", "", "only this organization")
	flags.StringVar(&filter.Q, "q", "", "only whose name, email, ... holds this text")
	flags.BoolVar(&watching, "watch", false, "go on showing it, until Ctrl-C")
	flags.BoolVar(&asJSON, "json", false, "print the entries as JSON; with --watch, the whole list in a line")
	return cmd
}

const statusColumn = 1

// printWho looks like who(1): a line for each person.
func printWho(w io.Writer, page api.Online) error {
	if len(page.Users) == 0 {
		_, err := fmt.Fprintln(w, "Nobody is online.")
		return err
	}
	rows := whoTable(page, columns(w))
	if !colourful(w) {
		return rows.print(w, nil)
	}
	return rows.print(w, func(column int, cell string) string {
		if column != statusColumn {
			return cell
		}
		return colour(cell)
	})
}

// whoTable leaves out where people are and what they use unless that is known, and there is room.
func whoTable(page api.Online, fit int) table {
	rows := table{header: []string{"NAME", "STATUS", "APP", "ORGANIZATION", "SINCE", "LAST", "PAGE"}, fit: fit}
	var further []func(api.Person) string
	for _, column := range []struct {
		head string
		from int // columns of the terminal
		cell func(api.Person) string
	}{
		{"PLACE", 100, func(user api.Person) string { return user.Location }},
		{"DEVICE", 120, func(user api.Person) string { return user.Device.String() }},
	} {
		known := func(user api.Person) bool { return column.cell(user) != "" }
		if fit >= column.from && slices.ContainsFunc(page.Users, known) {
			rows.header, further = append(rows.header, column.head), append(further, column.cell)
		}
	}
	called := namesOf(page.Users, func(u api.Person) (string, string) { return cmp.Or(u.Name, u.ID), u.Directory })
	for i, user := range page.Users {
		cells := []string{called[i], statusCell(user.ShownStatus), strings.Join(user.Apps, ","), user.OrganizationName,
			since(user.SessionStartedAt, page.Timestamp), ago(user.LastActivityAt, page.Timestamp), user.Page}
		for _, cell := range further {
			cells = append(cells, cell(user))
		}
		rows.add(cells...)
	}
	return rows
}

// namesOf are what the people of a list are called: with the directory where two of different ones have the same name.
func namesOf[P any](people []P, of func(P) (name, directory string)) []string {
	directories := map[string]string{}
	alike := map[string]bool{}
	for _, p := range people {
		name, directory := of(p)
		if before, known := directories[name]; known && before != directory {
			alike[name] = true
		}
		directories[name] = directory
	}
	names := make([]string, len(people))
	for i, p := range people {
		name, directory := of(p)
		if names[i] = name; alike[name] {
			names[i] += " (" + directory + ")"
		}
	}
	return names
}

// statusCell is a status with what the person says about it.
func statusCell(s api.ShownStatus) string {
	if s.StatusText == "" {
		return string(s.Status)
	}
	return string(s.Status) + ": " + s.StatusText
}

func colour(cell string) string {
	codes := map[string]string{"available": "32", "busy": "31", "away": "33"}
	status, _, _ := strings.Cut(cell, ":")
	code, ok := codes[status]
	if !ok {
		return cell
	}
	return "\x1b[" + code + "m" + cell + "\x1b[0m"
}

// columns is the width of the terminal, and the classic one where the output goes elsewhere.
func columns(w io.Writer) int {
	if file, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// since is the time of a login today, else its date, as the person at this terminal counts them.
func since(t, answered api.Time) string {
	at, now := t.Local(), answered.Local()
	if at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04")
	}
	return at.Format("Jan _2")
}

// ago is how long before the server's now somebody was last active.
func ago(at, now api.Time) string {
	switch age := now.Sub(at.Time); {
	case age < time.Second:
		return "now"
	case age < time.Minute:
		return fmt.Sprintf("%ds", age/time.Second)
	case age < time.Hour:
		return fmt.Sprintf("%dm", age/time.Minute)
	default:
		return fmt.Sprintf("%dh", age/time.Hour)
	}
}

func printJSON(w io.Writer, entries []api.Person) error {
	if entries == nil {
		entries = []api.Person{} // [] rather than null
	}
	return writeJSON(w, entries)
}

func writeJSON(w io.Writer, answer any) error {
	raw, err := json.MarshalIndent(answer, "", "  ")
	return writeEncoded(w, raw, err)
}

// writeLine is writeJSON for programs that read line by line.
func writeLine(w io.Writer, answer any) error {
	raw, err := json.Marshal(answer)
	return writeEncoded(w, raw, err)
}

func writeEncoded(w io.Writer, raw []byte, err error) error {
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	_, err = fmt.Fprintln(w, escapeControls(string(raw)))
	return err
}

// escapeControls writes as \u what encoding/json leaves as it is but a terminal would obey. Such
// characters only occur inside strings; the line breaks are the indentation's.
func escapeControls(text string) string {
	var escaped strings.Builder
	for _, r := range text {
		if r == '\n' || !unicode.In(r, unicode.Cc, unicode.Cf) {
			escaped.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&escaped, `\u%04x`, unit)
		}
	}
	return escaped.String()
}
