package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func newOncall() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "oncall",
		Short:   "Who is paged, in which order, for which services",
		GroupID: "operate",
		Args:    noArgs,
	}
	connect := addClientFlags(cmd)
	out := addOutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		var list struct {
			Items []struct {
				Policy   string   `json:"policy"`
				Services []string `json:"services"`
				Levels   []struct {
					Level  int      `json:"level"`
					After  string   `json:"after"`
					People []string `json:"people"`
				} `json:"levels"`
			} `json:"items"`
		}
		if err := c.get(cmd.Context(), "/api/oncalls", &list); err != nil {
			return err
		}
		return out.print(cmd.OutOrStdout(), list.Items, func() table {
			t := table{header: []string{"policy", "level", "after", "people", "services"}}
			for _, p := range list.Items {
				for _, l := range p.Levels {
					t.add(p.Policy, fmt.Sprint(l.Level), l.After, strings.Join(l.People, ", "), strings.Join(p.Services, ", "))
				}
			}
			return t
		})
	}
	return cmd
}
