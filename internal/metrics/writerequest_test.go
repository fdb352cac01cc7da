package metrics_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gogo/protobuf/proto"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"google.golang.org/protobuf/encoding/protowire"

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

// Whatever protobuf's decoder makes of a request, ours makes of it too. It refuses requests of version 2.0 and fields of the
// wire types that protobuf has left behind, and may take a request whose exemplars or histograms, which it reads later, are
// broken. Of labels over the limits it keeps the first.
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
		f.Add(append(slices.Clone(b), 0x35, 1, 2, 3, 4))                   // an unknown fixed32
		f.Add(append([]byte{0x8a, 0x80, 0x80, 0x80, 0x80, 0x04, 0}, b...)) // a number whose upper bits are lost
		f.Add(append([]byte{0x0a, 0x06, 0x0a, 0x04, 0x09, 0, 0, 0}, b...))
		if len(b) > 5 {
			f.Add(b[:len(b)-5])
		}
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		want, wantErr := seriesByProtobuf(request)
		got, err := seriesByUs(request)
		switch {
		case wantErr == nil && err != nil && !leftBehind(request, 0):
			t.Errorf("refused: %v", err)
		case wantErr == nil && err == nil && !slices.Equal(got, want):
			t.Errorf("got %q\nwant %q", got, want)
		}
	})
}

// leftBehind tells whether a message has groups, or fields of version 2.0.
func leftBehind(message []byte, depth int) bool {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return false
		}
		message = message[n:]
		if kind == protowire.StartGroupType || kind == protowire.EndGroupType || depth == 0 && (number == 4 || number == 5) {
			return true
		}
		n = protowire.ConsumeFieldValue(number, kind, message)
		if n < 0 {
			return false
		}
		if kind == protowire.BytesType && depth < 2 {
			if inside, _ := protowire.ConsumeBytes(message); leftBehind(inside, depth+1) {
				return true
			}
		}
		message = message[n:]
	}
	return false
}
