// Package cli is the command line. It is the only place that reads flags, the environment and the
// terminal; everything else is told what it needs.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // it did not work, or the answer is no
	exitUsage  = 2 // it was asked in the wrong way
)

// Main runs the command that the process was started with and returns its exit code. The schema
// is handed in because only package main can embed the file.
func Main(schema string) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	first := make(chan os.Signal, 1)
	signal.Notify(first, ends()...)
	go func() {
		<-first
		signal.Stop(first) // before anything ends: a second one has its usual effect, the process ends at once
		cancel()
	}()
	root := newRoot(schema)
	root.SetArgs(os.Args[1:])
	return run(ctx, root)
}

// ends are the signals that end a command well. A terminal that is closed is one; without a
// terminal, or below nohup, SIGHUP is no word to end.
func ends() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if isTerminal(os.Stdin) && !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

func run(ctx context.Context, root *cobra.Command) int {
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(root.ErrOrStderr(), "rollcall: "+oneLine(err.Error()))
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailed
}

// oneLine keeps what a script sees on stderr to a line per error, and terminals safe from what a
// server or a file name put into it.
func oneLine(text string) string {
	return printable(strings.Join(strings.Fields(text), " "))
}

// usageError is a mistake in how a command was called, as opposed to a failure of what it does.
type usageError struct{ error }

// Unwrap lets errors.Is see through.
func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

func newRoot(schema string) *cobra.Command {
	root := newServe(schema)
	root.Use = "rollcall"
	root.Short = "who(1) for web apps"
	root.Long = "Rollcall shows who is logged in to your applications right now.\nWithout a command it serves, like `rollcall serve`."
	root.Version = version() // in cobra's words: a template of our own links text/template and with it every exported method, 2 MB
	root.SilenceErrors, root.SilenceUsage = true, true
	root.Args = noSuchCommand
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		warnUnknown(root, cmd.ErrOrStderr())
		return bindEnvironment(cmd.Flags())
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		newServe(schema), newDemo(schema), newWho(), newLast(), newKick(), newWall(), newGate(), newDrain(), newDoctor(), newErase(), newExport(),
		newAccount(schema), newKey(schema), newAudit(schema), newCleanup(schema), newBackup(schema), newRestore(schema), newCopy(),
		newHealthcheck(), newSystemd(), newVersion(),
	)
	addTwins(root)
	return root
}

// flagError words a bad flag like a bad variable.
func flagError(_ *cobra.Command, err error) error {
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return usagef("invalid value %q for --%s: %w", bad.GetValue(), bad.GetFlag().Name, bad.Unwrap())
	}
	return usageError{err}
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: noSuchCommand}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var names []string
		for _, child := range cmd.Commands() {
			names = append(names, child.Name())
		}
		return usagef("%s needs one of: %s", cmd.Name(), strings.Join(names, ", "))
	}
	cmd.AddCommand(commands...)
	return cmd
}

// noSuchCommand refuses arguments of a command that takes only commands.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	hint := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
	}
	return usagef("unknown command %q%s (see %s --help)", args[0], hint, cmd.CommandPath())
}

// arguments names what a command takes, for instance arguments("NAME").
func arguments(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usagef("%s: %s is missing (see %s --help)", cmd.Name(), names[len(args)], cmd.CommandPath())
		case len(args) > len(names):
			return usagef("%s: unexpected argument %q", cmd.Name(), args[len(names)])
		}
		return nil
	}
}

// say writes words for people to stderr, so that stdout holds nothing but the result.
func say(cmd *cobra.Command, format string, args ...any) {
	fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...)
}

// out is where a command's result goes.
func out(cmd *cobra.Command) io.Writer { return cmd.OutOrStdout() }
