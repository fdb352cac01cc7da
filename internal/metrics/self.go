package metrics

import (
	"net"
	"net/url"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/targetgroup"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// selfJob is the job under which daytwo scrapes itself.
const selfJob = "daytwo"

// selfTargets is daytwo's own metrics, or nothing where a job of the file scrapes them: two scrapes under one name would
// write over each other.
func (m *Metrics) selfTargets(c *config.Config) ([]Target, error) {
	if m.cfg.Self == "" {
		return nil, nil
	}
	jobs, err := c.GetScrapeConfigs()
	if err != nil {
		return nil, err
	}
	for _, job := range jobs {
		if takesSelf(job, m.cfg.Self) {
			return nil, nil
		}
	}
	return []Target{{URL: m.cfg.Self}}, nil
}

// takesSelf tells whether a job scrapes what self, a URL, serves. Where targets are found only later, the name of the job
// has to tell.
func takesSelf(job *config.ScrapeConfig, self string) bool {
	u, err := url.Parse(self)
	if err != nil || self == "" {
		return false
	}
	for _, sd := range job.ServiceDiscoveryConfigs {
		static, is := sd.(discovery.StaticConfig)
		switch {
		case is && (job.MetricsPath == u.Path || job.JobName == selfJob) && names(static, u.Host), !is && job.JobName == selfJob:
			return true
		}
	}
	return false
}

func names(groups []*targetgroup.Group, address string) bool {
	for _, group := range groups {
		for _, target := range group.Targets {
			if sameAddress(string(target[model.AddressLabel]), address) {
				return true
			}
		}
	}
	return false
}

// sameAddress tells whether a target is a listening address; this machine has several names.
func sameAddress(target, listening string) bool {
	host, port, err := net.SplitHostPort(target)
	own, ownPort, ownErr := net.SplitHostPort(listening)
	return err == nil && ownErr == nil && port == ownPort && (host == own || here(host) && here(own))
}

func here(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || host == "localhost" || ip.IsLoopback() || ip.IsUnspecified()
}

func (d document) checkSelf(job *config.ScrapeConfig, self string) []problem.Finding {
	if !takesSelf(job, self) {
		return nil
	}
	return []problem.Finding{d.finding(problem.SeverityWarning, d.find(job.JobName), "leave the job out unless you want it to be yours",
		"job %q scrapes daytwo itself: the built-in job %q, which does so without it, steps back", job.JobName, selfJob)}
}
