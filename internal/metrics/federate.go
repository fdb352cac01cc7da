package metrics

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"google.golang.org/protobuf/proto"
)

// federation answers /federate: the current sample of every series that one of match[] selects, as a target of another
// Prometheus. It answers in the formats and with the rules of Prometheus's own: external labels are added where a series
// has none of that name, `instance` is always there, series that have ended are left out, and native histograms are sent
// in protobuf alone.
type federation struct {
	m        *Metrics
	logger   *slog.Logger
	errors   prometheus.Counter
	warnings prometheus.Counter
}

func newFederation(m *Metrics) (*federation, error) {
	f := &federation{m: m, logger: m.cfg.Logger.With("part", "federation"),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "prometheus_web_federation_errors_total", Help: "Total number of errors that occurred while sending federation responses.",
		}),
		warnings: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "prometheus_web_federation_warnings_total", Help: "Total number of warnings that occurred while sending federation responses.",
		}),
	}
	return f, errors.Join(m.cfg.Registerer.Register(f.errors), m.cfg.Registerer.Register(f.warnings))
}

// current is the last sample of a series.
type current struct {
	labels labels.Labels
	t      int64
	f      float64
	h      *histogram.FloatHistogram
}

func (c current) kind() dto.MetricType {
	switch {
	case c.h == nil:
		return dto.MetricType_UNTYPED
	case c.h.CounterResetHint == histogram.GaugeType:
		return dto.MetricType_GAUGE_HISTOGRAM
	}
	return dto.MetricType_HISTOGRAM
}

func (f *federation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := f.m.Ready(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if err := r.ParseForm(); err != nil {
		http.Error(w, fmt.Sprintf("form values: %v", err), http.StatusBadRequest)
		return
	}
	matchers, err := f.m.parser.ParseMetricSelectors(r.Form["match[]"])
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	found, err := f.read(r, matchers)
	if err != nil {
		f.errors.Inc()
		status := http.StatusInternalServerError
		if errors.Is(err, tsdb.ErrNotReady) {
			status = http.StatusServiceUnavailable
		}
		http.Error(w, err.Error(), status)
		return
	}
	format := expfmt.NegotiateAccept(r.Header, expfmt.NewFormat(expfmt.TypeProtoDelim), expfmt.NewFormat(expfmt.TypeProtoText),
		expfmt.NewFormat(expfmt.TypeProtoCompact), expfmt.NewFormat(expfmt.TypeTextPlain))
	w.Header().Set("Content-Type", string(format))
	if err := f.write(expfmt.NewEncoder(w, format), format, found); err != nil {
		f.errors.Inc()
		f.logger.DebugContext(r.Context(), "federation was cut off", "error", err)
	}
}

// read collects what is current, by metric name.
func (f *federation) read(r *http.Request, matchers [][]*labels.Matcher) ([]current, error) {
	now := time.Now()
	from, to := now.Add(-lookback).UnixMilli(), now.UnixMilli()
	querier, err := f.m.db.localQuerier(from, to)
	if err != nil {
		return nil, err
	}
	defer func() { _ = querier.Close() }() // it only read
	var sets []storage.SeriesSet
	for _, each := range matchers {
		sets = append(sets, querier.Select(r.Context(), true, &storage.SelectHints{Start: from, End: to}, each...))
	}
	set := storage.NewMergeSeriesSet(sets, 0, storage.ChainedSeriesMerge)
	buffer := storage.NewBuffer(lookback.Milliseconds())
	var found []current
	var chunk chunkenc.Iterator
	for set.Next() {
		series := set.At()
		chunk = series.Iterator(chunk)
		buffer.Reset(chunk)
		last, ok := lastOf(buffer, to)
		if !ok || value.IsStaleNaN(last.f) || last.h != nil && value.IsStaleNaN(last.h.Sum) {
			continue
		}
		last.labels = series.Labels()
		if len(found) >= f.m.cfg.QuerySamples {
			return nil, fmt.Errorf("more than %d series match: select fewer", f.m.cfg.QuerySamples)
		}
		found = append(found, last)
	}
	if n := len(set.Warnings()); n > 0 {
		f.warnings.Add(float64(n))
	}
	slices.SortStableFunc(found, func(a, b current) int {
		return cmp.Compare(a.labels.Get(model.MetricNameLabel), b.labels.Get(model.MetricNameLabel))
	})
	return found, set.Err()
}

// lastOf is the sample at a time, or else the last one before it.
func lastOf(buffer *storage.BufferedSeriesIterator, at int64) (c current, ok bool) {
	switch buffer.Seek(at) {
	case chunkenc.ValFloat:
		c.t, c.f = buffer.At()
		return c, true
	case chunkenc.ValHistogram, chunkenc.ValFloatHistogram:
		c.t, c.h = buffer.AtFloatHistogram(nil)
		return c, true
	}
	before, ok := buffer.PeekBack(1)
	if !ok {
		return c, false
	}
	c.t = before.T()
	switch before.Type() {
	case chunkenc.ValFloat:
		c.f = before.F()
	case chunkenc.ValHistogram:
		c.h = before.H().ToFloat(nil)
	case chunkenc.ValFloatHistogram:
		c.h = before.FH().Copy() // the buffer takes its own back
	default:
		return c, false
	}
	return c, true
}

// write sends one family after the other; a name has several where its series are of several types.
func (f *federation) write(encoder expfmt.Encoder, format expfmt.Format, found []current) error {
	external := f.m.inForce.Load().GlobalConfig.ExternalLabels.Map()
	if _, ok := external[model.InstanceLabel]; !ok {
		external[model.InstanceLabel] = ""
	}
	names := slices.Sorted(maps.Keys(external))
	var family *dto.MetricFamily
	for _, one := range found {
		name := one.labels.Get(model.MetricNameLabel)
		if name == "" || one.h != nil && !one.h.UsesCustomBuckets() && format.FormatType() == expfmt.TypeTextPlain {
			continue
		}
		if family != nil && (family.GetName() != name || family.GetType() != one.kind()) {
			if err := encoder.Encode(family); err != nil {
				return err
			}
			family = nil
		}
		if family == nil {
			family = &dto.MetricFamily{Name: proto.String(name), Type: one.kind().Enum()}
		}
		family.Metric = append(family.Metric, one.metric(names, external))
	}
	if family == nil {
		return nil
	}
	return encoder.Encode(family)
}

// metric is the sample with its labels, and those external ones whose names it lacks.
func (c current) metric(names []string, external map[string]string) *dto.Metric {
	m := &dto.Metric{TimestampMs: proto.Int64(c.t)}
	add := func(name, value string) {
		m.Label = append(m.Label, &dto.LabelPair{Name: proto.String(name), Value: proto.String(value)})
	}
	c.labels.Range(func(l labels.Label) {
		if l.Name != model.MetricNameLabel && l.Value != "" {
			add(l.Name, l.Value)
		}
	})
	for _, name := range names {
		if c.labels.Get(name) == "" {
			add(name, external[name])
		}
	}
	switch {
	case c.h == nil:
		m.Untyped = &dto.Untyped{Value: proto.Float64(c.f)}
	case c.h.UsesCustomBuckets():
		m.Histogram = classic(c.h)
	default:
		m.Histogram = native(c.h)
	}
	return m
}

func native(h *histogram.FloatHistogram) *dto.Histogram {
	return &dto.Histogram{
		SampleCountFloat: proto.Float64(h.Count), SampleSum: proto.Float64(h.Sum),
		Schema: proto.Int32(h.Schema), ZeroThreshold: proto.Float64(h.ZeroThreshold), ZeroCountFloat: proto.Float64(h.ZeroCount),
		PositiveSpan: spans(h.PositiveSpans), PositiveCount: h.PositiveBuckets,
		NegativeSpan: spans(h.NegativeSpans), NegativeCount: h.NegativeBuckets,
	}
}

func spans(in []histogram.Span) (out []*dto.BucketSpan) {
	for _, s := range in {
		out = append(out, &dto.BucketSpan{Offset: proto.Int32(s.Offset), Length: proto.Uint32(s.Length)})
	}
	return out
}

// classic writes a histogram with bounds of its own as cumulative buckets; the one up to +Inf goes without saying.
func classic(h *histogram.FloatHistogram) *dto.Histogram {
	out := &dto.Histogram{SampleCountFloat: proto.Float64(h.Count), SampleSum: proto.Float64(h.Sum)}
	counts := map[int32]float64{}
	for buckets := h.PositiveBucketIterator(); buckets.Next(); {
		counts[buckets.At().Index] = buckets.At().Count
	}
	below := 0.0
	for i, bound := range h.CustomValues {
		below += counts[int32(i)]
		out.Bucket = append(out.Bucket, &dto.Bucket{UpperBound: proto.Float64(bound), CumulativeCountFloat: proto.Float64(below)})
	}
	return out
}
