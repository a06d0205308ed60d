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

// askPassword asks twice, because nobody sees what they type. The terminal is switched over before
// the first prompt, so that not even a fast paste is shown, and back whatever ends the asking.
func askPassword(cmd *cobra.Command) (string, error) {
	stdin := cmd.InOrStdin().(*os.File) // a terminal is a file
	fd := int(stdin.Fd())
	state, err := term.MakeRaw(fd)
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	restore := func() { _ = term.Restore(fd, state) } // fails only for a terminal that is gone
	defer restore()
	stop := context.AfterFunc(cmd.Context(), func() {
		restore()
		os.Exit(exitFailed) // the read cannot be interrupted
	})
	defer stop()
	screen := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{stdin, cmd.ErrOrStderr()}, "")
	first, err := prompt(screen, "Password (at least 15 characters): ")
	if err != nil {
		return "", err
	}
	second, err := prompt(screen, "The same again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords differ")
	}
	return first, nil
}

func prompt(screen *term.Terminal, words string) (string, error) {
	secret, err := screen.ReadPassword(words)
	switch {
	case errors.Is(err, io.EOF): // Ctrl-C or Ctrl-D
		fmt.Fprintln(screen)
		return "", errors.New("no password was entered")
	case err != nil:
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return secret, nil
}
