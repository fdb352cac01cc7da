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

// Gateway is the path of the Pushgateway's API.
const Gateway = "/pushgateway"

// gatewayURL is where pushed metrics are scraped, if daytwo scrapes itself at all.
func (m *Metrics) gatewayURL() (string, bool) {
	u, err := url.Parse(m.cfg.Self)
	if err != nil || m.cfg.Self == "" {
		return "", false
	}
	u.Path = Gateway + "/metrics"
	return u.String(), true
}

// scrapeGateway begins to scrape pushed metrics.
func (m *Metrics) scrapeGateway() {
	m.pushedOnce.Store(true)
	m.pushed.replace(m.pushedTargets(m.inForce.Load()))
}

// pushedTargets is the gateway if there is anything to scrape and no job of the file scrapes it.
func (m *Metrics) pushedTargets(c *config.Config) *targetgroup.Group {
	group := &targetgroup.Group{Source: "pushgateway", Labels: model.LabelSet{model.JobLabel: "pushgateway"}}
	at, ok := m.gatewayURL()
	if !ok || !m.pushedOnce.Load() {
		return group
	}
	u, err := url.Parse(at)
	jobs, jobsErr := c.GetScrapeConfigs()
	if err != nil || jobsErr != nil {
		return group
	}
	for _, job := range jobs {
		for _, sd := range job.ServiceDiscoveryConfigs {
			if static, is := sd.(discovery.StaticConfig); is && job.MetricsPath == u.Path && names(static, u.Host) {
				return group
			}
		}
	}
	labels, err := Target{URL: at}.labels()
	if err == nil {
		group.Targets = append(group.Targets, labels)
	}
	return group
}

func (d document) checkSelf(job *config.ScrapeConfig, self string) []problem.Finding {
	if !takesSelf(job, self) {
		return nil
	}
	return []problem.Finding{d.finding(problem.SeverityWarning, d.find(job.JobName), "leave the job out unless you want it to be yours",
		"job %q scrapes daytwo itself: the built-in job %q, which does so without it, steps back", job.JobName, selfJob)}
}
