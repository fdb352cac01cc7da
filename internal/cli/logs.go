package cli

import "github.com/spf13/cobra"

func newLogs() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "logs",
		Short:   "Logs and the pipelines that bring them",
		GroupID: "operate",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newLogsPipeline())
	return cmd
}
