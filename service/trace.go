package service

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// span is one piece of work of a trace, as W3C Trace Context names it.
type span struct {
	trace   [16]byte
	id      [8]byte
	parent  [8]byte
	sampled bool
	state   string // tracestate, passed on as it came
}

type spanKey struct{}

func spanOf(ctx context.Context) (span, bool) {
	s, ok := ctx.Value(spanKey{}).(span)
	return s, ok
}

func (s span) traceparent() string {
	flags := 0
	if s.sampled {
		flags = 1
	}
	return fmt.Sprintf("00-%x-%x-%02x", s.trace, s.id, flags)
}

// child is a new span of the same trace.
func (s span) child() span {
	s.parent = s.id
	_, _ = rand.Read(s.id[:]) // never fails
	return s
}

// parseTraceparent reads the header of a caller: version-trace-span-flags, in
// lower case hexadecimal. Later versions may have more fields.
func parseTraceparent(text string) (s span, ok bool) {
	if len(text) < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-' || text != strings.ToLower(text) {
		return span{}, false
	}
	var version, flags [1]byte
	for _, f := range []struct {
		into []byte
		text string
	}{{version[:], text[:2]}, {s.trace[:], text[3:35]}, {s.id[:], text[36:52]}, {flags[:], text[53:55]}} {
		if _, err := hex.Decode(f.into, []byte(f.text)); err != nil {
			return span{}, false
		}
	}
	if version[0] == 0xff || version[0] == 0 && len(text) > 55 || len(text) > 55 && text[55] != '-' ||
		s.trace == [16]byte{} || s.id == [8]byte{} {
		return span{}, false
	}
	s.sampled = flags[0]&1 == 1
	return s, true
}

// tracer makes spans and hands the sampled ones over to be sent.
type tracer struct {
	ratio float64 // of traces that begin here
	queue chan finished
	drops atomic.Uint64
}

type finished struct {
	span
	name       string
	kind       int // 2 server, 3 client
	began      time.Time
	took       time.Duration
	attributes map[string]string
	fault      string
}

func (t *tracer) root() (s span) {
	_, _ = rand.Read(s.trace[:])
	_, _ = rand.Read(s.id[:])
	s.sampled = float64(s.trace[0])*256+float64(s.trace[1]) < t.ratio*65536
	return s
}

// incoming is the span of a request, of its caller's trace if it has one.
func (t *tracer) incoming(r *http.Request) span {
	if caller, ok := parseTraceparent(r.Header.Get("Traceparent")); ok {
		s := caller.child()
		s.state = r.Header.Get("Tracestate")
		return s
	}
	return t.root()
}

func (t *tracer) finish(f finished) {
	if t.queue == nil || !f.sampled {
		return
	}
	select {
	case t.queue <- f:
	default:
		t.drops.Add(1)
	}
}

// spanSender sends spans to an OpenTelemetry receiver, as OTLP/HTTP in JSON.
type spanSender struct {
	service, version string
	url              string
	headers          map[string]string
	client           *http.Client
	tracer           *tracer
	log              *slog.Logger
}

const (
	spanQueue = 2048
	spanBatch = 512
	spanFlush = 2 * time.Second
)

// run sends until ctx ends, and then what is left.
func (x *spanSender) run(ctx context.Context) error {
	tick := time.NewTicker(spanFlush)
	defer tick.Stop()
	var batch []finished
	send := func(ctx context.Context) {
		if len(batch) == 0 {
			return
		}
		if err := x.send(ctx, batch); err != nil {
			x.tracer.drops.Add(uint64(len(batch)))
			x.log.Debug("spans were not taken", "error", err)
		}
		batch = batch[:0]
	}
	for {
		select {
		case f := <-x.tracer.queue:
			if batch = append(batch, f); len(batch) >= spanBatch {
				send(ctx)
			}
		case <-tick.C:
			send(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), spanFlush)
			defer cancel()
			for {
				select {
				case f := <-x.tracer.queue:
					batch = append(batch, f)
				default:
					send(last)
					return nil
				}
			}
		}
	}
}

func (x *spanSender) send(ctx context.Context, batch []finished) error {
	body, err := json.Marshal(x.document(batch))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	for k, v := range x.headers {
		req.Header.Set(k, v)
	}
	resp, err := x.client.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

type object = map[string]any

func attributes(all map[string]string) []object {
	out := make([]object, 0, len(all))
	for k, v := range all {
		value := object{"stringValue": v}
		if _, err := strconv.ParseInt(v, 10, 64); err == nil && strings.HasSuffix(k, "status_code") {
			value = object{"intValue": v}
		}
		out = append(out, object{"key": k, "value": value})
	}
	return out
}

// document is an ExportTraceServiceRequest.
func (x *spanSender) document(batch []finished) object {
	spans := make([]object, 0, len(batch))
	for _, f := range batch {
		o := object{
			"traceId": hex.EncodeToString(f.trace[:]), "spanId": hex.EncodeToString(f.id[:]), "name": f.name, "kind": f.kind,
			"startTimeUnixNano": strconv.FormatInt(f.began.UnixNano(), 10),
			"endTimeUnixNano":   strconv.FormatInt(f.began.Add(f.took).UnixNano(), 10),
			"attributes":        attributes(f.attributes),
		}
		if f.parent != [8]byte{} {
			o["parentSpanId"] = hex.EncodeToString(f.parent[:])
		}
		if f.state != "" {
			o["traceState"] = f.state
		}
		if f.fault != "" {
			o["status"] = object{"code": 2, "message": f.fault}
		}
		spans = append(spans, o)
	}
	return object{"resourceSpans": []object{{
		"resource":   object{"attributes": attributes(map[string]string{"service.name": x.service, "service.version": x.version})},
		"scopeSpans": []object{{"scope": object{"name": "github.com/daytwo-dev/daytwo/service"}, "spans": spans}},
	}}}
}

// trace sets tracing up by the variables that OpenTelemetry gives their names.
func (s *Service) trace() {
	s.tracer = &tracer{ratio: math.Max(0, math.Min(1, s.settings.SampleRatio))}
	if s.settings.OTLPEndpoint == "" {
		return
	}
	s.tracer.queue = make(chan finished, spanQueue)
	headers := map[string]string{}
	for pair := range strings.SplitSeq(s.settings.OTLPHeaders, ",") {
		if k, v, ok := strings.Cut(pair, "="); ok {
			headers[strings.TrimSpace(k)] = strings.TrimSpace(v)
		}
	}
	s.metrics.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "service_spans_dropped_total", Help: "Spans that could not be sent.",
	}, func() float64 { return float64(s.tracer.drops.Load()) }))
	s.sender = &spanSender{
		service: s.name, version: s.Version(), url: strings.TrimSuffix(s.settings.OTLPEndpoint, "/") + "/v1/traces",
		headers: headers, client: &http.Client{Transport: s.transport}, tracer: s.tracer, log: s.log,
	}
}
