package cli

import (
	"strings"

	"github.com/spf13/pflag"

	"rollcall/server/api"
)

// flagValues are the flags as the panel shows them to administrators. The only one of
// a server's flags that may be secret tells no more of itself than may be seen.
func flagValues(flags *pflag.FlagSet) (all []api.Setting) {
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Name == "help" {
			return
		}
		about, _, _ := strings.Cut(flag.Usage, " ["+envPrefix)
		text := func(value string) string {
			if flag.Value.Type() == "duration" {
				return tidy(value)
			}
			return value
		}
		all = append(all, api.Setting{Name: flag.Name, Value: text(flag.Value.String()), Default: text(flag.DefValue), About: about})
	})
	return all
}

// tidy says 24h0m0s as people do.
func tidy(duration string) string {
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(duration, zero) {
			duration = duration[:len(duration)-2]
		}
	}
	return duration
}
