package cli

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/daytwo-dev/daytwo/internal/demo"
)

func newDemo() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See the whole loop on a real failure in a small shop",
		Long: `Starts the platform on a directory of its own, four small services under real
traffic, and a mailbox. Then a bad version of checkout goes out; you are paged,
find the change, roll it back, and read what was learned.

--auto plays the user too, prints each stage with its seconds as it closes, and
exits 0 only when the loop has closed. A demo that was stopped or killed goes on
where it was; one that has ended starts over.`,
		Example: `  daytwo demo
  daytwo demo --auto --fresh`,
		GroupID: "server",
		Args:    noArgs,
	}
	listen := cmd.Flags().String("listen", "", "address to serve on, host:port [DAYTWO_LISTEN] (default 127.0.0.1:2020)")
	data := cmd.Flags().String("data", "", "directory of the demo [DAYTWO_DEMO_DATA] (default "+defaultDataDir("demo")+")")
	auto := cmd.Flags().Bool("auto", false, "play the user too; exit 0 when the loop has closed")
	fresh := cmd.Flags().Bool("fresh", false, "forget the earlier story")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c := defaultConfig()
		c.Listen = firstOf(*listen, os.Getenv("DAYTWO_LISTEN"), c.Listen)
		c.DataDir = firstOf(*data, os.Getenv("DAYTWO_DEMO_DATA"), defaultDataDir("demo"))
		c.AdminToken = os.Getenv("DAYTWO_ADMIN_TOKEN")
		if err := c.Validate(); err != nil {
			return usage(err)
		}
		return demo.Run(cmd.Context(), demo.Config{Server: c, Auto: *auto, Fresh: *fresh, Out: cmd.OutOrStdout()})
	}
	return cmd
}
