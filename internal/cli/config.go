package cli

import (
	"os"

	"github.com/spf13/cobra"
)

// settingView is one line of `daytwo config`.
type settingView struct {
	Variable string `json:"variable"`
	Flag     string `json:"flag,omitempty"`
	Value    string `json:"value"`
	From     string `json:"from"`
	Usage    string `json:"usage"`
}

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print every setting, its value and where it comes from",
		Long: `Prints every setting of the server with the value that "daytwo serve" would
use here: from a flag, from a variable, or the default. Secrets are masked.`,
		GroupID: "files",
		Args:    noArgs,
	}
	addServerFlags(cmd.Flags())
	out := addOutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, source, err := loadConfig(cmd.Flags(), defaultConfig(), os.Getenv)
		if err != nil {
			return err
		}
		var views []settingView
		for _, s := range serverSettings() {
			v := settingView{Variable: s.env, Value: s.get(&c), From: firstOf(source[s.env], "default"), Usage: s.usage}
			if s.flag != "" {
				v.Flag = "--" + s.flag
			}
			if s.secret && v.Value != "" {
				v.Value = "********"
			}
			views = append(views, v)
		}
		return out.print(cmd.OutOrStdout(), views, func() table {
			t := table{header: []string{"variable", "value", "from", "what it sets"}}
			for _, v := range views {
				t.add(v.Variable, firstOf(v.Value, "-"), v.From, v.Usage)
			}
			return t
		})
	}
	return cmd
}
