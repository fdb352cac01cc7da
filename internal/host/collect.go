package host

import (
	"fmt"
	"log/slog"
	"sync"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/node_exporter/collector"
)

// options are node_exporter's flags as we want them: its defaults, and what
// processes and cgroups do.
var options = []string{"--collector.processes", "--collector.cgroups"}

// parseOptions sets the flags that node_exporter's collectors define on the
// process-wide command line of their own flag library, which nothing else uses.
var parseOptions = sync.OnceValue(func() error {
	_, err := kingpin.CommandLine.Parse(options)
	return err
})

// Gatherer is the metrics of this machine as node_exporter would serve them.
// What a collector has to complain about goes nowhere:
// node_scrape_collector_success says it, and most hosts lack something that some
// collector looks for.
func Gatherer() (prometheus.Gatherer, error) {
	if err := parseOptions(); err != nil {
		return nil, fmt.Errorf("set the options of the host's collectors: %w", err)
	}
	node, err := collector.NewNodeCollector(slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, fmt.Errorf("prepare the host's collectors: %w", err)
	}
	registry := prometheus.NewRegistry()
	return registry, registry.Register(node)
}
