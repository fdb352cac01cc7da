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
// before it stores anything; this one reads the request where it lies, for half the time.
type remoteWrite1 struct {
	to     *received
	logger *slog.Logger
}

// aheadTime is how far in the future a sample may be, as in Prometheus.
const aheadTime = 10 * time.Minute

// remoteWrite takes what is of version 1.0 itself and leaves the rest to next.
func (m *Metrics) remoteWrite(next http.Handler) http.Handler {
	first := remoteapi.NewWriteHandler(&remoteWrite1{m.received, m.cfg.Logger.With("part", "remote-write")}, remoteapi.MessageTypes{remoteapi.WriteV1MessageType})
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

// Store is what remoteapi asks of a receiver, with the body already decompressed.
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
	app, ok := w.to.AppenderV2(ctx).(storage.ExemplarAppenderV2)
	if !ok {
		return tsdb.ErrNotReady
	}
	defer func() {
		if err != nil {
			_ = app.Rollback() // the error before it is the one to tell
			return
		}
		err = app.Commit()
	}()
	s := seriesSink{app: app, until: time.Now().Add(aheadTime).UnixMilli()}
	if err := eachSeries(request, s.take); err != nil {
		if refusedForGood(err) {
			w.logger.ErrorContext(ctx, "Samples that a remote write sent are refused", "error", err)
		}
		return err
	}
	if s.invalid > 0 {
		w.to.refused.Add(float64(s.invalid))
		w.logger.WarnContext(ctx, "Samples that a remote write sent are left out, their labels are invalid", "samples", s.invalid, "first", s.example)
	}
	if s.lost != nil {
		w.logger.DebugContext(ctx, "Exemplars that a remote write sent are left out", "error", s.lost)
	}
	return nil
}

// seriesSink appends series.
type seriesSink struct {
	app   storage.ExemplarAppenderV2
	until int64 // ms since 1970; later samples are refused

	invalid int    // samples without valid labels
	example string // one's labels
	lost    error  // of the exemplars
}

func (s *seriesSink) take(sent *sentSeries) error {
	ls := sent.labels.Labels()
	if _, twice := ls.HasDuplicateLabelNames(); twice || !ls.Has(model.MetricNameLabel) || !ls.IsValid(model.UTF8Validation) {
		if s.invalid += len(sent.samples) + len(sent.histograms); s.example == "" {
			s.example = ls.String()
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
			return fmt.Errorf("a histogram of %s: %w: %w", ls, wire.ErrMalformed, err)
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
	s.takeExemplars(ref, ls, sent.exemplars)
	return nil
}

func (s *seriesSink) append(ref storage.SeriesRef, ls labels.Labels, at int64, value float64, whole *histogram.Histogram, float *histogram.FloatHistogram) (storage.SeriesRef, error) {
	if at > s.until {
		return 0, fmt.Errorf("series %s: %w: the time %d is more than %v in the future", ls, storage.ErrOutOfBounds, at, aheadTime)
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
		return 0, fmt.Errorf("series %s: %w", ls, err)
	}
	return ref, nil
}

// takeExemplars leaves out what cannot be stored: an example is not worth a sample.
func (s *seriesSink) takeExemplars(ref storage.SeriesRef, ls labels.Labels, encoded []string) {
	if len(encoded) == 0 {
		return
	}
	all := make([]exemplar.Exemplar, 0, len(encoded))
	var b labels.ScratchBuilder
	for _, one := range encoded {
		var e prompb.Exemplar
		err := e.Unmarshal([]byte(one))
		if err == nil && e.Timestamp > s.until {
			err = storage.ErrOutOfBounds
		}
		if err != nil {
			s.lost = fmt.Errorf("series %s: %w", ls, err)
			continue
		}
		all = append(all, e.ToExemplar(&b, nil))
	}
	slices.SortFunc(all, exemplar.Compare) // as storing them asks for
	if _, err := s.app.AppendExemplars(ref, ls, all); err != nil {
		s.lost = fmt.Errorf("series %s: %w", ls, err)
	}
}
