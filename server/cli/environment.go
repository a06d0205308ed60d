package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const (
	envPrefix   = "ROLLCALL_"
	envPassword = envPrefix + "PASSWORD" // has no flag: other users of the machine can see those

	twinAnnotation = "environment twin"
	fromAnnotation = "came from the environment"
)

// addTwins gives every flag of every command its environment twin and says so in its help.
func addTwins(cmd *cobra.Command) {
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		if flag.Annotations[twinAnnotation] != nil {
			return
		}
		setEnvVar(flag, envPrefix+strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_")))
	})
	for _, child := range cmd.Commands() {
		addTwins(child)
	}
}

func setEnvVar(flag *pflag.Flag, twin string) {
	flag.Annotations = map[string][]string{twinAnnotation: {twin}}
	flag.Usage += " [" + twin + "]"
}

// bindEnvironment fills the flags that were not given from the environment. An empty variable
// counts as none: that is how Compose files and unit files spell "not set".
func bindEnvironment(flags *pflag.FlagSet) error {
	given := map[string]bool{}
	flags.Visit(func(flag *pflag.Flag) { given[flag.Name] = true })
	var failure error
	flags.VisitAll(func(flag *pflag.Flag) {
		twin := flag.Annotations[twinAnnotation]
		if failure != nil || twin == nil || given[flag.Name] || given[sibling(flag.Name)] {
			return
		}
		value := os.Getenv(twin[0])
		if value == "" {
			return
		}
		if err := flag.Value.Set(value); err != nil {
			failure = usagef("invalid value %q for %s: %w", value, twin[0], err)
			return
		}
		flag.Changed = true
		flag.Annotations[fromAnnotation] = twin
	})
	return failure
}

// sibling is the other way to give the same secret: --key for --key-file and the reverse. A flag
// of either kind overrides both variables.
func sibling(name string) string {
	if secret, ok := strings.CutSuffix(name, "-file"); ok {
		return secret
	}
	return name + "-file"
}

// warnUnknown tells in one line which ROLLCALL_ variables nothing reads: mostly a typing error
// that would otherwise leave a default in place.
func warnUnknown(root *cobra.Command, w io.Writer) {
	known := map[string]bool{envPassword: true}
	collectTwins(root, known)
	var unknown []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, envPrefix) && !known[name] && !fromKubernetes(name) {
			unknown = append(unknown, printable(name))
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		fmt.Fprintf(w, "rollcall: warning: nothing reads %s\n", strings.Join(unknown, ", "))
	}
}

func collectTwins(cmd *cobra.Command, known map[string]bool) {
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		for _, twin := range flag.Annotations[twinAnnotation] {
			known[twin] = true
		}
	})
	for _, child := range cmd.Commands() {
		collectTwins(child, known)
	}
}

// fromKubernetes recognises what Kubernetes sets in every pod beside a service named rollcall.
func fromKubernetes(name string) bool {
	return name == "ROLLCALL_PORT" || strings.HasPrefix(name, "ROLLCALL_PORT_") || strings.HasPrefix(name, "ROLLCALL_SERVICE_")
}
