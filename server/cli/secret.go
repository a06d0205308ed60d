package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
)

// maxSecret bounds a secret's file: a longer one is surely another file.
const maxSecret = 16 << 10

// secretFlag is a secret that is given as itself or as the name of a file that holds it.
type secretFlag struct {
	name, value, file string
}

func (s *secretFlag) register(flags *pflag.FlagSet, name, usage string) {
	s.name = name
	flags.StringVar(&s.value, name, "", usage)
	flags.StringVar(&s.file, name+"-file", "", "file that holds the "+name)
}

func (s *secretFlag) read() (string, error) {
	switch {
	case s.value != "" && s.file != "":
		return "", usagef("--%[1]s and --%[1]s-file (or their variables) contradict each other; give one", s.name)
	case s.file != "":
		return readSecretFile(s.file)
	}
	return s.value, nil
}

// readSecretFile reads a secret without the line break that editors and echo leave behind it.
func readSecretFile(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", usageError{fmt.Errorf("reading a secret: %w", err)}
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	raw = bytes.TrimRight(raw, "\r\n")
	switch {
	case err != nil:
		return "", usageError{fmt.Errorf("reading a secret: %w", err)}
	case len(raw) == 0:
		return "", usagef("%s holds no secret: it is empty", name)
	case len(raw) > maxSecret:
		return "", usagef("%s holds no secret: it is too long", name)
	}
	return string(raw), nil
}
