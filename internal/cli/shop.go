package cli

import (
	"github.com/spf13/cobra"

	"github.com/daytwo-dev/daytwo/examples/shop"
)

// newShop is how the demo's workloads start: each is this binary again, as a
// process of its own that knows nothing of the server.
func newShop() *cobra.Command {
	return &cobra.Command{
		Use:    "shop SERVICE",
		Short:  "Run one service of the demo's shop",
		Hidden: true,
		Args:   exactArgs(1, "storefront, catalog, checkout or payments"),
		RunE:   func(cmd *cobra.Command, args []string) error { return shop.Run(cmd.Context(), args[0]) },
	}
}
