package metrics

import (
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"

	"github.com/daytwo-dev/daytwo/internal/wire"
)

// sentSeries is a TimeSeries of remote write. What it holds is good until the next is read.
type sentSeries struct {
	sentLabels
	samples               []sentSample
	histograms, exemplars []string // encoded; few series have any
	utf8                  bool     // of version 2.0: all symbols are known to be
	metadata              error    // of version 2.0: what is wrong with it
}

type sentSample struct {
	start, at int64 // ms since 1970; a start of 0 is unknown
	value     float64
}

type sentHistogram struct {
	start, at int64
	whole     *histogram.Histogram // or
	float     *histogram.FloatHistogram
}

// maxAtOnce is how many samples, histograms or exemplars are taken of one series, and how many symbols of one request.
// Without it, empty ones would take many times the memory that the request has.
const maxAtOnce = 1 << 20

var errTooMany = errors.New("send smaller batches")

// The fields of a WriteRequest and of what is in it, see prompb/remote.proto and types.proto of Prometheus.
const (
	requestSeries    = 1
	seriesLabels     = 1
	seriesSamples    = 2
	seriesExemplars  = 3
	seriesHistograms = 4
	labelName        = 1
	labelValue       = 2
	sampleValue      = 1
	sampleTime       = 2
)

// writeRequest is remote write 1.0.
type writeRequest struct{}

func (writeRequest) each(request string, take func(*sentSeries) error) error {
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

func (s *sentSeries) reset() {
	s.sentLabels.reset()
	s.samples, s.histograms, s.exemplars, s.metadata = s.samples[:0], s.histograms[:0], s.exemplars[:0], nil
}

func (s *sentSeries) read(series string) error {
	s.reset()
	f := wire.Of(series)
	for f.Next() {
		var err error
		switch f.Number {
		case seriesLabels:
			err = s.sentLabels.read(f.Text())
		case seriesSamples:
			err = s.readSample(f.Text(), 0)
		case seriesExemplars:
			s.exemplars, err = s.more(s.exemplars, f.Text())
		case seriesHistograms:
			s.histograms, err = s.more(s.histograms, f.Text())
		}
		if err != nil {
			return err
		}
	}
	return f.Err()
}

// readSample reads a Sample. The field of its start is 0 where it has none.
func (s *sentSeries) readSample(sample string, start uint64) error {
	var one sentSample
	f := wire.Of(sample)
	for f.Next() {
		switch f.Number {
		case sampleValue:
			one.value = f.Double()
		case sampleTime:
			one.at = f.Int()
		case start:
			one.start = f.Int()
		}
	}
	if len(s.samples) == maxAtOnce {
		return s.tooMany()
	}
	s.samples = append(s.samples, one)
	return f.Err()
}

// more is all with one more.
func (s *sentSeries) more(all []string, one string) ([]string, error) {
	if len(all) == maxAtOnce {
		return all, s.tooMany()
	}
	return append(all, one), nil
}

func (s *sentSeries) tooMany() error {
	return fmt.Errorf("more than %d samples, histograms or exemplars of series %.100q at once: %w", maxAtOnce, s.metric, errTooMany)
}

// decode makes a whole object of what is rare.
func decode(message interface{ Unmarshal([]byte) error }, encoded string) error {
	if err := message.Unmarshal([]byte(encoded)); err != nil {
		return fmt.Errorf("%w: %w", wire.ErrMalformed, err)
	}
	return nil
}

func (writeRequest) histogram(encoded string) (sentHistogram, error) {
	var h prompb.Histogram
	if err := decode(&h, encoded); err != nil {
		return sentHistogram{}, err
	}
	if h.IsFloatHistogram() {
		return sentHistogram{at: h.Timestamp, float: h.ToFloatHistogram()}, nil
	}
	return sentHistogram{at: h.Timestamp, whole: h.ToIntHistogram()}, nil
}

func (writeRequest) exemplar(encoded string) (exemplar.Exemplar, error) {
	var e prompb.Exemplar
	if err := decode(&e, encoded); err != nil {
		return exemplar.Exemplar{}, err
	}
	var b labels.ScratchBuilder
	return e.ToExemplar(&b, nil), nil
}
