package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/daytwo-dev/daytwo/internal/wire"
)

// remoteWrite1 takes remote write 1.0, with the answers of Prometheus's receiver. That one makes an object of every label
// before it stores anything; this one reads the request where it lies, for two thirds of the time.
type remoteWrite1 struct {
	to     *received
	logger *slog.Logger
}

// aheadTime is how far in the future a sample may be, as in Prometheus.
const aheadTime = 10 * time.Minute

// maxExemplars of one series and request are looked at.
const maxExemplars = 1000

// remoteWrite takes what is of version 1.0 itself and leaves the rest to next.
func (m *Metrics) remoteWrite(next http.Handler) http.Handler {
	logger := m.cfg.Logger.With("part", "remote-write")
	first := remoteapi.NewWriteHandler(&remoteWrite1{m.received, logger}, remoteapi.MessageTypes{remoteapi.WriteV1MessageType}, remoteapi.WithWriteHandlerLogger(logger))
	ours := m.whenReady(first.ServeHTTP)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind := r.Header.Get("Content-Type")
		if message, err := remoteapi.ParseProtoMsg(kind); kind == "" || err == nil && message == remoteapi.WriteV1MessageType {
			ours(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Store is what remoteapi asks of a receiver, with the body already decompressed. It logs what it answers 500 with.
func (w *remoteWrite1) Store(r *http.Request, _ remoteapi.WriteMessageType) (*remoteapi.WriteResponse, error) {
	var body strings.Builder
	_, err := io.Copy(&body, r.Body)
	if err == nil {
		err = w.store(r.Context(), body.String())
	}
	answer := remoteapi.NewWriteResponse()
	var bad histogram.Error
	switch {
	case err == nil:
	case errors.Is(err, wire.ErrMalformed), errors.As(err, &bad), refusedForGood(err):
		w.logger.ErrorContext(r.Context(), "A remote write is refused", "error", err)
		answer.SetStatusCode(http.StatusBadRequest) // sending it again cannot help
	default:
		answer.SetStatusCode(http.StatusInternalServerError)
	}
	return answer, err
}

func refusedForGood(err error) bool {
	return errors.Is(err, storage.ErrOutOfOrderSample) || errors.Is(err, storage.ErrOutOfBounds) ||
		errors.Is(err, storage.ErrDuplicateSampleForTimestamp) || errors.Is(err, storage.ErrTooOldSample)
}

// store stores a WriteRequest, all of it or nothing but for what the receiver's limits and invalid labels keep out.
func (w *remoteWrite1) store(ctx context.Context, request string) (err error) {
	app, ok := w.to.AppenderV2(ctx).(*receivedAppender)
	if !ok {
		return tsdb.ErrNotReady
	}
	whole := false
	defer func() {
		if !whole {
			_ = app.Rollback() // the error before it is the one to tell
			return
		}
		err = app.Commit()
	}()
	s := seriesSink{app: app, until: time.Now().Add(aheadTime).UnixMilli()}
	if err := eachSeries(request, s.take); err != nil {
		return err
	}
	whole = true
	if s.invalid > 0 {
		w.to.refused.Add(float64(s.invalid))
		w.logger.WarnContext(ctx, "Samples that a remote write sent are left out, their labels are invalid", "samples", s.invalid, "first", s.example)
	}
	if s.lost > 0 {
		w.to.lost.Add(float64(s.lost))
		w.logger.WarnContext(ctx, "Exemplars that a remote write sent are left out", "exemplars", s.lost, "first", s.why)
	}
	return nil
}

// seriesSink appends series.
type seriesSink struct {
	app   *receivedAppender
	until int64 // ms since 1970; later samples are refused

	invalid int    // samples without valid labels
	example string // one's labels
	lost    int    // exemplars
	why     error  // the first was
}

// brief is a series in an error or a line of the log.
func brief(ls labels.Labels) string {
	if ls.ByteSize() > 1<<10 {
		return fmt.Sprintf("%.100q", ls.Get(model.MetricNameLabel))
	}
	return ls.String()
}

func (s *seriesSink) take(sent *sentSeries) error {
	if sent.tooMuch() {
		return s.app.refuse(fmt.Errorf("series %.100q: %d labels of %d bytes, at most %d of %d bytes are taken: %w",
			sent.metric, sent.names, sent.bytes, maxLabels, maxLabelBytes, storage.ErrOutOfBounds), len(sent.samples)+len(sent.histograms))
	}
	ls := sent.labels.Labels()
	if _, twice := ls.HasDuplicateLabelNames(); twice || !ls.Has(model.MetricNameLabel) || !ls.IsValid(model.UTF8Validation) {
		if s.invalid += len(sent.samples) + len(sent.histograms); s.example == "" {
			s.example = brief(ls)
		}
		return nil
	}
	var ref storage.SeriesRef
	var err error
	for _, sample := range sent.samples {
		if ref, err = s.append(ref, ls, sample.at, sample.value, nil, nil); err != nil {
			return err
		}
	}
	for _, encoded := range sent.histograms {
		var h prompb.Histogram
		if err := h.Unmarshal([]byte(encoded)); err != nil {
			return fmt.Errorf("a histogram of %s: %w: %w", brief(ls), wire.ErrMalformed, err)
		}
		var whole *histogram.Histogram
		var float *histogram.FloatHistogram
		if h.IsFloatHistogram() {
			float = h.ToFloatHistogram()
		} else {
			whole = h.ToIntHistogram()
		}
		if ref, err = s.append(ref, ls, h.Timestamp, 0, whole, float); err != nil {
			return err
		}
	}
	return s.takeExemplars(ref, ls, sent.exemplars)
}

func (s *seriesSink) append(ref storage.SeriesRef, ls labels.Labels, at int64, value float64, whole *histogram.Histogram, float *histogram.FloatHistogram) (storage.SeriesRef, error) {
	if at > s.until {
		return 0, fmt.Errorf("series %s: %w: the time %d is more than %v in the future", brief(ls), storage.ErrOutOfBounds, at, aheadTime)
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
	ref, err = s.app.Append(ref, ls, 0, at, value, whole, float, storage.AOptions{})
	if err != nil && !errors.Is(err, (*storage.AppendPartialError)(nil)) {
		return 0, fmt.Errorf("series %s: %w", brief(ls), err)
	}
	return ref, nil
}

// takeExemplars leaves out what cannot be stored: an example is not worth a sample.
func (s *seriesSink) takeExemplars(ref storage.SeriesRef, ls labels.Labels, encoded []string) error {
	if len(encoded) == 0 {
		return nil
	}
	if more := len(encoded) - maxExemplars; more > 0 {
		s.lose(more, ls, fmt.Errorf("more than %d at once", maxExemplars))
		encoded = encoded[more:] // the newest come last
	}
	all := make([]exemplar.Exemplar, 0, len(encoded))
	var b labels.ScratchBuilder
	for _, one := range encoded {
		var e prompb.Exemplar
		if err := e.Unmarshal([]byte(one)); err != nil {
			return fmt.Errorf("an exemplar of %s: %w: %w", brief(ls), wire.ErrMalformed, err)
		}
		if e.Timestamp > s.until {
			s.lose(1, ls, fmt.Errorf("the time %d is more than %v in the future", e.Timestamp, aheadTime))
			continue
		}
		all = append(all, e.ToExemplar(&b, nil))
	}
	slices.SortFunc(all, exemplar.Compare) // as storing them asks for
	_, err := s.app.AppendExemplars(ref, ls, all)
	if some, ok := errors.AsType[*storage.AppendPartialError](err); ok {
		s.lose(len(some.ExemplarErrors), ls, err)
	} else if err != nil {
		s.lose(len(all), ls, err)
	}
	return nil
}

func (s *seriesSink) lose(exemplars int, ls labels.Labels, why error) {
	if s.lost += exemplars; s.why == nil {
		s.why = fmt.Errorf("series %s: %w", brief(ls), why)
	}
}
