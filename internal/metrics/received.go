package metrics

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/wire"
)

// Limits of one series that is sent to us. What is scraped has the limits of its job.
const (
	maxLabels     = 256
	maxLabelName  = 1 << 10
	maxLabelValue = 16 << 10
	maxLabelBytes = 64 << 10 // of all names and values together
)

// received is where samples that others send enter the database: it keeps out series whose labels would harm everybody,
// and stores the others of the same request.
type received struct {
	db      *database
	refused prometheus.Counter
	lost    prometheus.Counter // exemplars
}

func newReceived(db *database, registerer prometheus.Registerer) (*received, error) {
	r := &received{db: db, refused: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "daytwo_metrics_received_refused_samples_total",
		Help: "Samples of remote write and OTLP that were refused because their series has invalid, too many or too long labels.",
	}), lost: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "daytwo_metrics_received_lost_exemplars_total",
		Help: "Exemplars of remote write that could not be stored beside their samples.",
	})}
	return r, errors.Join(registerer.Register(r.refused), registerer.Register(r.lost))
}

// AppenderV2 implements storage.AppendableV2.
func (r *received) AppenderV2(ctx context.Context) storage.AppenderV2 {
	if app := r.appender(ctx); app != nil {
		return app
	}
	return refusingAppender{}
}

// appender is nil while the database is not open.
func (r *received) appender(ctx context.Context) *receivedAppender {
	inner, ok := r.db.strictAppender(ctx).(storage.ExemplarAppenderV2)
	if !ok {
		return nil
	}
	return &receivedAppender{ExemplarAppenderV2: inner, refused: r.refused}
}

// receivedAppender keeps out what is refused. The error of it waits for the commit, or the rest of the request would be lost
// with it; atOnce is for a protocol that can say which of its samples were refused, remote write 2.0.
type receivedAppender struct {
	storage.ExemplarAppenderV2
	refused prometheus.Counter
	atOnce  bool
	first   error // of the refusals that wait
	waiting int
}

// Append implements storage.AppenderV2.
func (a *receivedAppender) Append(ref storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, opts storage.AOptions) (storage.SeriesRef, error) {
	if err := checkLabels(ls); err != nil {
		return 0, a.refuse(err, 1)
	}
	ref, err := a.ExemplarAppenderV2.Append(ref, ls, st, t, v, h, fh, opts)
	var beyond *refusedSeries
	if errors.As(err, &beyond) {
		return 0, a.keepOut(err, 1)
	}
	return ref, err
}

// refuse counts samples whose labels are refused, and keeps them out.
func (a *receivedAppender) refuse(err error, samples int) error {
	a.refused.Add(float64(samples))
	return a.keepOut(err, samples)
}

// keepOut is the error of samples that are kept out, unless it waits for the commit.
func (a *receivedAppender) keepOut(err error, samples int) error {
	if a.atOnce {
		return err
	}
	if a.waiting += samples; a.first == nil {
		a.first = err
	}
	return nil
}

// AppendExemplars implements storage.ExemplarAppenderV2.
func (a *receivedAppender) AppendExemplars(ref storage.SeriesRef, ls labels.Labels, e []exemplar.Exemplar) (storage.SeriesRef, error) {
	ref, err := a.ExemplarAppenderV2.AppendExemplars(ref, ls, e)
	if a.first != nil && errors.Is(err, storage.ErrNotFound) {
		return 0, nil // its sample was refused
	}
	return ref, err
}

// Commit implements storage.AppenderTransaction. After refusals the rest is stored, and the error says so.
func (a *receivedAppender) Commit() error {
	if err := a.ExemplarAppenderV2.Commit(); err != nil {
		return err
	}
	if a.first != nil {
		return fmt.Errorf("%d samples were refused, the others are stored: %w", a.waiting, a.first)
	}
	return nil
}

// checkLabels refuses with storage.ErrOutOfBounds, which receivers answer with status 400: sending it again cannot help.
func checkLabels(ls labels.Labels) (err error) {
	if ls.ByteSize() <= 2*maxLabels {
		return nil // too small for anything below, and nearly every series is
	}
	n, size := 0, 0
	ls.Range(func(l labels.Label) {
		n++
		size += len(l.Name) + len(l.Value)
		switch {
		case err != nil:
		case len(l.Name) > maxLabelName:
			err = fmt.Errorf("a label name of %d bytes (%.40q…), at most %d are taken: %w", len(l.Name), l.Name, maxLabelName, storage.ErrOutOfBounds)
		case len(l.Value) > maxLabelValue:
			err = fmt.Errorf("the value of label %q has %d bytes, at most %d are taken: %w", l.Name, len(l.Value), maxLabelValue, storage.ErrOutOfBounds)
		}
	})
	switch name := ls.Get(model.MetricNameLabel); {
	case err != nil:
		return fmt.Errorf("series %.100q: %w", name, err)
	case n > maxLabels:
		return fmt.Errorf("series %.100q: %d labels, at most %d are taken: %w", name, n, maxLabels, storage.ErrOutOfBounds)
	case size > maxLabelBytes:
		return fmt.Errorf("series %.100q: %d bytes of labels, at most %d are taken: %w", name, size, maxLabelBytes, storage.ErrOutOfBounds)
	}
	return nil
}

// maxReceived is how large a request with samples may be as sent. The receivers limit what it becomes when decompressed.
const maxReceived = 32 << 20

// limitBody refuses what is larger than a request with samples should be.
func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > maxReceived {
			http.Error(w, fmt.Sprintf("the request has %d bytes, at most %d are taken: send smaller batches", r.ContentLength, maxReceived), http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxReceived)
		next.ServeHTTP(w, r)
	})
}

// otlp makes the answers of Prometheus's OTLP receiver complete: a success is an empty ExportMetricsServiceResponse in the
// encoding of the request. What its decoder would be lost in is refused before.
func otlp(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status, err := check(r); err != nil {
			http.Error(w, err.Error(), status)
			return
		}
		next.ServeHTTP(&otlpAnswer{ResponseWriter: w, sent: r.Header.Get("Content-Type")}, r)
	})
}

// shapes are what a decoder would be lost in, by the types of content that the receiver takes.
var shapes = map[string]func([]byte) error{
	"application/x-protobuf": func(data []byte) error { return wire.Check(wire.Metrics, data) },
	"application/json":       wire.CheckJSON,
}

// check looks at the shape of an export, and leaves it in r without its compression.
func check(r *http.Request) (status int, err error) {
	shape := shapes[r.Header.Get("Content-Type")]
	if shape == nil {
		return 0, nil
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			return http.StatusBadRequest, fmt.Errorf("the body is not gzip: %w", err)
		}
		r.Header.Del("Content-Encoding")
	}
	data, err := io.ReadAll(io.LimitReader(body, maxReceived+1))
	if errors.As(err, new(*http.MaxBytesError)) || len(data) > maxReceived {
		return http.StatusRequestEntityTooLarge, fmt.Errorf("the request has more than %d bytes: send smaller batches", maxReceived)
	}
	if err == nil {
		if err = shape(data); err != nil {
			err = fmt.Errorf("%w: %s", err, problem.From(err).Mend)
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	return http.StatusBadRequest, err
}

type otlpAnswer struct {
	http.ResponseWriter
	sent string
}

func (a *otlpAnswer) WriteHeader(status int) {
	if status == http.StatusOK {
		a.Header().Set("Content-Type", a.sent)
	}
	a.ResponseWriter.WriteHeader(status)
	if status == http.StatusOK && strings.HasPrefix(a.sent, "application/json") {
		_, _ = a.ResponseWriter.Write([]byte("{}")) // the client is gone
	}
}

// AppendExemplars lets refusingAppender stand where a receiver wants to append exemplars.
func (refusingAppender) AppendExemplars(storage.SeriesRef, labels.Labels, []exemplar.Exemplar) (storage.SeriesRef, error) {
	return 0, tsdb.ErrNotReady
}
