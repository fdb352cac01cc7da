package metrics

import (
	"fmt"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/daytwo-dev/daytwo/internal/wire"
)

// sentSeries is a TimeSeries of a WriteRequest. What it holds is good until the next is read.
type sentSeries struct {
	labels                labels.ScratchBuilder // in order; not all of them if there are too many
	names, bytes          int                   // of all labels
	metric                string
	samples               []sentSample
	histograms, exemplars []string // encoded; few series have any
}

type sentSample struct {
	at    int64 // ms since 1970
	value float64
}

// The fields of a WriteRequest and of what is in it, see prompb/remote.proto and types.proto of Prometheus.
const (
	requestSeries    = 1
	requestSymbols2  = 4 // of version 2.0
	requestSeries2   = 5
	seriesLabels     = 1
	seriesSamples    = 2
	seriesExemplars  = 3
	seriesHistograms = 4
	labelName        = 1
	labelValue       = 2
	sampleValue      = 1
	sampleTime       = 2
)

// eachSeries reads a WriteRequest and hands over one series after the other.
func eachSeries(request string, take func(*sentSeries) error) error {
	var s sentSeries
	f := wire.Of(request)
	for f.Next() {
		switch f.Number {
		case requestSeries:
		case requestSymbols2, requestSeries2:
			return fmt.Errorf("%w: it is a request of version 2.0, which the Content-Type has to say: application/x-protobuf;proto=io.prometheus.write.v2.Request", wire.ErrMalformed)
		default:
			continue // metadata, which Prometheus does not store either
		}
		if err := s.read(f.Text()); err != nil {
			return err
		}
		if f.Err() == nil {
			if err := take(&s); err != nil {
				return err
			}
		}
	}
	return f.Err()
}

func (s *sentSeries) read(series string) error {
	s.labels.Reset()
	s.names, s.bytes, s.metric = 0, 0, ""
	s.samples, s.histograms, s.exemplars = s.samples[:0], s.histograms[:0], s.exemplars[:0]
	f := wire.Of(series)
	for f.Next() {
		var err error
		switch f.Number {
		case seriesLabels:
			err = s.readLabel(f.Text())
		case seriesSamples:
			err = s.readSample(f.Text())
		case seriesExemplars:
			s.exemplars = append(s.exemplars, f.Text())
		case seriesHistograms:
			s.histograms = append(s.histograms, f.Text())
		}
		if err != nil {
			return err
		}
	}
	s.labels.Sort()
	return f.Err()
}

func (s *sentSeries) readLabel(label string) error {
	var name, value string
	f := wire.Of(label)
	for f.Next() {
		switch f.Number {
		case labelName:
			name = f.Text()
		case labelValue:
			value = f.Text()
		}
	}
	s.names++
	s.bytes += len(name) + len(value)
	if name == model.MetricNameLabel {
		s.metric = value
	}
	if !s.tooMuch() {
		s.labels.Add(name, value) // [labels.ScratchBuilder.Labels] copies
	}
	return f.Err()
}

// tooMuch tells whether there are more labels than a series may have.
func (s *sentSeries) tooMuch() bool { return s.names > maxLabels || s.bytes > maxLabelBytes }

func (s *sentSeries) readSample(sample string) error {
	var one sentSample
	f := wire.Of(sample)
	for f.Next() {
		switch f.Number {
		case sampleValue:
			one.value = f.Double()
		case sampleTime:
			one.at = f.Int()
		}
	}
	s.samples = append(s.samples, one)
	return f.Err()
}
