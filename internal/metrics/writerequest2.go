package metrics

import (
	"fmt"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/exemplar"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"github.com/daytwo-dev/daytwo/internal/wire"
)

// The fields of a Request of version 2.0 and of what is in it where they differ from those of 1.0, see
// prompb/io/prometheus/write/v2/types.proto of Prometheus.
const (
	requestSymbols2   = 4
	requestSeries2    = 5
	seriesRefs2       = 1
	seriesSamples2    = 2
	seriesHistograms2 = 3
	seriesExemplars2  = 4
	seriesMetadata2   = 5
	sampleStart2      = 3
	exemplarRefs2     = 1
	exemplarValue2    = 2
	exemplarTime2     = 3
	metadataHelp2     = 3
	metadataUnit2     = 4
)

// writeRequest2 is remote write 2.0: what its series say in numbers are the symbols of the request.
type writeRequest2 struct {
	symbols []string
}

func (w *writeRequest2) each(request string, take func(*sentSeries) error) error {
	s := sentSeries{utf8: true}
	f := wire.Of(request)
	for f.Next() { // the symbols may come last
		switch f.Number {
		case requestSymbols2:
			s.utf8 = s.utf8 && utf8.ValidString(f.Text())
			if len(w.symbols) == maxAtOnce {
				return fmt.Errorf("more than %d symbols at once: %w", maxAtOnce, errTooMany)
			}
			w.symbols = append(w.symbols, f.Text())
		case requestSeries:
			return fmt.Errorf("%w: it is a request of version 1.0, which the Content-Type has to say: application/x-protobuf", wire.ErrMalformed)
		}
	}
	if f.Err() != nil {
		return f.Err()
	}
	f = wire.Of(request)
	for f.Next() {
		if f.Number != requestSeries2 {
			continue
		}
		if err := w.read(&s, f.Text()); err != nil {
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

func (w *writeRequest2) read(s *sentSeries, series string) error {
	s.reset()
	var help, unit uint32
	f := wire.Of(series)
	for f.Next() {
		var err error
		switch f.Number {
		case seriesRefs2:
			s.resolve(f.Numbers(), w.symbols)
		case seriesSamples2:
			err = s.readSample(f.Text(), sampleStart2)
		case seriesHistograms2:
			s.histograms, err = s.more(s.histograms, f.Text())
		case seriesExemplars2:
			s.exemplars, err = s.more(s.exemplars, f.Text())
		case seriesMetadata2:
			help, unit, err = readMetadata2(f.Text(), help, unit)
		}
		if err != nil {
			return err
		}
	}
	if most := max(help, unit); int(most) >= len(w.symbols) {
		s.metadata = fmt.Errorf("symbol %d of the metadata of series %.100q, of %d symbols: %w", most, s.metric, len(w.symbols), errNoLabels)
	}
	return f.Err()
}

// readMetadata2 reads what can be wrong with metadata. As in Prometheus unless it is told otherwise, none is stored.
func readMetadata2(metadata string, help, unit uint32) (uint32, uint32, error) {
	f := wire.Of(metadata)
	for f.Next() {
		switch f.Number {
		case metadataHelp2:
			help = uint32(f.Int()) //nolint:gosec // as protobuf has it
		case metadataUnit2:
			unit = uint32(f.Int()) //nolint:gosec // as protobuf has it
		}
	}
	return help, unit, f.Err()
}

func (*writeRequest2) histogram(encoded string) (sentHistogram, error) {
	var h writev2.Histogram
	if err := decode(&h, encoded); err != nil {
		return sentHistogram{}, err
	}
	sent := sentHistogram{start: h.StartTimestamp, at: h.Timestamp}
	if h.IsFloatHistogram() {
		sent.float = h.ToFloatHistogram()
	} else {
		sent.whole = h.ToIntHistogram()
	}
	return sent, nil
}

func (w *writeRequest2) exemplar(encoded string) (exemplar.Exemplar, error) {
	var l sentLabels
	var e exemplar.Exemplar
	f := wire.Of(encoded)
	for f.Next() {
		switch f.Number {
		case exemplarRefs2:
			l.resolve(f.Numbers(), w.symbols)
		case exemplarValue2:
			e.Value = f.Double()
		case exemplarTime2:
			e.Ts = f.Int()
			e.HasTs = e.Ts != 0
		}
	}
	switch {
	case f.Err() != nil:
		return e, f.Err()
	case l.broken() != nil:
		return e, l.broken()
	case l.tooMuch():
		return e, fmt.Errorf("an exemplar: %w", l.refusal())
	}
	e.Labels = l.sorted()
	return e, nil
}
