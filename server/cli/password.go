package cli

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// passwordSource is where a new password comes from. There is no --password: other users of the
// machine can read command lines.
type passwordSource struct {
	generate bool
	file     string
}

func (p *passwordSource) register(flags *pflag.FlagSet) {
	flags.BoolVar(&p.generate, "generate", false, "generate a password and print it, alone on its line")
	flags.StringVar(&p.file, "password-file", "", "file that holds the password (default: "+envPassword+", else asked for, else the first line of stdin)")
}

// read returns the password: generated, from the file, from the variable, asked for or from stdin.
func (p *passwordSource) read(cmd *cobra.Command) (string, error) {
	file := cmd.Flags().Lookup("password-file")
	fileGiven := p.file != "" && file.Annotations[fromAnnotation] == nil
	variable := os.Getenv(envPassword)
	switch {
	case p.generate && fileGiven:
		return "", usagef("--generate and --password-file contradict each other; give one")
	case p.generate:
		return rand.Text(), nil
	case p.file != "" && !fileGiven && variable != "":
		return "", usagef("%[1]s and %[1]s_FILE contradict each other; set one", envPassword)
	case p.file != "":
		return readSecretFile(p.file)
	case variable != "":
		return variable, nil
	case isTerminal(cmd.InOrStdin()):
		return askPassword(cmd)
	}
	return pipedPassword(cmd.InOrStdin())
}

// pipedPassword takes the first line, as `echo` and password managers write it.
func pipedPassword(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxSecret)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	password := strings.TrimRight(line, "\r\n")
	if password == "" {
		return "", usagef("no password: give it on stdin, by --password-file or in %s, or use --generate", envPassword)
	}
	return password, nil
}

// askPassword asks twice, because nobody sees what they type.
func askPassword(cmd *cobra.Command) (string, error) {
	first, err := promptSecret(cmd, "Password (at least 15 characters): ")
	if err != nil {
		return "", err
	}
	second, err := promptSecret(cmd, "The same again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords differ")
	}
	return first, nil
}

// promptSecret reads a line without echo. After a Ctrl-C in between it turns the echo on again,
// which the terminal would not do by itself.
func promptSecret(cmd *cobra.Command, prompt string) (string, error) {
	fd := int(cmd.InOrStdin().(*os.File).Fd()) // a terminal is a file
	state, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	stop := context.AfterFunc(cmd.Context(), func() {
		_ = term.Restore(fd, state) // the process ends; there is nobody left to tell
		fmt.Fprintln(cmd.ErrOrStderr())
		os.Exit(exitFailed)
	})
	defer stop()
	fmt.Fprint(cmd.ErrOrStderr(), prompt)
	raw, err := term.ReadPassword(fd)
	fmt.Fprintln(cmd.ErrOrStderr())
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return string(raw), nil
}
