package cli

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/daytwo-dev/daytwo/internal/app"
)

func newAgent() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Send a host's metrics and log files to a server",
		Long: `Runs on every host that you operate. It connects to the server, never the other
way, and sends the host's metrics under node_exporter's names, as job "node" and
with the host's name as instance. While the server cannot be reached, half an
hour of measurements waits in memory.

With --tail the lines of log files are sent too, at least once: how far each file
was read is noted in --data, rotation and truncation are followed, and while the
server does not take them the files are not read further.

With --listen the metrics can be scraped as well, as from node_exporter.`,
		Example: `  daytwo agent --url https://daytwo.example --token $TOKEN
  daytwo agent --url http://127.0.0.1:2020 --name web-1 --interval 5s
  daytwo agent --tail '/var/log/nginx/*.log' --service web
  daytwo agent --listen 127.0.0.1:9100`,
		GroupID: "server",
		Args:    noArgs,
	}
	makeClient := addClientFlags(cmd)
	name := cmd.Flags().String("name", os.Getenv("DAYTWO_AGENT_NAME"), "name of this host [DAYTWO_AGENT_NAME] (default: its own)")
	listen := cmd.Flags().String("listen", os.Getenv("DAYTWO_AGENT_LISTEN"), "host:port that shows the metrics to whoever scrapes [DAYTWO_AGENT_LISTEN]")
	interval := cmd.Flags().Duration("interval", 15*time.Second, "time between two measurements")
	tail := cmd.Flags().StringArray("tail", nil, "pattern of log files whose lines are sent; may be given again")
	service := cmd.Flags().String("service", "", "service of the lines that do not say theirs")
	multiline := cmd.Flags().String("multiline", "", "regular expression of a line that begins an entry (default: each line is one)")
	data := cmd.Flags().String("data", firstOf(os.Getenv("DAYTWO_AGENT_DATA"), defaultDataDir("agent")), "directory that notes how far files were read [DAYTWO_AGENT_DATA]")
	level := cmd.Flags().String("log-level", firstOf(os.Getenv(logLevelEnv), "info"), "least level that is logged: debug, info, warn or error ["+logLevelEnv+"]")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := makeClient()
		if err != nil {
			return err
		}
		least, err := logLevel(*level)
		if err != nil {
			return usage(fmt.Errorf("--log-level: %w", err))
		}
		config := app.AgentConfig{
			URL: c.base, Token: c.token, Name: *name, Interval: *interval, Listen: *listen,
			Tail: *tail, Service: *service, Multiline: *multiline, DataDir: *data,
		}
		if err := config.Validate(); err != nil {
			return usage(err)
		}
		agent, err := app.NewAgent(cmd.Context(), config, newLogger(cmd.OutOrStdout(), least))
		if err != nil {
			return err
		}
		return agent.Run(cmd.Context())
	}
	return cmd
}
