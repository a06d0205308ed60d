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

	"rollcall/server/api"
	"rollcall/server/client"
	"rollcall/store"
	"rollcall/store/presence"
)

// errHold is a no, not a failure of the command.
var errHold = errors.New("not now")

func newGate() *cobra.Command {
	var server serverFlags
	var ask client.GateQuestion
	var wait time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "gate",
		Short: "Tell whether it is safe to deploy, or wait until it is",
		Long: `Tell whether it is safe to deploy, by the exit code: 0 where it is, 1 where not.

Hold: somebody online is busy, or more than --max people are available. Caution: people
are online, but away, or no more than --max are available; or work on in a page whose
session has ended; or somebody may be at work who is on no record. Clear: nobody is online.`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if ask.Max < 0 || wait < 0 {
				return usagef("gate: --max and --wait must not be negative")
			}
			asked, err := server.client()
			if err != nil {
				return err
			}
			defer asked.Close()
			gate, err := askGate(cmd, asked, ask, wait)
			if gate.Level == "" || err != nil && !errors.Is(err, errStillThere) {
				return server.explain(err)
			}
			if asJSON {
				err = cmp.Or(writeJSON(out(cmd), gate), err)
			} else {
				err = cmp.Or(printGate(out(cmd), gate), err)
			}
			if err == nil && !gate.Success {
				err = errHold
			}
			return err
		},
	}
	flags := cmd.Flags()
	server.register(flags, "read")
	flags.StringVar(&ask.App, "app", "", "only people of this application count")
	flags.IntVar(&ask.Max, "max", 0, "how many available people may be disturbed")
	flags.BoolVar(&ask.AllowCaution, "allow-caution", false, "caution is enough")
	flags.StringVar(&ask.IgnoreRole, "ignore-role", "", "people of this role in the application do not count")
	flags.BoolVar(&ask.IgnoreUnidentified, "ignore-unidentified", false, "who may be at work and is on no record does not count")
	flags.DurationVar(&wait, "wait", 0, "wait until it is safe, but no longer than this, such as 20m")
	flags.BoolVar(&asJSON, "json", false, "print the answer as JSON")
	return cmd
}

// askGate returns the last answer, also with errStillThere.
func askGate(cmd *cobra.Command, asked *client.Client, ask client.GateQuestion, wait time.Duration) (gate api.Gate, err error) {
	if wait == 0 {
		return asked.Gate(cmd.Context(), ask)
	}
	err = waitUntil(cmd, asked, wait, func(ctx context.Context) (bool, string, error) {
		latest, err := asked.Gate(ctx, ask)
		if err != nil {
			return false, "", err
		}
		gate = latest
		if gate.NeverReported {
			return gate.Success, "Waiting: " + printable(gate.Text), nil
		}
		return gate.Success, "Waiting for " + waitsFor(gate), nil
	})
	return gate, err
}

// waitsFor names who is in the way.
func waitsFor(gate api.Gate) string {
	var names []string
	for _, person := range gate.Blocking[:min(len(gate.Blocking), maxNamed)] {
		names = append(names, printable(cmp.Or(person.Name, person.ID)))
	}
	for _, one := range gate.StillThere[:min(len(gate.StillThere), maxNamed-len(names))] {
		names = append(names, printable(cmp.Or(one.Name, one.ID)))
	}
	all := gate.Online + gate.Counts.StillThere + gate.Counts.Unidentified
	if unknown := gate.Counts.Unidentified; unknown > 0 && len(names) < maxNamed {
		names = append(names, fmt.Sprint(unknown, " unidentified"))
	}
	line := headcount(all) + ": " + strings.Join(names, ", ")
	if all > len(names) {
		line += ", ..."
	}
	return line
}

// printStillThere names who works on after the end of their session.
func printStillThere(w io.Writer, gate api.Gate) error {
	if len(gate.StillThere) == 0 {
		return nil
	}
	rows := table{header: []string{"STILL THERE", "APP", "SESSION ENDED", "LAST"}, fit: columns(w)}
	for _, one := range gate.StillThere {
		rows.add(cmp.Or(one.Name, one.ID), one.App, string(one.EndReason), ago(one.SeenAt, gate.Timestamp))
	}
	return rows.print(w, nil)
}

// printUnidentified says why somebody may be at work who is on no record.
func printUnidentified(w io.Writer, gate api.Gate) error {
	if len(gate.Unidentified) == 0 {
		return nil
	}
	rows := table{header: []string{"UNIDENTIFIED", "APP", "FROM", "LAST"}, fit: columns(w)}
	for _, one := range gate.Unidentified {
		why, from := "page with a token that nobody reported", one.Detail
		switch code, page, _ := strings.Cut(one.Detail, " "); one.Doubt {
		case store.RefusedReport:
			why, from = "login refused: "+code, page
		case store.RefusedHeartbeat:
			why, from = "heartbeat refused: "+code, page
		case store.DeletedUser:
			why = "user deleted who was there"
		case store.Unheard:
			why, from = "nothing could be recorded: who is there is not known yet", ""
			if one.Detail == string(presence.CauseStart) {
				why = "Rollcall has just started: who is there is not known yet"
			}
		}
		rows.add(why, one.App, from, ago(one.SeenAt, gate.Timestamp))
	}
	if err := rows.print(w, nil); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "What to do about it, rollcall doctor says; --ignore-unidentified passes over it.")
	return err
}

// printGate says the answer in a line, then who is in the way.
func printGate(w io.Writer, gate api.Gate) error {
	word := strings.ToUpper(string(gate.Level[:1])) + string(gate.Level[1:])
	if code := map[presence.GateLevel]string{presence.GateClear: "32", presence.GateCaution: "33", presence.GateHold: "31"}[gate.Level]; colourful(w) && code != "" {
		word = "\x1b[" + code + "m" + word + "\x1b[0m"
	}
	if _, err := fmt.Fprintf(w, "%s: %s.\n", word, printable(gate.Text)); err != nil {
		return err
	}
	if err := cmp.Or(printStillThere(w, gate), printUnidentified(w, gate)); err != nil || gate.Online == 0 {
		return err
	}
	rows := table{header: []string{"NAME", "STATUS", "APP", "LAST", "IDLE", "PAGE"}, fit: columns(w)}
	called := namesOf(gate.Blocking, func(p api.InTheWay) (string, string) { return cmp.Or(p.Name, p.ID), p.Directory })
	for i, p := range gate.Blocking {
		idle := ""
		if p.IdleSince != nil {
			idle = ago(*p.IdleSince, gate.Timestamp)
		}
		rows.add(called[i], statusCell(p.ShownStatus), strings.Join(p.Apps, ","),
			ago(p.LastActivityAt, gate.Timestamp), idle, p.Page)
	}
	if err := rows.print(w, nil); err != nil {
		return err
	}
	if more := gate.Online - len(gate.Blocking); more > 0 {
		if _, err := fmt.Fprintf(w, "and %d more\n", more); err != nil {
			return err
		}
	}
	if gate.Quietest == nil {
		return nil
	}
	_, err := fmt.Fprintf(w, "It is likely to be quiet: %s.\n", printable(gate.Quietest.Words))
	return err
}
