package metrics_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gogo/protobuf/proto"
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/daytwo-dev/daytwo/internal/metrics"
)

// post sends a body and returns status, headers and answer.
func post(t *testing.T, url, kind string, body []byte, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(answer)
}

func marshal(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return snappy.Encode(nil, b)
}

const (
	v1Type = "application/x-protobuf"
	v2Type = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
)

func labelsV1(pairs ...string) (out []prompb.Label) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, prompb.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	return out
}

func TestRemoteWriteV1(t *testing.T) {
	r := start(t, metrics.Config{})
	url := r.url + "/api/v1/write"
	now := time.Now().UnixMilli()
	h := prompb.FromIntHistogram(now, &histogram.Histogram{Schema: 1, Count: 3, Sum: 5, ZeroThreshold: 0.1,
		PositiveSpans: []histogram.Span{{Offset: 0, Length: 1}}, PositiveBuckets: []int64{3}})
	good := &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{
		{Labels: labelsV1("__name__", "one", "job", "j"), Samples: []prompb.Sample{{Value: 7, Timestamp: now}},
			Exemplars: []prompb.Exemplar{{Labels: labelsV1("trace_id", "abc"), Value: 7, Timestamp: now}}},
		{Labels: labelsV1("__name__", "native", "job", "j"), Histograms: []prompb.Histogram{h}},
		{Labels: labelsV1("__name__", "büro.größe", "straße", "1"), Samples: []prompb.Sample{{Value: 1, Timestamp: now}}},
	}}
	if status, _, answer := post(t, url, v1Type, marshal(t, good), "Content-Encoding", "snappy"); status != http.StatusNoContent {
		t.Fatalf("%d %s", status, answer)
	}
	for expr, want := range map[string]float64{`one{job="j"}`: 7, `histogram_count(native)`: 3, `{"büro.größe", "straße"="1"}`: 1} {
		if got := r.value(t, expr); got != want {
			t.Errorf("%s = %v, want %v", expr, got, want)
		}
	}
	found, err := r.client.QueryExemplars(t.Context(), "one", time.Now().Add(-time.Hour), time.Now().Add(time.Minute))
	if err != nil || len(found) != 1 || len(found[0].Exemplars) != 1 || found[0].Exemplars[0].Labels["trace_id"] != "abc" {
		t.Errorf("exemplars: %+v, %v", found, err)
	}

	// A series that would harm everybody is refused, and the others of the request are stored.
	var many []string
	for i := range 300 {
		many = append(many, fmt.Sprintf("l%03d", i), "v")
	}
	bomb := &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{
		{Labels: labelsV1(append([]string{"__name__", "bomb"}, many...)...), Samples: []prompb.Sample{{Value: 1, Timestamp: now}}},
		{Labels: labelsV1("__name__", "long", "x", strings.Repeat("y", 20_000)), Samples: []prompb.Sample{{Value: 1, Timestamp: now}}},
		{Labels: labelsV1("__name__", "beside"), Samples: []prompb.Sample{{Value: 2, Timestamp: now}}},
	}}
	status, _, answer := post(t, url, v1Type, marshal(t, bomb), "Content-Encoding", "snappy")
	if status != http.StatusBadRequest || !strings.Contains(answer, "2 samples were refused, the others are stored") || !strings.Contains(answer, "at most 256") {
		t.Errorf("label bomb: %d %s", status, answer)
	}
	if got := r.value(t, "beside"); got != 2 {
		t.Errorf("beside = %v", got)
	}
	if v, err := r.Query(t.Context(), `{__name__=~"bomb|long"}`, time.Now()); err != nil || len(v) != 0 {
		t.Errorf("stored of the bomb: %v, %v", v, err)
	}

	// Labels that are none leave their samples out, and an exemplar that cannot be kept only itself.
	odd := &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{
		{Labels: labelsV1("job", "nameless"), Samples: []prompb.Sample{{Value: 1, Timestamp: now}}},
		{Labels: labelsV1("__name__", "twice", "a", "1", "a", "2"), Samples: []prompb.Sample{{Value: 1, Timestamp: now}}},
		{Labels: labelsV1("__name__", "broken", "a", "\xff"), Samples: []prompb.Sample{{Value: 1, Timestamp: now}}},
		{Labels: labelsV1("z", "1", "__name__", "unordered", "a", "2"), Samples: []prompb.Sample{{Value: 4, Timestamp: now - 1000}, {Value: 5, Timestamp: now}},
			Exemplars: []prompb.Exemplar{{Labels: labelsV1("trace_id", "later"), Value: 7, Timestamp: now + time.Hour.Milliseconds()}}},
		{Labels: labelsV1("__name__", "fine"), Histograms: []prompb.Histogram{prompb.FromFloatHistogram(now, &histogram.FloatHistogram{Schema: 3, Count: 2.5, Sum: 5,
			PositiveSpans: []histogram.Span{{Offset: 0, Length: 1}}, PositiveBuckets: []float64{2.5}})}},
	}}
	if status, _, answer := post(t, url, v1Type, marshal(t, odd), "Content-Encoding", "snappy"); status != http.StatusNoContent {
		t.Errorf("odd series: %d %s", status, answer)
	}
	for expr, want := range map[string]float64{`unordered{a="2",z="1"}`: 5, "histogram_count(fine)": 2.5, `count({__name__=~"unordered|fine|twice|broken"} or {job="nameless"})`: 2} {
		if got := r.value(t, expr); got != want {
			t.Errorf("%s = %v, want %v", expr, got, want)
		}
	}

	// What cannot be stored takes its request with it.
	ahead := &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{
		{Labels: labelsV1("__name__", "before"), Samples: []prompb.Sample{{Value: 1, Timestamp: now}}},
		{Labels: labelsV1("__name__", "ahead"), Samples: []prompb.Sample{{Value: 1, Timestamp: now + time.Hour.Milliseconds()}}},
	}}
	cut := marshal(t, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{
		{Labels: labelsV1("__name__", "before"), Samples: []prompb.Sample{{Value: 1, Timestamp: now}}},
		{Labels: labelsV1("__name__", "cut"), Histograms: []prompb.Histogram{h}},
	}})
	whole, err := snappy.Decode(nil, cut)
	if err != nil {
		t.Fatal(err)
	}
	for want, body := range map[string][]byte{
		`series {__name__="ahead"}: out of bounds`: marshal(t, ahead),
		"malformed protobuf":                       snappy.Encode(nil, whole[:len(whole)-3]),
	} {
		if status, _, answer := post(t, url, v1Type, body, "Content-Encoding", "snappy"); status != http.StatusBadRequest || !strings.Contains(answer, want) {
			t.Errorf("%d %s, want 400 with %q", status, answer, want)
		}
	}
	if v, err := r.Query(t.Context(), `{__name__=~"before|ahead|cut"}`, time.Now()); err != nil || len(v) != 0 {
		t.Errorf("stored of what was refused: %v, %v", v, err)
	}

	// Bombs are refused without being built, and what they make of errors is short.
	one := prompb.Sample{Value: 1, Timestamp: now}
	broken := make([]prompb.Exemplar, 3000)
	for i := range broken {
		broken[i].Timestamp = now + time.Hour.Milliseconds()
	}
	for name, c := range map[string]struct {
		series prompb.TimeSeries
		status int
		want   string
	}{
		"a value of 17 MiB": {prompb.TimeSeries{Labels: labelsV1("a", strings.Repeat("y", 17<<20), "__name__", "huge"), Samples: []prompb.Sample{one}},
			400, `1 samples were refused, the others are stored: series "huge": 2 labels of`},
		"half a million labels":    {prompb.TimeSeries{Labels: make([]prompb.Label, 500_000), Samples: []prompb.Sample{one}}, 400, `500000 labels of 0 bytes, at most 256`},
		"a long series too early":  {prompb.TimeSeries{Labels: labelsV1("__name__", "early", "x", strings.Repeat("y", 15_000)), Samples: []prompb.Sample{{Timestamp: now + time.Hour.Milliseconds()}}}, 400, `series "early": out of bounds`},
		"exemplars beyond measure": {prompb.TimeSeries{Labels: labelsV1("__name__", "shown"), Samples: []prompb.Sample{one}, Exemplars: broken}, 204, ""},
	} {
		kept := "kept_" + strings.ReplaceAll(name, " ", "_")
		status, _, answer := post(t, url, v1Type, marshal(t, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{Labels: labelsV1("__name__", kept), Samples: []prompb.Sample{one}}, c.series}}), "Content-Encoding", "snappy")
		if status != c.status || !strings.Contains(answer, c.want) || len(answer) > 1000 {
			t.Errorf("%s: %d %.1000s", name, status, answer)
		}
		if v, err := r.Query(t.Context(), kept, time.Now()); err != nil || len(v) != 1 && name != "a long series too early" {
			t.Errorf("%s: what was sent beside it: %v, %v", name, v, err)
		}
	}
	second := marshal(t, &writev2.Request{Symbols: []string{""}})
	if status, _, answer := post(t, url, v1Type, second, "Content-Encoding", "snappy"); status != http.StatusBadRequest || !strings.Contains(answer, "version 2.0") {
		t.Errorf("version 2.0 that says it is 1.0: %d %s", status, answer)
	}

	late := &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{Labels: labelsV1("__name__", "one", "job", "j"), Samples: []prompb.Sample{{Value: 8, Timestamp: now}}}}}
	for name, c := range map[string]struct {
		kind string
		body []byte
		want int
	}{
		"another value at a time that has one": {v1Type, marshal(t, late), 400},
		"no snappy":                            {v1Type, []byte("hello"), 400},
		"no protobuf":                          {v1Type, snappy.Encode(nil, []byte("hello")), 400},
		"an unknown message":                   {"application/x-protobuf;proto=x.Y", marshal(t, good), 415},
		"no type of ours":                      {"text/plain", marshal(t, good), 415},
		"larger than a request should be":      {v1Type, make([]byte, 33<<20), 413},
	} {
		if status, _, answer := post(t, url, c.kind, c.body, "Content-Encoding", "snappy"); status != c.want {
			t.Errorf("%s: %d %.200s, want %d", name, status, answer, c.want)
		}
	}
}

func TestRemoteWriteV2(t *testing.T) {
	r := start(t, metrics.Config{})
	now := time.Now().UnixMilli()
	table := writev2.NewSymbolTable()
	refs := func(pairs ...string) (out []uint32) {
		for _, s := range pairs {
			out = append(out, table.Symbolize(s))
		}
		return out
	}
	req := &writev2.Request{Timeseries: []writev2.TimeSeries{
		{LabelsRefs: refs("__name__", "two", "job", "j"), Samples: []writev2.Sample{{Value: 7, Timestamp: now}},
			Metadata: writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_COUNTER}},
		{LabelsRefs: refs("__name__", "bomb", "x", strings.Repeat("y", 20_000)), Samples: []writev2.Sample{{Value: 1, Timestamp: now}}},
		{LabelsRefs: refs("__name__", "after"), Samples: []writev2.Sample{{Value: 3, Timestamp: now}}},
	}}
	req.Symbols = table.Symbols()
	status, header, answer := post(t, r.url+"/api/v1/write", v2Type, marshal(t, req), "Content-Encoding", "snappy", "X-Prometheus-Remote-Write-Version", "2.0.0")
	if status != http.StatusBadRequest || header.Get("X-Prometheus-Remote-Write-Samples-Written") != "2" || !strings.Contains(answer, `label "x" has 20000 bytes`) {
		t.Errorf("%d %v %s", status, header, answer)
	}
	for expr, want := range map[string]float64{"two": 7, "after": 3} {
		if got := r.value(t, expr); got != want {
			t.Errorf("%s = %v, want %v", expr, got, want)
		}
	}
}

func TestOTLP(t *testing.T) {
	r := start(t, metrics.Config{})
	made := pmetric.NewMetrics()
	resource := made.ResourceMetrics().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "checkout")
	resource.Resource().Attributes().PutStr("service.instance.id", "1")
	gauge := resource.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	gauge.SetName("queue.depth")
	gauge.SetUnit("By")
	point := gauge.SetEmptyGauge().DataPoints().AppendEmpty()
	point.SetDoubleValue(5)
	point.SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-time.Second)))
	req := pmetricotlp.NewExportRequestFromMetrics(made)
	binary, err := req.MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	if status, header, answer := post(t, r.url+"/v1/metrics", "application/x-protobuf", binary); status != 200 || answer != "" || header.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("protobuf: %d %v %q", status, header, answer)
	}
	if got := r.value(t, `queue_depth_bytes{job="checkout",instance="1"}`); got != 5 {
		t.Errorf("queue_depth_bytes = %v", got)
	}
	point.SetDoubleValue(6)
	point.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	text, err := req.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if status, _, answer := post(t, r.url+"/api/v1/otlp/v1/metrics", "application/json", text); status != 200 || answer != "{}" {
		t.Errorf("JSON: %d %q", status, answer)
	}
	if got := r.value(t, `queue_depth_bytes{job="checkout"}`); got != 6 {
		t.Errorf("queue_depth_bytes = %v", got)
	}
	if status, _, answer := post(t, r.url+"/v1/metrics", "application/json", []byte("{")); status != 400 || answer == "" {
		t.Errorf("broken JSON: %d %q", status, answer)
	}
	nested := []byte{}
	for _, field := range append(slices.Repeat([]protowire.Number{1, 5}, 500), 2, 7, 1, 5, 2, 2, 1) {
		nested = protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), nested)
	}
	for _, tt := range []struct {
		name, kind string
		body       []byte
		says       string
	}{
		{"nested protobuf", "application/x-protobuf", nested, "nested more than"},
		{"nested JSON", "application/json", []byte(`{"resourceMetrics":` + strings.Repeat("[", 1_000)), "nested more than"},
		{"a million points in JSON", "application/json", []byte(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"x","exponentialHistogram":{"dataPoints":[` +
			strings.Repeat(`{},`, 1_000_000) + `{}]}}]}]}]}`), "send smaller batches"},
	} {
		if status, _, answer := post(t, r.url+"/v1/metrics", tt.kind, tt.body); status != 400 || !strings.Contains(answer, tt.says) {
			t.Errorf("%s: %d %q", tt.name, status, answer)
		}
	}
}
