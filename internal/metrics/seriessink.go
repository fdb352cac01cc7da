package metrics

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

const (
	maxExemplars = 1000 // of one series and request are looked at
	maxTold      = 10   // refusals of one request are told in words
)

var (
	errNoLabels  = errors.New("its labels are invalid")
	errNoSamples = errors.New("neither a sample nor a histogram")
)

// message is a version of remote write.
type message interface {
	// each hands over one series of a request after the other.
	each(request string, take func(*sentSeries) error) error
	histogram(encoded string) (sentHistogram, error)
	exemplar(encoded string) (exemplar.Exemplar, error)
}

// seriesSink appends the series of one request.
type seriesSink struct {
	app     *receivedAppender
	message message
	partial bool  // version 2.0: what is refused for good leaves the rest alone
	until   int64 // ms since 1970; later samples are refused

	written remoteapi.WriteResponseStats
	refused int     // of a partial request, samples and whatever else
	told    []error // the first of them
	invalid int     // samples without valid labels
	example string  // one's labels
	lost    int     // exemplars that leave no refusal
	why     error   // the first was
}

// refusals is the error of what was left out of a request that is stored.
func (s *seriesSink) refusals() error {
	if s.refused == 0 {
		return nil
	}
	all := errors.Join(s.told...)
	if more := s.refused - len(s.told); more > 0 {
		return fmt.Errorf("%w\nand %d more", all, more)
	}
	return all
}

// leaveOut is the error itself where it concerns the whole request.
func (s *seriesSink) leaveOut(err error) error {
	if err == nil || !s.partial || !refusedForGood(err) {
		return err
	}
	if s.refused++; len(s.told) < maxTold {
		s.told = append(s.told, err)
	}
	return nil
}

// brief is a series in an error or a line of the log.
func brief(ls labels.Labels) string {
	if ls.ByteSize() > 1<<10 {
		return fmt.Sprintf("%.100q", ls.Get(model.MetricNameLabel))
	}
	return ls.String()
}

// valid is the labels of a series that may be stored.
func (s *sentSeries) valid() (labels.Labels, error) {
	if err := s.broken(); err != nil {
		return labels.EmptyLabels(), err
	}
	ls := s.sorted()
	if twice, is := ls.HasDuplicateLabelNames(); is {
		return ls, fmt.Errorf("series %s: %w: %.100q twice", brief(ls), errNoLabels, twice)
	}
	if s.utf8 && !s.nameless && s.metric != "" {
		return ls, nil
	}
	if !ls.Has(model.MetricNameLabel) || !ls.IsValid(model.UTF8Validation) {
		return ls, fmt.Errorf("series %s: %w: a name is missing, or something is not UTF-8", brief(ls), errNoLabels)
	}
	return ls, nil
}

func (s *seriesSink) take(sent *sentSeries) error {
	samples := len(sent.samples) + len(sent.histograms)
	if sent.tooMuch() {
		return s.leaveOut(s.app.refuse(sent.refusal(), samples))
	}
	ls, err := sent.valid()
	if err != nil {
		if s.invalid += samples; s.example == "" {
			s.example = strings.Clone(err.Error())
		}
		if s.partial {
			return s.leaveOut(err)
		}
		return nil
	}
	if s.partial && sent.metadata != nil {
		return s.leaveOut(sent.metadata)
	}
	if s.partial && samples == 0 {
		return s.leaveOut(fmt.Errorf("series %s: %w", brief(ls), errNoSamples))
	}
	var ref storage.SeriesRef
	for _, sample := range sent.samples {
		if ref, err = s.append(ref, ls, sample, nil, nil); err == nil {
			s.written.Samples++
		} else if err = s.leaveOut(err); err != nil {
			return err
		}
	}
	for _, encoded := range sent.histograms {
		h, err := s.message.histogram(encoded)
		if err != nil {
			return fmt.Errorf("a histogram of %s: %w", brief(ls), err)
		}
		if ref, err = s.append(ref, ls, sentSample{start: h.start, at: h.at}, h.whole, h.float); err == nil {
			s.written.Histograms++
		} else if err = s.leaveOut(err); err != nil {
			return err
		}
	}
	return s.takeExemplars(ref, ls, sent.exemplars)
}

func (s *seriesSink) append(ref storage.SeriesRef, ls labels.Labels, sample sentSample, whole *histogram.Histogram, float *histogram.FloatHistogram) (storage.SeriesRef, error) {
	if sample.at > s.until {
		return 0, fmt.Errorf("series %s: %w: the time %d is more than %v in the future", brief(ls), storage.ErrOutOfBounds, sample.at, aheadTime)
	}
	// Finer histograms than the database keeps are made coarser.
	var err error
	if whole != nil && histogram.IsExponentialSchemaReserved(whole.Schema) && whole.Schema > histogram.ExponentialSchemaMax {
		err = whole.ReduceResolution(histogram.ExponentialSchemaMax)
	}
	if float != nil && histogram.IsExponentialSchemaReserved(float.Schema) && float.Schema > histogram.ExponentialSchemaMax {
		err = float.ReduceResolution(histogram.ExponentialSchemaMax)
	}
	if err != nil {
		return 0, err
	}
	ref, err = s.app.Append(ref, ls, sample.start, sample.at, sample.value, whole, float, storage.AOptions{})
	if err != nil && !errors.Is(err, (*storage.AppendPartialError)(nil)) {
		return 0, fmt.Errorf("series %s: %w", brief(ls), err)
	}
	return ref, nil
}

// takeExemplars leaves out what cannot be stored: an example is not worth a sample. Version 2.0 hears of the late and the
// broken ones, as in Prometheus.
func (s *seriesSink) takeExemplars(ref storage.SeriesRef, ls labels.Labels, encoded []string) error {
	if len(encoded) == 0 {
		return nil
	}
	if more := len(encoded) - maxExemplars; more > 0 {
		s.lose(more, ls, fmt.Errorf("more than %d at once", maxExemplars))
		encoded = encoded[more:] // the newest come last
	}
	all := make([]exemplar.Exemplar, 0, len(encoded))
	for _, one := range encoded {
		e, err := s.message.exemplar(one)
		switch {
		case errors.Is(err, errNoLabels):
			_ = s.leaveOut(fmt.Errorf("an exemplar of %s: %w", brief(ls), err)) // of version 2.0, which hears of it
		case errors.Is(err, storage.ErrOutOfBounds):
			s.lose(1, ls, err)
		case err != nil:
			return fmt.Errorf("an exemplar of %s: %w", brief(ls), err)
		case e.Ts > s.until:
			s.lose(1, ls, fmt.Errorf("the time %d is more than %v in the future", e.Ts, aheadTime))
		default:
			all = append(all, e)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, exemplar.Compare) // as storing them asks for
	_, err := s.app.AppendExemplars(ref, ls, all)
	some, is := errors.AsType[*storage.AppendPartialError](err)
	if !is {
		if err != nil {
			s.lose(len(all), ls, err)
			return nil
		}
		s.written.Exemplars += len(all)
		return nil
	}
	s.written.Exemplars += max(len(all)-len(some.ExemplarErrors), 0)
	for _, one := range some.ExemplarErrors {
		if s.partial && errors.Is(one, storage.ErrOutOfOrderExemplar) {
			_ = s.leaveOut(fmt.Errorf("series %s: %w", brief(ls), one))
		} else {
			s.lose(1, ls, one)
		}
	}
	return nil
}

func (s *seriesSink) lose(exemplars int, ls labels.Labels, why error) {
	if s.lost += exemplars; s.why == nil {
		s.why = fmt.Errorf("series %s: %w", brief(ls), why)
	}
}
