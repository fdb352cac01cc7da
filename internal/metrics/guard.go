package metrics

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// The limits of Config, as metrics and the API name them.
const (
	limitTotal  = "total"
	limitMetric = "metric"
)

// houseReserve is the share of MaxSeries kept for the series that tell how things are: without them nobody is alerted.
const houseReserve = 10

const (
	mostGuarded   = 100       // metrics whose refusals are remembered by name
	guardedFor    = time.Hour // after which a metric that was not refused again may be forgotten
	guardSaysEach = time.Minute
)

// guard keeps a label of too many values from filling the memory: beyond the limits, no new series begins, while those that
// exist go on. The database calls it as series come and go.
type guard struct {
	total, metric int // most series in memory, of all and of one name; 0: any
	logger        *slog.Logger
	refusals      *prometheus.CounterVec
	armed         atomic.Bool // not while the log is replayed: what was taken once is taken back
	series        atomic.Int64

	mu      sync.Mutex
	of      map[string]int // by metric name, with a limit for it alone
	refused map[string]*RefusedMetric
	swept   time.Time
	said    time.Time
}

// RefusedMetric is a metric of which no new series was taken.
type RefusedMetric struct {
	Metric  string    `json:"metric"`
	Limit   string    `json:"limit" enum:"total,metric" doc:"the limit that was met last"`
	Job     string    `json:"job,omitempty" doc:"of the series refused last"`
	Samples int64     `json:"samples" doc:"refused since the start"`
	Last    time.Time `json:"last"`
}

func newGuard(c Config) (*guard, error) {
	g := &guard{total: c.MaxSeries, metric: c.MaxSeriesPerMetric, logger: c.Logger, of: map[string]int{}, refused: map[string]*RefusedMetric{}}
	g.refusals = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "daytwo_metrics_refused_samples_total",
		Help: "Samples that would have begun a series beyond the limits of series.",
	}, []string{"limit"})
	limits := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "daytwo_metrics_series_limit",
		Help: "Most series in memory, of all metrics and of one; 0: any number.",
	}, []string{"limit"})
	for limit, most := range map[string]int{limitTotal: g.total, limitMetric: g.metric} {
		g.refusals.WithLabelValues(limit)
		limits.WithLabelValues(limit).Set(float64(most))
	}
	return g, errors.Join(c.Registerer.Register(g.refusals), c.Registerer.Register(limits))
}

func (g *guard) on() bool { return g.total > 0 || g.metric > 0 }

// PreCreation implements tsdb.SeriesLifecycleCallback.
func (g *guard) PreCreation(ls labels.Labels) error {
	if !g.armed.Load() {
		return nil
	}
	name := ls.Get(model.MetricNameLabel)
	if most := int64(g.total); most > 0 {
		if tellsHowThingsAre(name) {
			most += (most + houseReserve - 1) / houseReserve
		}
		if g.series.Load() >= most {
			return g.refuse(name, ls.Get(model.JobLabel), limitTotal, g.total)
		}
	}
	if g.metric > 0 && g.count(name) >= g.metric {
		return g.refuse(name, ls.Get(model.JobLabel), limitMetric, g.metric)
	}
	return nil
}

// tellsHowThingsAre names what scraping and alerting write of themselves.
func tellsHowThingsAre(name string) bool {
	return name == "up" || name == "ALERTS" || name == "ALERTS_FOR_STATE" || strings.HasPrefix(name, "scrape_")
}

func (g *guard) count(name string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.of[name]
}

// PostCreation implements tsdb.SeriesLifecycleCallback.
func (g *guard) PostCreation(ls labels.Labels) {
	g.series.Add(1)
	if g.metric == 0 {
		return
	}
	name := ls.Get(model.MetricNameLabel)
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, known := g.of[name]; !known {
		name = strings.Clone(name) // not to hold the labels it is cut from
	}
	g.of[name]++
}

// PostDeletion implements tsdb.SeriesLifecycleCallback.
func (g *guard) PostDeletion(gone map[chunks.HeadSeriesRef]labels.Labels) {
	g.series.Add(-int64(len(gone)))
	if g.metric == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, ls := range gone {
		name := ls.Get(model.MetricNameLabel)
		if g.of[name]--; g.of[name] <= 0 {
			delete(g.of, name)
		}
	}
}

func (g *guard) refuse(name, job, limit string, most int) error {
	g.refusals.WithLabelValues(limit).Inc()
	now := time.Now().UTC()
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.remember(name, now); r != nil {
		r.Samples++
		r.Last, r.Limit = now, limit
		if r.Job != job {
			r.Job = strings.Clone(job)
		}
	}
	err := &refusedSeries{metric: name, limit: limit, most: most}
	if now.Sub(g.said) >= guardSaysEach {
		g.said = now
		g.logger.Warn("new series are refused", "error", err, "job", job)
	}
	return err
}

// remember is nil where there are too many names.
func (g *guard) remember(name string, now time.Time) *RefusedMetric {
	if r := g.refused[name]; r != nil {
		return r
	}
	if len(g.refused) >= mostGuarded && now.Sub(g.swept) > time.Minute {
		g.swept = now
		for name, r := range g.refused {
			if now.Sub(r.Last) > guardedFor {
				delete(g.refused, name)
			}
		}
	}
	if len(g.refused) >= mostGuarded {
		return nil
	}
	r := &RefusedMetric{Metric: strings.Clone(name)}
	g.refused[r.Metric] = r
	return r
}

// list is what was refused, the latest first.
func (g *guard) list() []RefusedMetric {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]RefusedMetric, 0, len(g.refused))
	for _, r := range g.refused {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b RefusedMetric) int {
		return cmp.Or(b.Last.Compare(a.Last), strings.Compare(a.Metric, b.Metric))
	})
	return all
}

// refusedSeries is the error of a sample whose series would be one too many. Receivers answer it with status 400, as they
// do for every storage.ErrOutOfBounds.
type refusedSeries struct {
	metric, limit string
	most          int
}

func (r *refusedSeries) Error() string {
	if r.limit == limitMetric {
		return fmt.Sprintf("a new series of %.100q: there are %d already, the most of one metric (DAYTWO_MAX_SERIES_PER_METRIC)", r.metric, r.most)
	}
	return fmt.Sprintf("a new series of %.100q: there are %d series already, the most of all metrics (DAYTWO_MAX_SERIES)", r.metric, r.most)
}

func (r *refusedSeries) Unwrap() error { return storage.ErrOutOfBounds }

// lenientAppender lets scrapes and rules go on without the series that the guard refused: one new label must not cost a
// target all its samples.
type lenientAppender struct{ storage.AppenderV2 }

// Append implements storage.AppenderV2.
func (a lenientAppender) Append(ref storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, opts storage.AOptions) (storage.SeriesRef, error) {
	got, err := a.AppenderV2.Append(ref, ls, st, t, v, h, fh, opts)
	var refused *refusedSeries
	if errors.As(err, &refused) {
		return 0, nil // counted by the guard
	}
	return got, err
}
