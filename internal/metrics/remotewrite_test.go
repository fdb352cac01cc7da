package metrics_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gogo/protobuf/proto"
	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/daytwo-dev/daytwo/internal/metrics"
)

// What is sent to Prometheus's receiver and to ours is answered alike and leaves the same in the database.
func TestRemoteWriteIsPrometheus(t *testing.T) {
	for _, second := range []bool{false, true} {
		for seed := range uint64(8) {
			t.Run(fmt.Sprintf("2.0 %v %d", second, seed), func(t *testing.T) {
				theirDB, ourDB := openTSDB(t), openTSDB(t)
				theirs := remote.NewWriteHandler(slog.New(slog.DiscardHandler), prometheus.NewRegistry(), theirDB,
					remoteapi.MessageTypes{remoteapi.WriteV1MessageType, remoteapi.WriteV2MessageType}, false, false)
				ours, err := metrics.NewRemoteWrite(ourDB)
				if err != nil {
					t.Fatal(err)
				}
				g := requests{rand.New(rand.NewPCG(seed, 7)), time.Now().UnixMilli()}
				for range 60 {
					var message proto.Message = g.first()
					kind := v1Type
					if second {
						message, kind = g.second(), v2Type
					}
					body := marshal(t, message)
					want, got := answered(theirs, kind, body), answered(ours, kind, body)
					if got != want {
						t.Fatalf("%v\ngot  %s\nwant %s", message, got, want)
					}
				}
				if want, got := everything(t, theirDB), everything(t, ourDB); !slices.Equal(got, want) {
					t.Errorf("stored %d: %.3000q\nwant %d: %.3000q", len(got), got, len(want), want)
				} else if len(got) < 20 {
					t.Errorf("only %d things are stored", len(got))
				}
			})
		}
	}
}

func openTSDB(t *testing.T) *tsdb.DB {
	t.Helper()
	options := tsdb.DefaultOptions()
	options.EnableExemplarStorage, options.MaxExemplars = true, 10_000
	options.EnableSTStorage, options.FloatChunkEncoding = true, chunkenc.EncXOR2
	options.OutOfOrderTimeWindow = time.Minute.Milliseconds()
	db, err := tsdb.Open(t.TempDir(), slog.New(slog.DiscardHandler), nil, options, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// answered is the status and what is said to be written.
func answered(h http.Handler, kind string, body []byte) string {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Content-Encoding", "snappy")
	h.ServeHTTP(w, r)
	out := fmt.Sprint(w.Code)
	for _, of := range []string{"Samples", "Histograms", "Exemplars"} {
		out += " " + w.Header().Get("X-Prometheus-Remote-Write-"+of+"-Written")
	}
	return out
}

// everything is all that a database keeps.
func everything(t *testing.T, db *tsdb.DB) (all []string) {
	t.Helper()
	q, err := db.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	any := labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".*")
	set := q.Select(t.Context(), true, nil, any)
	for set.Next() {
		it := set.At().Iterator(nil)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			at, value := it.AtT(), ""
			switch kind {
			case chunkenc.ValHistogram:
				_, h := it.AtHistogram(nil)
				value = h.String()
			case chunkenc.ValFloatHistogram:
				_, h := it.AtFloatHistogram(nil)
				value = h.String()
			default:
				_, v := it.At()
				value = fmt.Sprint(v)
			}
			all = append(all, fmt.Sprint(set.At().Labels(), at, it.AtST(), value))
		}
		if it.Err() != nil {
			t.Fatal(it.Err())
		}
	}
	exemplars, err := db.ExemplarQuerier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found, err := exemplars.Select(math.MinInt64, math.MaxInt64, []*labels.Matcher{any})
	if err != nil || set.Err() != nil {
		t.Fatal(err, set.Err())
	}
	for _, of := range found {
		for _, e := range of.Exemplars {
			all = append(all, fmt.Sprint(of.SeriesLabels, e))
		}
	}
	slices.Sort(all)
	return all
}

// requests makes requests, of which some have something wrong with them.
type requests struct {
	*rand.Rand
	now int64
}

func (g requests) oneIn(n int) bool { return g.IntN(n) == 0 }

// at is a time, mostly one that fits.
func (g requests) at() int64 {
	switch g.IntN(25) {
	case 0:
		return g.now + time.Hour.Milliseconds()
	case 1:
		return g.now - 3*time.Hour.Milliseconds()
	default:
		return g.now - g.Int64N(120_000)
	}
}

func (g requests) labels() (pairs []string) {
	pairs = []string{"__name__", fmt.Sprintf("m%d", g.IntN(6))}
	for i := range g.IntN(4) {
		pairs = append(pairs, fmt.Sprintf("l%d", i), []string{"", "a", "é"}[g.IntN(3)])
	}
	switch g.IntN(20) {
	case 0:
		pairs = pairs[2:]
	case 1:
		pairs = append(pairs, "x", "\xff")
	case 2:
		pairs = append(pairs, "x", "1", "x", "2")
	case 3:
		slices.Reverse(pairs)
		pairs[0], pairs[1] = "last", "first"
	}
	return pairs
}

func (g requests) whole() *histogram.Histogram {
	h := &histogram.Histogram{Schema: int32(g.IntN(4)), Count: 5, Sum: 7, ZeroThreshold: 0.1, ZeroCount: 1,
		PositiveSpans: []histogram.Span{{Offset: int32(g.IntN(3)), Length: 2}}, PositiveBuckets: []int64{3, -2}}
	switch g.IntN(12) {
	case 0:
		h.Count = 1
	case 1:
		h.PositiveBuckets = h.PositiveBuckets[:1]
	case 2:
		h.Schema = 12
	case 3:
		h.Schema = 77
	}
	return h
}

func (g requests) exemplar() exemplar.Exemplar {
	e := exemplar.Exemplar{Labels: labels.FromStrings("trace_id", fmt.Sprint(g.IntN(5))), Value: float64(g.IntN(3)), Ts: g.at()}
	if g.oneIn(10) {
		e.Labels = labels.FromStrings("trace_id", strings.Repeat("x", 200))
	}
	return e
}

// series is how many of what one has.
func (g requests) series() (samples, histograms, exemplars int) {
	if g.oneIn(4) {
		histograms = 1 + g.IntN(2)
	} else if !g.oneIn(20) {
		samples = 1 + g.IntN(3)
	}
	if g.oneIn(3) {
		exemplars = 1 + g.IntN(4)
	}
	return samples, histograms, exemplars
}

func (g requests) first() *prompb.WriteRequest {
	r := &prompb.WriteRequest{}
	for range 1 + g.IntN(4) {
		s := prompb.TimeSeries{Labels: labelsV1(g.labels()...)}
		samples, histograms, exemplars := g.series()
		for range samples {
			s.Samples = append(s.Samples, prompb.Sample{Timestamp: g.at(), Value: float64(g.IntN(3))})
		}
		for range histograms {
			if h := g.whole(); g.oneIn(2) {
				s.Histograms = append(s.Histograms, prompb.FromIntHistogram(g.at(), h))
			} else {
				s.Histograms = append(s.Histograms, prompb.FromFloatHistogram(g.at(), h.ToFloat(nil)))
			}
		}
		for range exemplars {
			e := g.exemplar()
			s.Exemplars = append(s.Exemplars, prompb.Exemplar{Labels: prompb.FromLabels(e.Labels, nil), Value: e.Value, Timestamp: e.Ts})
		}
		r.Timeseries = append(r.Timeseries, s)
	}
	return r
}

func (g requests) second() *writev2.Request {
	table, r := writev2.NewSymbolTable(), &writev2.Request{}
	refs := func(pairs []string) (out []uint32) {
		for _, s := range pairs {
			out = append(out, table.Symbolize(s))
		}
		switch g.IntN(25) {
		case 0:
			out = out[:max(len(out)-1, 0)]
		case 1:
			out = append(out, 1, 4000)
		}
		return out
	}
	for range 1 + g.IntN(4) {
		s := writev2.TimeSeries{LabelsRefs: refs(g.labels())}
		if g.oneIn(2) {
			s.Metadata = writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_GAUGE, HelpRef: table.Symbolize("Some help."), UnitRef: table.Symbolize("s")}
		}
		if g.oneIn(20) {
			s.Metadata.UnitRef = 4000
		}
		samples, histograms, exemplars := g.series()
		for range samples {
			at := g.at()
			s.Samples = append(s.Samples, writev2.Sample{Timestamp: at, Value: float64(g.IntN(3)), StartTimestamp: at - g.Int64N(1000)})
		}
		for range histograms {
			if h := g.whole(); g.oneIn(2) {
				s.Histograms = append(s.Histograms, writev2.FromIntHistogram(g.at()-5000, g.at(), h))
			} else {
				s.Histograms = append(s.Histograms, writev2.FromFloatHistogram(g.at()-5000, g.at(), h.ToFloat(nil)))
			}
		}
		for range exemplars {
			e := g.exemplar()
			var pairs []string
			e.Labels.Range(func(l labels.Label) { pairs = append(pairs, l.Name, l.Value) })
			s.Exemplars = append(s.Exemplars, writev2.Exemplar{LabelsRefs: refs(pairs), Value: e.Value, Timestamp: e.Ts})
		}
		r.Timeseries = append(r.Timeseries, s)
	}
	r.Symbols = table.Symbols()
	return r
}
