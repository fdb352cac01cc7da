package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Resume is where a stream goes on: embed it in the input of a Stream. Browsers
// send the header by themselves when they connect again.
type Resume struct {
	LastEventID string `header:"Last-Event-ID" doc:"the id of the last event received"`
	After       string `query:"after" doc:"the same, for a first connection"`
}

// LastID is the id of the last event the client has, empty if it has none.
func (r Resume) LastID() string {
	if r.LastEventID != "" {
		return r.LastEventID
	}
	return r.After
}

const (
	streamKey  = "stream"
	openAfter  = 250 * time.Millisecond // an error within this time is answered as a problem
	retryAfter = 2 * time.Second        // for browsers before they connect again
)

// Stream registers a stream of server-sent events. h sends until it has nothing
// more, its ctx ends (the client went, or the server stops), or send fails. A
// client that does not read for 10 seconds makes send fail; h keeps what it has
// to a bounded amount meanwhile.
//
// The name of an event is that of the type E in lower camel case. For a stream
// of several kinds E is a struct of pointers, one field for each kind, of which
// each event sets one: the JSON name of the field is the name of the event.
//
// An error of h before anything was sent is answered as usual; later it is sent
// as an event named "problem".
func Stream[I, E any](s *Server, path string, op Op, h func(ctx context.Context, in *I, send func(id string, event E) error) error) {
	kinds := kindsOf(reflect.TypeFor[E]())
	o := s.operation(http.MethodGet, path, op, reflect.TypeFor[I](), reflect.TypeFor[E]())
	o.Metadata[streamKey] = true
	o.Responses["200"] = &huma.Response{
		Description: "Server-sent events: " + strings.Join(kinds.names(), ", "),
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: kinds.schema(s.api.OpenAPI().Components.Schemas)}},
	}
	huma.Register(s.api, o, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			r, w := humago.Unwrap(hc)
			s.stream(w, r, access{role: op.Role, public: op.Public}, func(ctx context.Context, out *eventWriter) error {
				return h(ctx, in, func(id string, event E) error {
					name, data := kinds.split(reflect.ValueOf(event))
					return out.event(id, name, data)
				})
			})
		}}, nil
	})
}

// streams is what all streams of a server share.
type streams struct {
	ending    context.Context // ends when streams must
	stop      context.CancelFunc
	open      chan struct{} // bounds how many there are
	heartbeat time.Duration // between comments on a quiet stream
	patience  time.Duration // how long one write may take
}

func newStreams() streams {
	ending, stop := context.WithCancel(context.Background())
	return streams{ending, stop, make(chan struct{}, maxStreams), 15 * time.Second, 10 * time.Second}
}

// stream runs one stream from its opening to its end.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, need access, h func(context.Context, *eventWriter) error) {
	select {
	case s.streams.open <- struct{}{}:
		defer func() { <-s.streams.open }()
	default:
		s.Fail(w, r, problem.New(problem.Exhausted, "%d streams are open already", maxStreams).WithMend("close some pages and try again"))
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer context.AfterFunc(s.streams.ending, cancel)()
	s.metrics.streams.Inc()
	defer s.metrics.streams.Dec()
	if rec, ok := exchangeOf(ctx).w.(*recorder); ok {
		rec.stream = true
	}
	out := &eventWriter{w: w, control: http.NewResponseController(w), patience: s.streams.patience}
	var beat sync.WaitGroup
	var lost error // the right to listen
	beat.Go(func() {
		defer cancel()
		lost = s.beat(ctx, out, func() error { _, err := s.admit(need, r); return err })
	})
	defer beat.Wait() // also when h panics: nobody may write to a request that is over
	defer cancel()

	err := h(ctx, out)
	cancel()
	beat.Wait()
	switch {
	case lost != nil:
		_ = out.event("", "problem", problemOf(lost, exchangeOf(ctx).id))
	case err == nil || s.streams.ending.Err() != nil:
		_ = out.open() // even an empty stream is one
	case r.Context().Err() != nil || out.failed != nil:
		// The client has gone; there is nobody to tell.
	case !out.opened:
		s.Fail(w, r, err)
	default:
		_ = out.event("", "problem", problemOf(err, exchangeOf(ctx).id))
		s.log.WarnContext(ctx, "stream failed", "request", exchangeOf(ctx).id, "error", err)
	}
}

// beat opens the stream if nothing was sent soon and keeps proxies from closing
// it, until ctx ends, the client does not take it, or the client has lost the
// right to listen, which it returns.
func (s *Server) beat(ctx context.Context, out *eventWriter, admitted func() error) error {
	wait := time.NewTimer(openAfter)
	defer wait.Stop()
	for first := true; ; first = false {
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		send := out.open
		if !first {
			send = out.comment
			if err := admitted(); err != nil && problem.CodeOf(err) != problem.Unavailable {
				return err
			}
		}
		if send() != nil {
			return nil
		}
		wait.Reset(s.streams.heartbeat)
	}
}

// eventWriter writes events, from any goroutine. The first failure is final.
type eventWriter struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration

	mu     sync.Mutex
	opened bool
	failed error
	buf    bytes.Buffer
}

func (e *eventWriter) open() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.opened {
		return e.failed
	}
	return e.flush()
}

func (e *eventWriter) comment() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.buf.WriteString(": alive\n\n")
	return e.flush()
}

func (e *eventWriter) event(id, name string, data any) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if strings.ContainsAny(id, "\r\n\x00") {
		return fmt.Errorf("event id %q holds a line break", id)
	}
	body, err := json.Marshal(data) // never holds a line break
	if err != nil {
		return fmt.Errorf("event %s: %w", name, err)
	}
	if id != "" {
		e.buf.WriteString("id: " + id + "\n")
	}
	e.buf.WriteString("event: " + name + "\ndata: ")
	e.buf.Write(body)
	e.buf.WriteString("\n\n")
	return e.flush()
}

// flush sends the buffer within the patience.
func (e *eventWriter) flush() error {
	defer e.buf.Reset()
	if e.failed != nil {
		return e.failed
	}
	// Without deadlines (a test's recorder) a write does not block either.
	_ = e.control.SetWriteDeadline(time.Now().Add(e.patience))
	if !e.opened {
		e.opened = true
		h := e.w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no") // nginx would keep events back
		e.w.WriteHeader(http.StatusOK)
		_, e.failed = fmt.Fprintf(e.w, "retry: %d\n\n", retryAfter.Milliseconds())
	}
	if e.failed == nil && e.buf.Len() > 0 {
		_, e.failed = e.w.Write(e.buf.Bytes())
	}
	if e.failed == nil {
		e.failed = e.control.Flush()
	}
	if e.failed != nil {
		e.failed = fmt.Errorf("stream: %w", e.failed)
	}
	return e.failed
}

// eventKinds are the kinds of events of a stream.
type eventKinds struct {
	name   string       // of the only kind
	typ    reflect.Type // of the only kind
	fields []eventKind  // or several
}

type eventKind struct {
	name  string
	index int
	typ   reflect.Type
}

func kindsOf(t reflect.Type) eventKinds {
	base := t
	for base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	k := eventKinds{name: lowerFirst(base.Name()), typ: t}
	if base.Kind() != reflect.Struct || base != t || t.NumField() == 0 {
		return k
	}
	var fields []eventKind
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Type.Kind() != reflect.Pointer || f.Type.Elem().Kind() != reflect.Struct || name == "" {
			return k
		}
		fields = append(fields, eventKind{name, i, f.Type.Elem()})
	}
	return eventKinds{fields: fields}
}

func (k eventKinds) names() []string {
	if k.fields == nil {
		return []string{k.name}
	}
	var names []string
	for _, f := range k.fields {
		names = append(names, f.name)
	}
	return names
}

// split finds the kind of an event and what to send of it.
func (k eventKinds) split(v reflect.Value) (name string, data any) {
	for _, f := range k.fields {
		if p := v.Field(f.index); !p.IsNil() {
			return f.name, withoutNilSlices(p.Interface())
		}
	}
	return k.name, withoutNilSlices(v.Interface())
}

// schema documents the data of the events, by kind.
func (k eventKinds) schema(r huma.Registry) *huma.Schema {
	if k.fields == nil {
		return r.Schema(k.typ, true, k.name)
	}
	s := &huma.Schema{}
	for _, f := range k.fields {
		s.OneOf = append(s.OneOf, r.Schema(f.typ, true, f.name))
	}
	return s
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
