package metrics

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// ownPool is the scrape pool of the targets that daytwo itself names; their job label is the job given to AddTargets.
const ownPool = "daytwo/targets"

// pushPool is the scrape pool of the pushed metrics, which bring their own job and instance.
const pushPool = "daytwo/pushed"

// Limits of one scrape of an own target: nobody sets them in a file.
const (
	ownBodyLimit   = 64 << 20
	ownSampleLimit = 200_000
)

// Target is one thing to scrape.
type Target struct {
	URL    string       // http://127.0.0.1:8080/metrics; a query becomes parameters
	Labels event.Labels // put on every sample, for example service and version

	Interval time.Duration // between two scrapes; 0: Config.TargetInterval
}

// AddTargets replaces the targets of a job; no targets end it. They are scraped about a second later, every
// Config.TargetInterval or their own, beside what prometheus.yml says.
func (m *Metrics) AddTargets(job string, targets []Target) error {
	group := &targetgroup.Group{Source: job, Labels: model.LabelSet{model.JobLabel: model.LabelValue(job)}}
	for _, t := range targets {
		labels, err := t.labels()
		if err != nil {
			return err
		}
		group.Targets = append(group.Targets, labels)
	}
	m.own.replace(group)
	return nil
}

func (t Target) labels() (model.LabelSet, error) {
	u, err := url.Parse(t.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, problem.New(problem.Invalid, "%q is not the URL of a metrics endpoint", t.URL).WithMend("give http://host:port/path")
	}
	set := model.LabelSet{
		model.AddressLabel:     model.LabelValue(u.Host),
		model.SchemeLabel:      model.LabelValue(u.Scheme),
		model.MetricsPathLabel: model.LabelValue(u.Path),
	}
	if u.Path == "" {
		set[model.MetricsPathLabel] = "/metrics"
	}
	for name, values := range u.Query() {
		set[model.LabelName(model.ParamLabelPrefix+name)] = model.LabelValue(values[0])
	}
	if t.Interval > 0 {
		set[model.ScrapeIntervalLabel] = model.LabelValue(model.Duration(t.Interval).String())
	}
	for name, value := range t.Labels {
		set[model.LabelName(name)] = model.LabelValue(value)
	}
	return set, nil
}

// ownTargets is a discovery mechanism: it tells the scrape manager the targets of AddTargets. There is one a Metrics, by
// pointer, so that a reload keeps it running.
type ownTargets struct {
	pool  string
	honor bool // the labels of the targets' metrics stand before their own

	mu      sync.Mutex
	groups  map[string]*targetgroup.Group
	changed chan struct{} // holds one wake-up
}

func newOwnTargets(pool string, honor bool) *ownTargets {
	return &ownTargets{pool: pool, honor: honor, groups: map[string]*targetgroup.Group{}, changed: make(chan struct{}, 1)}
}

func (o *ownTargets) replace(group *targetgroup.Group) {
	o.mu.Lock()
	o.groups[group.Source] = group
	o.mu.Unlock()
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

// all includes jobs without targets: that is how their old ones are dropped.
func (o *ownTargets) all() []*targetgroup.Group {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Values(o.groups))
}

// Run implements discovery.Discoverer.
func (o *ownTargets) Run(ctx context.Context, up chan<- []*targetgroup.Group) {
	for {
		select {
		case up <- o.all():
		case <-ctx.Done():
			return
		}
		select {
		case <-o.changed:
		case <-ctx.Done():
			return
		}
	}
}

// Name, NewDiscoverer and NewDiscovererMetrics implement discovery.Config.
func (o *ownTargets) Name() string { return "daytwo" }

func (o *ownTargets) NewDiscoverer(discovery.DiscovererOptions) (discovery.Discoverer, error) {
	return o, nil
}

func (o *ownTargets) NewDiscovererMetrics(prometheus.Registerer, discovery.RefreshMetricsInstantiator) discovery.DiscovererMetrics {
	return &discovery.NoopDiscovererMetrics{}
}

// scrapeConfig is the job of own targets under a file's global settings.
func (o *ownTargets) scrapeConfig(global config.GlobalConfig, every time.Duration) (*config.ScrapeConfig, error) {
	c := config.DefaultScrapeConfig
	c.JobName = o.pool
	c.HonorLabels = o.honor
	c.ScrapeInterval = model.Duration(every)
	c.BodySizeLimit, c.SampleLimit = ownBodyLimit, ownSampleLimit
	c.ScrapeFallbackProtocol = config.PrometheusText0_0_4 // of a program that names no type
	c.MetricNameValidationScheme = model.UTF8Validation   // oneService makes label names of any text
	if !o.honor {
		if err := yaml.Unmarshal([]byte(oneService), &c.MetricRelabelConfigs); err != nil {
			return nil, err
		}
	}
	c.ServiceDiscoveryConfigs = discovery.Configs{o}
	return &c, c.Validate(global)
}

// oneService keeps what a program says of its own service from standing beside the label of its target. `service` is the
// service of the catalog whatever the program calls itself, because objectives and signals go by it, so labels of programs
// are not honored and arrive as exported_service. Programs mostly mean themselves: then that label says nothing, and goes.
//
// Relabelling cannot compare two labels, but it can make the value of one the name of another: remember exported_service
// under its own value, forget what stands under the value of service, and take back what is left.
const oneService = `
- {source_labels: [exported_service], regex: (.+), target_label: "__said_${1}", replacement: "${1}"}
- {source_labels: [service], regex: (.+), target_label: "__said_${1}", replacement: ""}
- {action: labeldrop, regex: exported_service}
- {action: labelmap, regex: __said_.+, replacement: exported_service}
- {action: labeldrop, regex: __said_.+}
`
