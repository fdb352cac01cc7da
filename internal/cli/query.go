package cli

import (
	"fmt"
	"net/url"
	"sort"
	"strings"

	"github.com/spf13/cobra"
)

// sample is one element of an instant vector as Prometheus's API gives it.
type sample struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"` // unix seconds, value as text
}

func newQuery() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "query PROMQL",
		Short:   "Evaluate a PromQL expression now",
		Example: `  daytwo query 'sum by (service) (rate(http_server_requests_total[1m]))'`,
		GroupID: "operate",
		Args:    exactArgs(1, "one PromQL expression"),
	}
	connect := addClientFlags(cmd)
	out := addOutputFlag(cmd)
	at := cmd.Flags().String("time", "", "evaluate at this time: RFC 3339 or unix seconds (default now)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		query := url.Values{"query": {args[0]}}
		if *at != "" {
			query.Set("time", *at)
		}
		samples, err := instantQuery(cmd, c, query)
		if err != nil {
			return err
		}
		return out.print(cmd.OutOrStdout(), samples, func() table {
			t := table{header: []string{"series", "value"}}
			for _, s := range samples {
				t.add(seriesName(s.Metric), fmt.Sprint(s.Value[1]))
			}
			return t
		})
	}
	return cmd
}

func instantQuery(cmd *cobra.Command, c *client, query url.Values) ([]sample, error) {
	var answer struct {
		Data struct {
			ResultType string `json:"resultType"`
			Result     any    `json:"result"`
		} `json:"data"`
	}
	vector := []sample{}
	answer.Data.Result = &vector
	err := c.get(cmd.Context(), "/prometheus/api/v1/query?"+query.Encode(), &answer)
	if err == nil || answer.Data.ResultType != "scalar" {
		return vector, err
	}
	var scalar [2]any
	answer.Data.Result = &scalar
	err = c.get(cmd.Context(), "/prometheus/api/v1/query?"+query.Encode(), &answer)
	return []sample{{Value: scalar}}, err
}

func seriesName(labels map[string]string) string {
	var pairs []string
	for name, value := range labels {
		if name != "__name__" {
			pairs = append(pairs, fmt.Sprintf("%s=%q", name, value))
		}
	}
	sort.Strings(pairs)
	return labels["__name__"] + "{" + strings.Join(pairs, ", ") + "}"
}
