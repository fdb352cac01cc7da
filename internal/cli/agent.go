package cli

import (
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/daytwo-dev/daytwo/internal/app"
)

func newAgent() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Measure this host and send it to a server",
		Long: `Runs on every host that you operate. It connects to the server, never the other
way, and sends the host's metrics under node_exporter's names, as job "node" and
with the host's name as instance. While the server cannot be reached, half an
hour of measurements waits in memory.

With --listen the metrics can be scraped as well, as from node_exporter.`,
		Example: `  daytwo agent --url https://daytwo.example --token $TOKEN
  daytwo agent --url http://127.0.0.1:2020 --name web-1 --interval 5s
  daytwo agent --listen 127.0.0.1:9100`,
		GroupID: "server",
		Args:    noArgs,
	}
	makeClient := addClientFlags(cmd)
	name := cmd.Flags().String("name", os.Getenv("DAYTWO_AGENT_NAME"), "name of this host [DAYTWO_AGENT_NAME] (default: its own)")
	listen := cmd.Flags().String("listen", os.Getenv("DAYTWO_AGENT_LISTEN"), "host:port that shows the metrics to whoever scrapes [DAYTWO_AGENT_LISTEN]")
	interval := cmd.Flags().Duration("interval", 15*time.Second, "time between two measurements")
	level := addLogFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := makeClient()
		if err != nil {
			return err
		}
		agent, err := app.NewAgent(cmd.Context(), app.AgentConfig{
			URL: c.base, Token: c.token, Name: *name, Interval: *interval, Listen: *listen,
		}, newLogger(cmd.OutOrStdout(), level))
		if err != nil {
			return err
		}
		return agent.Run(cmd.Context())
	}
	return cmd
}
