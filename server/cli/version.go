package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release is set by -ldflags "-X rollcall/server/cli.release=v1.2.3"; without it the version is
// what the Go toolchain knows of the build.
var release string

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			platform := runtime.GOOS + "/" + runtime.GOARCH
			if asJSON {
				return writeJSON(out(cmd), map[string]string{
					"version": version(), "go": runtime.Version(), "platform": platform, "sqlite": sqliteVersion(),
				})
			}
			_, err := fmt.Fprintf(out(cmd), "rollcall %s\n%s %s\nSQLite by %s\n", version(), runtime.Version(), platform, sqliteVersion())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// version is the release, or the commit that it was built from.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return "devel-" + setting.Value[:min(12, len(setting.Value))]
		}
	}
	return "devel"
}

// sqliteVersion names the driver, which has SQLite inside: its version tells which.
func sqliteVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == "modernc.org/sqlite" {
				return dep.Path + " " + dep.Version
			}
		}
	}
	return "unknown"
}
