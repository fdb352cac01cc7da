package host

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	writev2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// staleBits is the NaN by which Prometheus marks the end of a series
// (prometheus/model/value.StaleNaN).
const staleBits uint64 = 0x7ff0000000000002

// series turns measurements into requests and remembers which series the last
// one had, so that those that are gone end at once instead of five minutes later.
type series struct {
	job, instance string
	last          map[string]model.Metric
}

func newSeries(job, instance string) *series {
	return &series{job: job, instance: instance, last: map[string]model.Metric{}}
}

// request is one measurement as remote write 2.0 sends it: every sample under
// job and instance, `up` and the duration beside them, as a scrape leaves them.
func (s *series) request(families []*dto.MetricFamily, at time.Time, took time.Duration) *writev2.Request {
	b := builder{symbols: writev2.NewSymbolTable(), now: at.UnixMilli()}
	current := make(map[string]model.Metric, len(s.last))
	add := func(metric model.Metric, value float64, meta *writev2.Metadata) {
		metric["job"], metric["instance"] = model.LabelValue(s.job), model.LabelValue(s.instance)
		current[metric.String()] = metric
		b.add(metric, value, meta)
	}
	for _, family := range families {
		meta := b.metadata(family)
		samples, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{Timestamp: model.TimeFromUnixNano(at.UnixNano())}, family)
		if err != nil {
			continue // a type that has no samples
		}
		for _, sample := range samples {
			add(sample.Metric, float64(sample.Value), meta)
		}
	}
	add(model.Metric{model.MetricNameLabel: "up"}, 1, nil)
	add(model.Metric{model.MetricNameLabel: "scrape_duration_seconds"}, took.Seconds(), nil)
	for id, metric := range s.last {
		if _, still := current[id]; !still {
			b.add(metric, math.Float64frombits(staleBits), nil)
		}
	}
	s.last = current
	return &writev2.Request{Symbols: b.symbols.Symbols(), Timeseries: b.series}
}

// builder collects the series of one request.
type builder struct {
	symbols writev2.SymbolsTable
	series  []*writev2.TimeSeries
	now     int64 // ms
}

func (b *builder) add(metric model.Metric, value float64, meta *writev2.Metadata) {
	refs := make([]uint32, 0, 2*len(metric))
	for _, name := range slices.Sorted(maps.Keys(metric)) {
		refs = append(refs, b.symbols.Symbolize(string(name)), b.symbols.Symbolize(string(metric[name])))
	}
	b.series = append(b.series, &writev2.TimeSeries{
		LabelsRefs: refs, Metadata: meta,
		Samples: []*writev2.Sample{{Value: value, Timestamp: b.now}},
	})
}

var kinds = map[dto.MetricType]writev2.Metadata_MetricType{
	dto.MetricType_COUNTER:   writev2.Metadata_METRIC_TYPE_COUNTER,
	dto.MetricType_GAUGE:     writev2.Metadata_METRIC_TYPE_GAUGE,
	dto.MetricType_HISTOGRAM: writev2.Metadata_METRIC_TYPE_HISTOGRAM,
	dto.MetricType_SUMMARY:   writev2.Metadata_METRIC_TYPE_SUMMARY,
}

func (b *builder) metadata(family *dto.MetricFamily) *writev2.Metadata {
	return &writev2.Metadata{Type: kinds[family.GetType()], HelpRef: b.symbols.Symbolize(strings.TrimSpace(family.GetHelp()))}
}
