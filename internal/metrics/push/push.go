// Package push takes the metrics of batch jobs that are gone before anybody could scrape them, as Prometheus's Pushgateway
// does and by its HTTP API: jobs push groups, a group stays until it is replaced or deleted, and all of them are one target
// to be scraped with honor_labels. Unlike the Pushgateway, a push is on disk before it is answered.
package push

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Limits of what is kept.
const (
	maxBody   = 16 << 20 // bytes of one push, decompressed
	maxGroups = 10_000
	maxSeries = 200_000 // over all groups
)

// Metrics that every group has, with the labels of its grouping key.
const (
	pushTime    = "push_time_seconds"
	failureTime = "push_failure_time_seconds"
)

// Config says where groups are kept.
type Config struct {
	Dir        string // made when the first group comes
	Version    string // shown by the API
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time // time.Now if nil
	// OnFirst is called once, when there is a group to scrape: at New or at the first push.
	OnFirst func()
}

// Gateway holds groups of pushed metrics. It is an http.Handler, see ServeHTTP.
type Gateway struct {
	cfg     Config
	started time.Time
	first   sync.Once
	pushes  *prometheus.CounterVec

	mu     sync.Mutex
	groups map[string]*group
}

// New reads the groups kept in Config.Dir.
func New(c Config) (*Gateway, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.OnFirst == nil {
		c.OnFirst = func() {}
	}
	g := &Gateway{cfg: c, started: c.Now().UTC(), groups: map[string]*group{}, pushes: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "daytwo_pushes_total", Help: "Pushes of metrics by batch jobs, by how they ended.",
	}, []string{"result"})}
	if err := g.restore(); err != nil {
		return nil, err
	}
	if len(g.groups) > 0 {
		g.first.Do(c.OnFirst)
	}
	return g, c.Registerer.Register(g.pushes)
}

// group is what was pushed under one grouping key. A stored group is never changed, but replaced.
type group struct {
	labels   map[string]string // the grouping key: job and more
	pushed   time.Time         // zero: no push succeeded
	failed   time.Time         // zero: none failed
	families map[string]family
}

// family is all metrics of one name in a group.
type family struct {
	*dto.MetricFamily
	at time.Time // when it was pushed
}

// key of a grouping key is the same for the same labels.
func key(labels map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&b, "%q=%q,", name, labels[name])
	}
	return b.String()
}

// series of a group, its two of its own included.
func (g *group) series() int {
	n := 2
	for _, f := range g.families {
		n += len(f.Metric)
	}
	return n
}

// put stores a push: instead of all that the group has, or else of the families that it brings.
func (g *Gateway) put(labels map[string]string, families map[string]*dto.MetricFamily, replace bool) error {
	now := g.cfg.Now().UTC()
	next := &group{labels: labels, pushed: now, families: map[string]family{}}
	g.mu.Lock()
	defer g.mu.Unlock()
	id := key(labels)
	old := g.groups[id]
	if old != nil {
		next.failed = old.failed
		if !replace {
			maps.Copy(next.families, old.families)
		}
	}
	err := prepare(labels, families)
	for name, f := range families {
		if name != pushTime && name != failureTime { // they are ours
			next.families[name] = family{f, now}
		}
	}
	if err == nil {
		err = g.admit(id, next)
	}
	if err != nil {
		failed := &group{labels: labels, failed: now}
		if old != nil {
			failed.pushed, failed.families = old.pushed, old.families
		}
		return errors.Join(err, g.keep(id, failed))
	}
	return g.keep(id, next)
}

// prepare puts the labels of the grouping key on what was pushed.
func prepare(labels map[string]string, families map[string]*dto.MetricFamily) error {
	for _, f := range families {
		for _, m := range f.Metric {
			if m.TimestampMs != nil {
				return problem.New(problem.Invalid, "pushed metrics must not have timestamps: %s has one", f.GetName())
			}
			label(m, labels)
		}
	}
	return nil
}

// admit checks a group against itself, the others and the limits.
func (g *Gateway) admit(id string, next *group) error {
	if _, known := g.groups[id]; !known && len(g.groups) >= maxGroups {
		return problem.New(problem.TooLarge, "there are %d groups, more are not kept", maxGroups).WithMend("delete groups that nobody pushes to any more")
	}
	all := maps.Clone(g.groups)
	all[id] = next
	series := 0
	for _, one := range all {
		series += one.series()
	}
	if series > maxSeries {
		return problem.New(problem.TooLarge, "the groups would hold %d series, at most %d are kept", series, maxSeries).WithMend("push fewer series, or delete groups")
	}
	for name, f := range next.families {
		for other, one := range all {
			if theirs, ok := one.families[name]; ok && other != id && theirs.GetType() != f.GetType() {
				return problem.New(problem.Invalid, "%s is %s here and %s in the group %s", name, lower(f.GetType()), lower(theirs.GetType()), other)
			}
		}
	}
	_, err := prometheus.Gatherers{prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return merge(all), nil })}.Gather()
	return err
}

func lower(t dto.MetricType) string { return strings.ToLower(t.String()) }

// label puts the labels of the grouping key on a metric, whatever it says itself. Without an instance it gets an empty one,
// so that a scrape adds none.
func label(m *dto.Metric, key map[string]string) {
	m.Label = slices.DeleteFunc(m.Label, func(l *dto.LabelPair) bool { _, ours := key[l.GetName()]; return ours })
	for name, value := range key {
		m.Label = append(m.Label, &dto.LabelPair{Name: proto.String(name), Value: proto.String(value)})
	}
	if !slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetName() == "instance" }) {
		m.Label = append(m.Label, &dto.LabelPair{Name: proto.String("instance"), Value: proto.String("")})
	}
	slices.SortFunc(m.Label, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
}

// keep puts a group in place of the one before, on disk first.
func (g *Gateway) keep(id string, next *group) error {
	if err := g.write(id, next); err != nil {
		return err
	}
	g.groups[id] = next
	g.first.Do(g.cfg.OnFirst)
	return nil
}

// delete removes a group, if there is one.
func (g *Gateway) delete(labels map[string]string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.remove(key(labels))
}

func (g *Gateway) remove(id string) error {
	if err := os.Remove(g.file(id)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return problem.New(problem.Unavailable, "forget a group of pushed metrics: %w", err)
	}
	delete(g.groups, id)
	return nil
}

// wipe removes every group.
func (g *Gateway) wipe() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id := range g.groups {
		if err := g.remove(id); err != nil {
			return err
		}
	}
	return nil
}

// snapshot is the groups as they are now.
func (g *Gateway) snapshot() map[string]*group {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.groups)
}

// Gather implements prometheus.Gatherer: the metrics of all groups.
func (g *Gateway) Gather() ([]*dto.MetricFamily, error) { return merge(g.snapshot()), nil }

// merge joins the families of all groups by name. Where help differs, that of the first group counts.
func merge(groups map[string]*group) []*dto.MetricFamily {
	byName := map[string]*dto.MetricFamily{}
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		for name, f := range groups[id].all() {
			joined := byName[name]
			if joined == nil {
				joined = &dto.MetricFamily{Name: proto.String(name), Help: f.Help, Type: f.Type, Unit: f.Unit}
				byName[name] = joined
			}
			joined.Metric = append(joined.Metric, f.Metric...)
		}
	}
	families := slices.Collect(maps.Values(byName))
	slices.SortFunc(families, func(a, b *dto.MetricFamily) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return families
}

// all is the families of a group with the two that every group has.
func (g *group) all() map[string]family {
	all := maps.Clone(g.families)
	if all == nil {
		all = map[string]family{}
	}
	all[pushTime] = g.own(pushTime, "Last Unix time when changing this group in the Pushgateway succeeded.", g.pushed)
	all[failureTime] = g.own(failureTime, "Last Unix time when changing this group in the Pushgateway failed.", g.failed)
	return all
}

func (g *group) own(name, help string, at time.Time) family {
	seconds := 0.0
	if !at.IsZero() {
		seconds = float64(at.UnixNano()) / 1e9
	}
	m := &dto.Metric{Gauge: &dto.Gauge{Value: &seconds}}
	label(m, g.labels)
	return family{&dto.MetricFamily{Name: &name, Help: &help, Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{m}}, at}
}
