package metrics_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gogo/protobuf/proto"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
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
		all = append(all, metrics.InWords(s.ToLabels(&b, nil).String(), len(s.Histograms), len(s.Exemplars)))
		for _, one := range s.Samples {
			all = append(all, fmt.Sprint(0, one.Timestamp, one.Value))
		}
	}
	return all, nil
}

// seriesByProtobuf2 is that of version 2.0.
func seriesByProtobuf2(request []byte) (all []string, err error) {
	var whole writev2.Request
	if err := proto.Unmarshal(request, &whole); err != nil {
		return nil, err
	}
	b := labels.NewScratchBuilder(0)
	for _, s := range whole.Timeseries {
		ls, err := s.ToLabels(&b, whole.Symbols)
		if _, metadata := s.ToMetadata(whole.Symbols); err != nil || metadata != nil {
			all = append(all, "broken")
			continue
		}
		all = append(all, metrics.InWords(ls.String(), len(s.Histograms), len(s.Exemplars)))
		for _, one := range s.Samples {
			all = append(all, fmt.Sprint(one.StartTimestamp, one.Timestamp, one.Value))
		}
	}
	return all, nil
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
		got, err := metrics.EachSeries(string(request), false)
		compareSeries(t, got, want, err, wantErr, leftBehind(request, 0, 4, 5))
	})
}

// compareSeries leaves alone what the model refuses, and what it takes and ours may refuse.
func compareSeries(t *testing.T, got, want []string, err, wantErr error, mayRefuse bool) {
	t.Helper()
	switch {
	case wantErr == nil && err != nil && !mayRefuse:
		t.Errorf("refused: %v", err)
	case wantErr == nil && err == nil && !slices.Equal(got, want):
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// The same of version 2.0, which refuses requests of version 1.0.
func FuzzWriteRequest2(f *testing.F) {
	for _, request := range []*writev2.Request{
		{},
		{Symbols: []string{"", "__name__", "one", "z", "1", "a", "trace_id", "unit"}, Timeseries: []writev2.TimeSeries{
			{LabelsRefs: []uint32{1, 2, 3, 4, 5, 0}, Samples: []writev2.Sample{{Value: 7, Timestamp: -1}, {Value: 1e300, Timestamp: 1 << 60, StartTimestamp: 5}},
				Metadata: writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_COUNTER, UnitRef: 7}},
			{LabelsRefs: []uint32{5, 4}, Exemplars: []writev2.Exemplar{{LabelsRefs: []uint32{6, 2}, Value: 1}}, Histograms: []writev2.Histogram{{Sum: 3}}},
			{LabelsRefs: []uint32{1}},
			{LabelsRefs: []uint32{1, 300}},
			{Metadata: writev2.Metadata{HelpRef: 8}},
			{},
		}},
	} {
		b, err := proto.Marshal(request)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(append(slices.Clone(b), 0x2a, 4, 0x08, 1, 0x08, 2)) // numbers that are not packed
		f.Add(append([]byte{0x2a, 3, 0x0a, 1, 0x80}, b...))
		if len(b) > 5 {
			f.Add(b[:len(b)-5])
		}
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		want, wantErr := seriesByProtobuf2(request)
		got, err := metrics.EachSeries(string(request), true)
		compareSeries(t, got, want, err, wantErr, leftBehind(request, 0, 1))
	})
}

// leftBehind tells whether a message has groups, or fields of the other version.
func leftBehind(message []byte, depth int, others ...protowire.Number) bool {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return false
		}
		message = message[n:]
		if kind == protowire.StartGroupType || kind == protowire.EndGroupType || depth == 0 && slices.Contains(others, number) {
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
