package cli

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// logSettings say what is logged, and how.
type logSettings struct {
	level  choice
	format choice
}

func (l *logSettings) register(flags *pflag.FlagSet) {
	l.level = choice{"info", []string{"debug", "info", "warn", "error"}}
	l.format = choice{"", []string{"console", "json"}}
	flags.Var(&l.level, "log-level", "debug, info, warn or error")
	flags.Var(&l.format, "log-format", "console or json (default console on a terminal, else json)")
}

// logger writes to w in the chosen form.
func (l *logSettings) logger(w io.Writer) zerolog.Logger {
	level, _ := zerolog.ParseLevel(l.level.text)
	if l.format.text == "console" || l.format.text == "" && isTerminal(w) {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, NoColor: !colourful(w)}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// choice is one of a few words.
type choice struct {
	text string
	of   []string
}

func (c *choice) String() string { return c.text }
func (c *choice) Type() string   { return "word" }

func (c *choice) Set(text string) error {
	if !slices.Contains(c.of, text) {
		return errors.New("it must be one of: " + strings.Join(c.of, ", "))
	}
	c.text = text
	return nil
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// colourful follows https://no-color.org and what dumb terminals expect.
func colourful(stream any) bool {
	return isTerminal(stream) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
