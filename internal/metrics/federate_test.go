package metrics_test

import (
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"

	"github.com/daytwo-dev/daytwo/internal/metrics"
)

func TestFederate(t *testing.T) {
	r := start(t, metrics.Config{ConfigFile: configFile(t, "global: {external_labels: {region: north, zone: a}}\n")})
	at := time.Now().Add(-time.Minute).UnixMilli()
	native := &histogram.FloatHistogram{Schema: 0, Count: 3, Sum: 4, PositiveSpans: []histogram.Span{{Offset: 0, Length: 2}}, PositiveBuckets: []float64{1, 2}}
	custom := &histogram.FloatHistogram{Schema: histogram.CustomBucketsSchema, Count: 3, Sum: 4, CustomValues: []float64{1, 2},
		PositiveSpans: []histogram.Span{{Offset: 0, Length: 2}}, PositiveBuckets: []float64{1, 2}}
	app := r.AppenderV2(t.Context())
	for _, s := range []struct {
		t      int64
		f      float64
		h      *histogram.FloatHistogram
		labels labels.Labels
	}{
		{at - 1000, 1, nil, labels.FromStrings("__name__", "up", "instance", "x", "job", "b")},
		{at, 2, nil, labels.FromStrings("__name__", "up", "instance", "x", "job", "b")},
		{at, 3, nil, labels.FromStrings("__name__", "alone", "zone", "own")},
		{at - 1000, 3, nil, labels.FromStrings("__name__", "ended")},
		{at, 0, nil, labels.FromStrings("__name__", "ended")},
		{at, 0, native, labels.FromStrings("__name__", "native")},
		{at, 0, custom, labels.FromStrings("__name__", "custom")},
		{at - 600_000, 9, nil, labels.FromStrings("__name__", "old")},
	} {
		f := s.f
		if s.labels.Get("__name__") == "ended" && s.t == at {
			f = stale
		}
		if _, err := app.Append(0, s.labels, 0, s.t, f, nil, s.h, storage.AOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	get := func(query, accept string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/federate?"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(body)
	}
	ms := "@"
	_, text := get(`match[]={__name__!=""}`, "text/plain")
	text = strings.ReplaceAll(text, timeText(at), ms)
	if want := `# TYPE alone untyped
alone{zone="own",instance="",region="north"} 3 @
# TYPE custom histogram
custom_bucket{instance="",region="north",zone="a",le="1"} 1 @
custom_bucket{instance="",region="north",zone="a",le="2"} 3 @
custom_bucket{instance="",region="north",zone="a",le="+Inf"} 3 @
custom_sum{instance="",region="north",zone="a"} 4 @
custom_count{instance="",region="north",zone="a"} 3 @
# TYPE up untyped
up{instance="x",job="b",region="north",zone="a"} 2 @
`; text != want {
		t.Errorf("text:\n%s\nwant:\n%s", text, want)
	}
	res, body := get(`match[]=native&match[]=up`, `application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited`)
	decoder := expfmt.NewDecoder(strings.NewReader(body), expfmt.ResponseFormat(res.Header))
	var names []string
	for {
		family := &dto.MetricFamily{}
		if err := decoder.Decode(family); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		names = append(names, family.GetName())
		if h := family.Metric[0].GetHistogram(); family.GetName() == "native" && (h.GetSampleCountFloat() != 3 || len(h.GetPositiveCount()) != 2) {
			t.Errorf("native histogram: %v", h)
		}
	}
	if strings.Join(names, " ") != "native up" {
		t.Errorf("families %v", names)
	}
	for _, query := range []string{"match[]=up{", "match[]="} {
		if res, body := get(query, ""); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s %s", query, res.Status, body)
		}
	}
}

var stale = math.Float64frombits(value.StaleNaN)

func timeText(ms int64) string { return strconv.FormatInt(ms, 10) }
