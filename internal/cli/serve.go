package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/daytwo-dev/daytwo/internal/app"
)

func newServe() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the platform on your own files",
		Long: `Runs the platform until SIGTERM or Ctrl-C, logging to standard output. SIGHUP,
like POST /-/reload, reads the operations directory again, all or nothing.

The first start creates an administrator and prints a link that signs in once.`,
		Example: `  daytwo serve
  daytwo serve --config ./ops --data /var/lib/daytwo
  DAYTWO_DATABASE_URL=postgres://… daytwo serve --config ./ops`,
		GroupID: "server",
		Args:    noArgs,
	}
	addServerFlags(cmd.Flags())
	again := cmd.Flags().Bool("sign-in-link", false, "print a new one-time sign-in link for the administrator")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, _, err := loadConfig(cmd.Flags(), defaultConfig(), os.Getenv)
		if err != nil {
			return err
		}
		logger := newLogger(cmd.OutOrStdout(), c.LogLevel)
		listener, err := app.Listen(cmd.Context(), c.Listen)
		if err != nil {
			return err
		}
		a, err := app.New(cmd.Context(), c, app.Options{Logger: logger, Listener: listener})
		if err != nil {
			return err
		}
		if *again || a.FirstLink() != "" {
			link, err := a.SignInLink(cmd.Context())
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "Sign in once with %s\n", link)
		}
		return a.Run(cmd.Context())
	}
	return cmd
}
