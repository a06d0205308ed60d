package cli

import (
	"strings"
	"time"

	"github.com/spf13/pflag"

	"rollcall/server/api"
	"rollcall/store/presence"
)

// flagValues are the flags as the panel shows them to administrators. The only one of
// a server's flags that may be secret tells no more of itself than may be seen.
func flagValues(flags *pflag.FlagSet) (all []api.Setting) {
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Name == "help" || flag.Name == "version" {
			return
		}
		about, _, _ := strings.Cut(flag.Usage, " ["+envPrefix)
		text := func(value string) string {
			if d, err := time.ParseDuration(value); err == nil && flag.Value.Type() == "duration" {
				return presence.Plain(d)
			}
			return value
		}
		all = append(all, api.Setting{Name: flag.Name, Value: text(flag.Value.String()), Default: text(flag.DefValue), About: about})
	})
	return all
}
