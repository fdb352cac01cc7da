package metrics

import (
	"log/slog"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/prometheus/prometheus/config"
)

// memoryShare is how much of the memory of the machine or the container the process may take before the garbage collector
// works harder, as in Prometheus.
const memoryShare = 0.9

// limitMemory sets the limit of the Go runtime, unless GOMEMLIMIT does.
func limitMemory(logger *slog.Logger) {
	_, err := memlimit.Set(memlimit.WithRatio(memoryShare), memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)))
	if err != nil {
		logger.Warn("the memory limit of the runtime is not set", "error", err)
	}
}

func setCollector(percent int) { debug.SetGCPercent(percent) }

// replayGOGC lets the heap grow while the log is replayed: nearly all that is read then stays, so that collecting it is in
// vain. The limit of limitMemory holds all the same.
const replayGOGC = 400

// hurryCollector is in force until what it returns is called.
func hurryCollector(c *config.Config) (calm func()) {
	if c.Runtime.GoGC > 0 {
		setCollector(max(replayGOGC, c.Runtime.GoGC))
	}
	return func() { setCollector(c.Runtime.GoGC) }
}
