package metrics_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"github.com/daytwo-dev/daytwo/internal/metrics"
)

// writeSeries sends one sample of each series {name, n="from"…} by remote write 1.
func writeSeries(t *testing.T, url, name string, from, to int, at time.Time, v float64) (status int, answer string) {
	t.Helper()
	var req prompb.WriteRequest
	for n := from; n < to; n++ {
		req.Timeseries = append(req.Timeseries, prompb.TimeSeries{
			Labels:    labelsV1("__name__", name, "job", "sender", "n", fmt.Sprint(n)),
			Samples:   []prompb.Sample{{Value: v, Timestamp: at.UnixMilli()}},
			Exemplars: []prompb.Exemplar{{Labels: labelsV1("trace_id", "abc"), Value: v, Timestamp: at.UnixMilli()}},
		})
	}
	status, _, answer = post(t, url+"/api/v1/write", v1Type, marshal(t, &req), "Content-Encoding", "snappy")
	return status, answer
}

func TestGuardRefusesNewSeriesAndKeepsTheOthers(t *testing.T) {
	dir := t.TempDir()
	r := start(t, metrics.Config{Dir: dir, MaxSeriesPerMetric: 10, MaxSeries: 50})
	at := time.Now().Add(-time.Minute)
	if status, answer := writeSeries(t, r.url, "bomb", 0, 8, at, 1); status != http.StatusNoContent {
		t.Fatal(status, answer)
	}
	// Two more fit; the others of the request are refused, and it says so.
	status, answer := writeSeries(t, r.url, "bomb", 0, 30, at.Add(time.Second), 2)
	if status != http.StatusBadRequest || !strings.Contains(answer, "20 samples were refused") || !strings.Contains(answer, "DAYTWO_MAX_SERIES_PER_METRIC") {
		t.Errorf("beyond the limit of a metric: %d %s", status, answer)
	}
	v2 := writev2.Request{Symbols: []string{"", "__name__", "bomb", "n", "new"}, Timeseries: []writev2.TimeSeries{
		{LabelsRefs: []uint32{1, 2, 3, 4}, Samples: []writev2.Sample{{Value: 1, Timestamp: at.UnixMilli()}}}}}
	if status, _, answer := post(t, r.url+"/api/v1/write", v2Type, marshal(t, &v2), "Content-Encoding", "snappy"); status != http.StatusBadRequest || !strings.Contains(answer, "a new series of") {
		t.Errorf("by version 2: %d %s", status, answer)
	}
	for expr, want := range map[string]float64{`count(bomb)`: 10, `sum(bomb)`: 20} {
		if got := one(t, r, expr); got != want {
			t.Errorf("%s is %v, want %v", expr, got, want)
		}
	}
	// The limit of all metrics, with what tells how things are beyond it.
	for i := range 6 {
		writeSeries(t, r.url, fmt.Sprintf("other_%d", i), 0, 9, at, 1)
	}
	if status, answer := writeSeries(t, r.url, "late", 0, 1, at, 1); status != http.StatusBadRequest || !strings.Contains(answer, "DAYTWO_MAX_SERIES)") {
		t.Errorf("beyond the limit of all: %d %s", status, answer)
	}
	if status, answer := writeSeries(t, r.url, "up", 0, 5, at, 1); status != http.StatusNoContent {
		t.Errorf("up: %d %s", status, answer)
	}
	if status, _ := writeSeries(t, r.url, "up", 5, 6, at, 1); status != http.StatusBadRequest {
		t.Errorf("the reserve has no end: %d", status)
	}
	limits := r.SeriesLimits()
	if limits.Series != 55 || limits.MaxSeries != 50 || len(limits.Refused) < 3 || limits.Refused[0].Metric != "up" || limits.Refused[0].Job != "sender" {
		t.Errorf("limits: %+v", limits)
	}

	// A restart takes back all there was, whatever the limits are by then.
	r.stop()
	r = start(t, metrics.Config{Dir: dir, MaxSeriesPerMetric: 3})
	if status, answer := writeSeries(t, r.url, "bomb", 0, 10, at.Add(2*time.Second), 3); status != http.StatusNoContent {
		t.Errorf("series that exist after a restart with a smaller limit: %d %s", status, answer)
	}
	if status, _ := writeSeries(t, r.url, "bomb", 10, 11, at.Add(2*time.Second), 3); status != http.StatusBadRequest {
		t.Errorf("a new series after a restart with a smaller limit: %d", status)
	}
	if got := r.SeriesLimits().Series; got != 55 {
		t.Errorf("%d series after a restart, want 55", got)
	}
}

func TestGuardLetsScrapesGoOn(t *testing.T) {
	var scrapes atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := scrapes.Add(1)
		fmt.Fprintf(w, "good %d\n", n)
		for i := range 5 {
			fmt.Fprintf(w, "bomb{id=\"%d-%d\"} 1\n", n, i)
		}
	}))
	defer target.Close()
	r := start(t, metrics.Config{MaxSeriesPerMetric: 7, TargetInterval: 50 * time.Millisecond})
	if err := r.AddTargets("shop", []metrics.Target{{URL: target.URL}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "scrapes with a label that always changes", func() (bool, string) {
		v, err := r.Query(t.Context(), `good > 5 and on() up{job="shop"} == 1`, time.Now())
		return err == nil && len(v) == 1, fmt.Sprint(v, err)
	})
	if got := one(t, r, `count(last_over_time(bomb[1m]))`); got != 7 {
		t.Errorf("%v series of the bomb, want 7", got)
	}
	if limits := r.SeriesLimits(); len(limits.Refused) != 1 || limits.Refused[0].Metric != "bomb" || limits.Refused[0].Job != "shop" || limits.Refused[0].Limit != "metric" {
		t.Errorf("limits: %+v", limits)
	}
}

// one is the value of an expression that yields one sample now.
func one(t *testing.T, r *running, expr string) float64 {
	t.Helper()
	v, err := r.Query(t.Context(), expr, time.Now())
	if err != nil || len(v) != 1 {
		t.Fatalf("%s: %v, %v", expr, v, err)
	}
	return v[0].F
}
