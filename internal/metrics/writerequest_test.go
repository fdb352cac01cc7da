package metrics_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gogo/protobuf/proto"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"

	"github.com/daytwo-dev/daytwo/internal/metrics"
)

// seriesByProtobuf is a request as protobuf's own decoder has it: the model.
func seriesByProtobuf(request []byte) (all []string, err error) {
	var whole prompb.WriteRequest
	if err := proto.Unmarshal(request, &whole); err != nil {
		return nil, err
	}
	b := labels.NewScratchBuilder(0)
	for _, s := range whole.Timeseries {
		var at []int64
		var values []float64
		for _, one := range s.Samples {
			at, values = append(at, one.Timestamp), append(values, one.Value)
		}
		all = append(all, fmt.Sprint(s.ToLabels(&b, nil).String(), at, values, len(s.Histograms)+len(s.Exemplars)))
	}
	return all, nil
}

func seriesByUs(request []byte) (all []string, err error) {
	err = metrics.EachSeries(string(request), func(ls labels.Labels, at []int64, values []float64, others int) {
		all = append(all, fmt.Sprint(ls.String(), at, values, others))
	})
	return all, err
}

// Whatever protobuf's decoder makes of a request, ours makes of it too; what that refuses, ours may take apart from
// histograms and exemplars, which it reads later.
func FuzzWriteRequest(f *testing.F) {
	for _, request := range []*prompb.WriteRequest{
		{},
		{Timeseries: []prompb.TimeSeries{
			{Labels: labelsV1("__name__", "one", "z", "1", "a", ""), Samples: []prompb.Sample{{Value: 7, Timestamp: -1}, {Value: 1e300, Timestamp: 1 << 60}}},
			{Labels: labelsV1("b", "2"), Exemplars: []prompb.Exemplar{{Labels: labelsV1("trace_id", "x"), Value: 1}}, Histograms: []prompb.Histogram{{Sum: 3}}},
			{},
		}, Metadata: []prompb.MetricMetadata{{Type: 1, MetricFamilyName: "one", Help: "h"}}},
	} {
		b, err := proto.Marshal(request)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(append(slices.Clone(b), 0x25, 1, 2, 3, 4)) // an unknown fixed32
		f.Add(append([]byte{0x0a, 0x06, 0x0a, 0x04, 0x09, 0, 0, 0}, b...))
		if len(b) > 5 {
			f.Add(b[:len(b)-5])
		}
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		want, wantErr := seriesByProtobuf(request)
		got, err := seriesByUs(request)
		switch {
		case wantErr == nil && err != nil && !usesGroups(request):
			t.Errorf("refused: %v", err)
		case wantErr == nil && err == nil && !slices.Equal(got, want):
			t.Errorf("got %q\nwant %q", got, want)
		}
	})
}

// usesGroups tells whether a request may have fields of the wire types 3 and 4, which protobuf has left behind and
// nothing of ours writes.
func usesGroups(request []byte) bool {
	return slices.ContainsFunc(request, func(b byte) bool { return b&7 == 3 || b&7 == 4 })
}
