package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/server/api"
	"rollcall/server/doctor"
)

// doctorCommand is what the command looks at.
type doctorCommand struct {
	server    serverFlags
	data      string
	dataGiven bool
	dataOnly  bool // nothing says which server is meant
}

func newDoctor() *cobra.Command {
	var d doctorCommand
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find what is wrong with how a server is set up, and say how to mend it",
		Long: `Finds what is wrong with how a server is set up, and says how to mend it.

It asks the server, by --url, what happened within the last hour: proxies that are not
trusted, pages that are not allowed, heartbeats without a session, heartbeats and reports
that were refused, pages that are never heard. With --data it looks at the disk of the
data folder on this machine, and reads all of the database to see whether it is damaged,
whether a server runs or not. With --data, but neither --url nor a key, no server is asked.

Each line is ok, a warning (which may be as it should be) or a problem. The exit code is
1 where there is a problem, and 0 otherwise, also with warnings.`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			given := cmd.Flags().Changed
			d.dataGiven = given("data")
			// A variable says where the folder of this machine is, not that nothing else is to be looked at.
			d.dataOnly = d.dataGiven && cmd.Flags().Lookup("data").Annotations[fromAnnotation] == nil && !given("url") && !given("key") && !given("key-file")
			findings, err := d.examine(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(out(cmd), examination{count(findings, api.FindingProblem) == 0, findings})
			} else {
				err = printFindings(out(cmd), findings)
			}
			return cmp.Or(err, verdict(findings))
		},
	}
	flags := cmd.Flags()
	d.server.register(flags, "admin")
	flags.StringVar(&d.data, "data", defaultData, "folder of the database, if that is on this machine")
	flags.BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return cmd
}

type examination struct {
	Success  bool          `json:"success"` // no problem
	Findings []api.Finding `json:"findings"`
}

// examine asks the server and looks at the data folder. Where the server told of its
// folder, only a folder that was named is looked at from here.
func (d *doctorCommand) examine(ctx context.Context) ([]api.Finding, error) {
	findings, told, err := d.ask(ctx)
	if err != nil {
		return nil, err
	}
	missing := hasDatabase(d.data)
	if !d.dataGiven && (told || missing != nil) {
		return findings, ctx.Err()
	}
	folder := absolute(d.data)
	for _, f := range append(doctor.DataChecks(folder), doctor.FileChecks(ctx, folder)...) {
		if told && f.Check == "log" { // the server knows for how long
			continue
		}
		findings = slices.DeleteFunc(findings, func(other api.Finding) bool { return other.Check == f.Check })
		findings = append(findings, f)
	}
	if d.dataOnly && missing != nil && count(findings, api.FindingProblem) == 0 {
		findings = append(findings, api.Problem("database", "There is no database in this folder",
			"Name the folder that the server was started with:", "rollcall doctor --data FOLDER"))
	}
	return findings, ctx.Err()
}

// ask looks at the way to the server and has it tell what it knows. Another server than that of the data may be at the
// default address, so that is asked only by somebody who means a server.
func (d *doctorCommand) ask(ctx context.Context) (findings []api.Finding, told bool, err error) {
	if d.dataOnly {
		return []api.Finding{api.Fine("server", "Was not asked; --url with its address and --key ask it too")}, false, nil
	}
	asked, err := d.server.client()
	if err != nil {
		return nil, false, err
	}
	defer asked.Close()
	if _, err := asked.Clock(ctx); err != nil { // and the next question finds the connection open
		return []api.Finding{d.unreachable(err)}, false, nil
	}
	findings = []api.Finding{api.Fine("server", "Answers at "+d.server.url), d.transport(ctx), clockFinding(ctx, asked)}
	known, err := asked.Doctor(ctx)
	if err != nil {
		return append(findings, d.refused(err)), false, nil
	}
	return append(append(findings, api.Fine("key", "May ask what the server knows")), known...), true, nil
}

// absolute is a folder as other programs, with other working directories, find it.
func absolute(folder string) string {
	path, err := filepath.Abs(folder)
	if err != nil {
		return folder
	}
	return path
}

func count(findings []api.Finding, state api.FindingState) (n int) {
	for _, f := range findings {
		if f.State == state {
			n++
		}
	}
	return n
}

func verdict(findings []api.Finding) error {
	switch n := count(findings, api.FindingProblem); n {
	case 0:
		return nil
	case 1:
		return errors.New("there is a problem")
	default:
		return fmt.Errorf("there are %d problems", n)
	}
}

const fixIndent = "         " // below the check

// printFindings gives each a line, and below it what to do. What is to be pasted is
// never broken.
func printFindings(w io.Writer, findings []api.Finding) error {
	lines, fit, paint := bufio.NewWriter(w), columns(w), colourful(w)
	for _, f := range findings {
		state := fmt.Sprintf("%-7s", printable(string(f.State)))
		line := truncate(fmt.Sprintf("%s  %-10s  %s", state, printable(f.Check), printable(f.Words)), fit)
		if code := map[api.FindingState]string{api.FindingOK: "32", api.FindingWarning: "33", api.FindingProblem: "31"}[f.State]; paint && code != "" {
			line = "\x1b[" + code + "m" + state + "\x1b[0m" + strings.TrimPrefix(line, state)
		}
		lines.WriteString(line + "\n")
		for _, part := range wrapped(printable(f.Fix), fit-len(fixIndent)) {
			lines.WriteString(fixIndent + part + "\n")
		}
		for _, part := range f.Paste {
			lines.WriteString(fixIndent + "  " + printable(part) + "\n")
		}
	}
	return lines.Flush()
}

// wrapped breaks text between words into lines of at most so many columns.
func wrapped(text string, columns int) (lines []string) {
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		if last < 0 || width(lines[last])+1+width(word) > columns {
			lines = append(lines, word)
			continue
		}
		lines[last] += " " + word
	}
	return lines
}
