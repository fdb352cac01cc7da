package app

import (
	"cmp"
	"os"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/host"
	"github.com/daytwo-dev/daytwo/internal/metrics"
)

// hostMetrics is where a server and an agent show the metrics of their machine.
const hostMetrics = "/metrics/host"

// hostInterval is the time between two scrapes of the machine, as usual for
// node_exporter: a scrape reads a few hundred files.
const hostInterval = 15 * time.Second

// measureHost has the machine of the server scraped like any other host.
func (a *App) measureHost(samples *metrics.Metrics) error {
	if !a.config.HostMetrics {
		return nil
	}
	g, err := host.Gatherer()
	if err != nil {
		return err
	}
	a.server.MountMetrics(hostMetrics, g)
	return samples.AddTargets("node", []metrics.Target{{
		URL: URL(a.listener) + hostMetrics, Labels: event.Labels{"instance": hostName()}, Interval: hostInterval,
	}})
}

// hostName is how this machine calls itself.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		name = ""
	}
	return cmp.Or(name, "localhost")
}
