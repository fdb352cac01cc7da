package push

import (
	"fmt"
	"maps"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// shown is a family as the API shows it.
type shown struct {
	At      time.Time        `json:"time_stamp"`
	Type    string           `json:"type"`
	Help    string           `json:"help,omitempty"`
	Metrics []map[string]any `json:"metrics"`
}

// list is every group as the API shows it: its labels, whether the last push succeeded, and each family by its name.
func (g *Gateway) list() []map[string]any {
	groups := g.snapshot()
	list := []map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		one := groups[id]
		entry := map[string]any{}
		for name, f := range one.all() {
			s := shown{At: f.at, Type: f.GetType().String(), Help: f.GetHelp(), Metrics: []map[string]any{}}
			for _, m := range f.Metric {
				s.Metrics = append(s.Metrics, showMetric(m, f.GetType()))
			}
			entry[name] = s
		}
		entry["labels"], entry["last_push_successful"] = one.labels, one.pushed.After(one.failed)
		list = append(list, entry)
	}
	return list
}

func showMetric(m *dto.Metric, kind dto.MetricType) map[string]any {
	labels := map[string]string{}
	for _, l := range m.Label {
		labels[l.GetName()] = l.GetValue()
	}
	out := map[string]any{"labels": labels}
	switch kind {
	case dto.MetricType_SUMMARY:
		quantiles := map[string]string{}
		for _, q := range m.GetSummary().GetQuantile() {
			quantiles[fmt.Sprint(q.GetQuantile())] = fmt.Sprint(q.GetValue())
		}
		out["quantiles"], out["count"], out["sum"] = quantiles, fmt.Sprint(m.GetSummary().GetSampleCount()), fmt.Sprint(m.GetSummary().GetSampleSum())
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		h := m.GetHistogram()
		buckets := map[string]string{}
		for _, b := range h.GetBucket() {
			buckets[fmt.Sprint(b.GetUpperBound())] = fmt.Sprint(max(b.GetCumulativeCountFloat(), float64(b.GetCumulativeCount())))
		}
		out["buckets"], out["sum"] = buckets, fmt.Sprint(h.GetSampleSum())
		out["count"] = fmt.Sprint(max(h.GetSampleCountFloat(), float64(h.GetSampleCount())))
	default:
		out["value"] = fmt.Sprint(value(m))
	}
	return out
}

func value(m *dto.Metric) float64 {
	switch {
	case m.Gauge != nil:
		return m.GetGauge().GetValue()
	case m.Counter != nil:
		return m.GetCounter().GetValue()
	}
	return m.GetUntyped().GetValue()
}
