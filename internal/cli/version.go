package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/daytwo-dev/daytwo/internal/app"
)

func newVersion() *cobra.Command {
	cmd := &cobra.Command{Use: "version", Short: "Print version, commit and Go version", GroupID: "files", Args: noArgs}
	out := addOutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		b := app.ReadBuild()
		return out.print(cmd.OutOrStdout(), b, func() table {
			return table{rows: [][]string{{"daytwo", b.Version}, {"commit", firstOf(b.Commit, "unknown")}, {"go", b.GoVersion}, {"platform", fmt.Sprintf("%s/%s", b.OS, b.Arch)}}}
		})
	}
	return cmd
}
