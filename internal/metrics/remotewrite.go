package metrics

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/daytwo-dev/daytwo/internal/wire"
)

// remoteWrite takes remote write 1.0 and 2.0, with the answers of Prometheus's receiver. That one makes an object of every
// label before it stores anything; this one reads the request where it lies.
type remoteWrite struct {
	to     *received
	logger *slog.Logger
}

// aheadTime is how far in the future a sample may be, as in Prometheus.
const aheadTime = 10 * time.Minute

func (m *Metrics) remoteWrite() http.Handler {
	return m.whenReady(newRemoteWrite(m.received, m.cfg.Logger.With("part", "remote-write")).ServeHTTP)
}

func newRemoteWrite(to *received, logger *slog.Logger) http.Handler {
	return remoteapi.NewWriteHandler(&remoteWrite{to, logger}, remoteapi.MessageTypes{remoteapi.WriteV1MessageType, remoteapi.WriteV2MessageType},
		remoteapi.WithWriteHandlerLogger(logger))
}

// Store is what remoteapi asks of a receiver, with the body already decompressed. It logs what it answers 500 with.
func (w *remoteWrite) Store(r *http.Request, kind remoteapi.WriteMessageType) (*remoteapi.WriteResponse, error) {
	answer := remoteapi.NewWriteResponse()
	var body strings.Builder
	_, err := io.Copy(&body, r.Body)
	if err == nil {
		var written remoteapi.WriteResponseStats
		written, err = w.store(r.Context(), body.String(), kind == remoteapi.WriteV2MessageType)
		answer.Add(written)
	}
	switch {
	case err == nil:
	case refusedForGood(err):
		w.logger.ErrorContext(r.Context(), "A remote write is refused", "error", err)
		answer.SetStatusCode(http.StatusBadRequest)
	default:
		answer.SetStatusCode(http.StatusInternalServerError)
	}
	return answer, err
}

// refusedForGood tells of an error that sending again cannot help.
func refusedForGood(err error) bool {
	for _, known := range []error{
		wire.ErrMalformed, errTooMany, errNoLabels, errNoSamples,
		storage.ErrOutOfOrderSample, storage.ErrOutOfBounds, storage.ErrDuplicateSampleForTimestamp, storage.ErrTooOldSample, storage.ErrOutOfOrderExemplar,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return errors.As(err, new(histogram.Error))
}

// store stores a request and tells what is written. Of version 1.0 that is all or nothing but for what the receiver's limits
// and invalid labels keep out; of version 2.0 it is whatever can be stored, unless sending again could help.
func (w *remoteWrite) store(ctx context.Context, request string, second bool) (written remoteapi.WriteResponseStats, err error) {
	app := w.to.appender(ctx)
	if app == nil {
		return written, tsdb.ErrNotReady
	}
	app.atOnce = second
	s := seriesSink{app: app, message: writeRequest{}, partial: second, until: time.Now().Add(aheadTime).UnixMilli()}
	if second {
		s.message = &writeRequest2{}
	}
	whole := false
	defer func() {
		if !whole {
			_ = app.Rollback() // the error before it is the one to tell
		}
	}()
	if err := s.message.each(request, s.take); err != nil {
		return written, err
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
	if err := app.Commit(); err != nil {
		return written, err
	}
	return s.written, s.refusals()
}
