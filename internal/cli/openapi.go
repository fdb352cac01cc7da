package cli

import (
	"github.com/spf13/cobra"

	"github.com/daytwo-dev/daytwo/internal/demo"
)

// newOpenAPI prints the API document from the routes themselves; ui/openapi.json
// is its committed copy.
func newOpenAPI() *cobra.Command {
	return &cobra.Command{
		Use:     "openapi",
		Short:   "Print the API's OpenAPI document",
		GroupID: "files",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			doc, err := demo.OpenAPI(cmd.Context())
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(append(doc, '\n'))
			return err
		},
	}
}
