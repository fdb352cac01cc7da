package metrics

import (
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
)

// flags shows what is in force under the names of Prometheus's flags, for clients that look there. Those that have no
// meaning here are left out.
func (m *Metrics) flags(external *url.URL) map[string]string {
	return map[string]string{
		"config.file":                                       m.cfg.ConfigFile,
		"config.auto-reload":                                "false",
		"auto-gomaxprocs":                                   "true", // of the Go runtime itself
		"auto-gomemlimit":                                   "true",
		"auto-gomemlimit.ratio":                             strconv.FormatFloat(memoryShare, 'g', -1, 64),
		"web.external-url":                                  external.String(),
		"web.route-prefix":                                  "/prometheus",
		"web.listen-address":                                external.Host,
		"web.enable-lifecycle":                              "true",
		"web.enable-admin-api":                              "true",
		"web.enable-remote-write-receiver":                  "true",
		"web.enable-otlp-receiver":                          "true",
		"web.max-notifications-subscribers":                 strconv.Itoa(newsReaders),
		"storage.tsdb.path":                                 m.cfg.Dir,
		"storage.tsdb.retention.time":                       model.Duration(m.cfg.Retention).String(),
		"storage.tsdb.min-block-duration":                   "2h",
		"storage.tsdb.wal-compression":                      "true",
		"storage.tsdb.wal-compression-type":                 compressWAL,
		"storage.remote.flush-deadline":                     model.Duration(flushWithin).String(),
		"storage.remote.read-sample-limit":                  strconv.Itoa(remoteReadSamples),
		"storage.remote.read-concurrent-limit":              strconv.Itoa(remoteReadConcurrency),
		"storage.remote.read-max-bytes-in-frame":            strconv.Itoa(remoteReadFrame),
		"rules.alert.for-outage-tolerance":                  "1h",
		"rules.alert.for-grace-period":                      "10m",
		"rules.alert.resend-delay":                          "1m",
		"alertmanager.notification-queue-capacity":          strconv.Itoa(alertQueue),
		"alertmanager.notification-batch-size":              strconv.Itoa(alertBatch),
		"alertmanager.drain-notification-queue-on-shutdown": "true",
		"query.lookback-delta":                              model.Duration(lookback).String(),
		"query.timeout":                                     model.Duration(m.cfg.QueryTimeout).String(),
		"query.max-concurrency":                             strconv.Itoa(m.cfg.QueryConcurrency),
		"query.max-samples":                                 strconv.Itoa(m.cfg.QuerySamples),
		"enable-feature":                                    "exemplar-storage,memory-snapshot-on-shutdown",
	}
}

// buildInfo is of daytwo. The version that clients test for abilities is that of the Prometheus inside, which comes first.
func (m *Metrics) buildInfo() *apiv1.PrometheusVersion {
	b := &apiv1.PrometheusVersion{Version: m.cfg.Version, Revision: m.cfg.Revision, GoVersion: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == "github.com/prometheus/prometheus" {
				b.Version = released(dep.Version)
				b.Branch = "daytwo " + m.cfg.Version
			}
		}
	}
	return b
}

// released is the version that a Prometheus calls itself whose packages are v0.300.x: 3.0.x, and so on.
func released(module string) string {
	major, rest, _ := strings.Cut(strings.TrimPrefix(module, "v0."), ".")
	if n, err := strconv.Atoi(major); err == nil && n >= 300 {
		return strconv.Itoa(n/100) + "." + strconv.Itoa(n%100) + "." + rest
	}
	return strings.TrimPrefix(module, "v")
}

func (m *Metrics) runtimeInfo() (apiv1.RuntimeInfo, error) {
	host, err := os.Hostname()
	if err != nil {
		return apiv1.RuntimeInfo{}, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return apiv1.RuntimeInfo{}, err
	}
	info := apiv1.RuntimeInfo{
		StartTime:           m.started,
		CWD:                 dir,
		Hostname:            host,
		ServerTime:          time.Now().UTC(),
		LastConfigTime:      time.Unix(m.lastLoad.at.Load(), 0).UTC(),
		ReloadConfigSuccess: m.lastLoad.ok.Load(),
		GoroutineCount:      runtime.NumGoroutine(),
		GOMAXPROCS:          runtime.GOMAXPROCS(0),
		GOMEMLIMIT:          debug.SetMemoryLimit(-1),
		GOGC:                strconv.Itoa(m.inForce.Load().Runtime.GoGC),
		GODEBUG:             os.Getenv("GODEBUG"),
		StorageRetention:    retention(m.inForce.Load().StorageConfig.TSDBConfig.Retention),
	}
	gathered, err := m.cfg.Gatherer.Gather()
	if err != nil {
		return info, err
	}
	for _, family := range gathered {
		if family.GetName() == "prometheus_tsdb_wal_corruptions_total" {
			info.CorruptionCount = int64(family.Metric[0].GetCounter().GetValue())
		}
	}
	return info, nil
}

// retention says in words what ends the life of a sample.
func retention(c *config.TSDBRetentionConfig) string {
	var all []string
	if c.Time != 0 {
		all = append(all, c.Time.String())
	}
	if c.Size != 0 {
		all = append(all, c.Size.String())
	}
	if c.Percentage != 0 {
		all = append(all, strconv.FormatFloat(c.Percentage, 'g', -1, 64)+"%")
	}
	return strings.Join(all, " or ")
}
