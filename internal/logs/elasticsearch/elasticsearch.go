// Package elasticsearch is the door for clients of Elasticsearch: bulk and
// single documents in, search and aggregations out, and what shippers ask when
// they start. An index is a dataset of events; events are kept as they came and
// never changed, so a document whose id exists already is refused as a conflict.
package elasticsearch

import (
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/wire"
)

// Events is where documents go and are found.
type Events interface {
	Append(ctx context.Context, events []event.Event) error
	Query(ctx context.Context, q event.Query) (*event.Result, error)
}

// Documents keeps what shippers set up: templates, policies, pipelines and the
// indices that were made without a document.
type Documents interface {
	Put(ctx context.Context, kind, name string, body json.RawMessage) error
	Get(ctx context.Context, kind, name string) (json.RawMessage, error) // nil: there is none
	List(ctx context.Context, kind string) (map[string]json.RawMessage, error)
	Delete(ctx context.Context, kind, name string) (bool, error)
}

// Counts are told what was put right or refused.
type Counts interface {
	Taken(door string, events int)
	Refused(door, why string, events int)
	Mended(door, what string, n int)
}

// Config is what a Door needs.
type Config struct {
	Events    Events
	Documents Documents
	Counts    Counts
	Ingest    func(r *http.Request) error // nil if the request may send data
	Read      func(r *http.Request) error // nil if it may read
	Logger    *slog.Logger
	MaxBody   int64 // of a request, decompressed
}

// Door serves Elasticsearch's API at its root.
type Door struct {
	cfg     Config
	node    string
	started time.Time
	ids     sync.Mutex // while documents with ids of their own are looked up and written
	scrolls scrolls
	table   []route
}

const doorName = "elasticsearch"

// New makes the door.
func New(c Config) *Door {
	if c.MaxBody == 0 {
		c.MaxBody = 32 << 20
	}
	d := &Door{cfg: c, started: time.Now()}
	if d.node, _ = os.Hostname(); d.node == "" {
		d.node = "daytwo"
	}
	d.routes()
	return d
}

// handler answers a request with a body for status 200, or with a status.
type handler func(r *http.Request) (any, error)

// reply is an answer with a status of its own.
type reply struct {
	status int
	body   any
}

func isFault(err error) bool { _, ok := err.(*fault); return ok } //nolint:errorlint // faults are never wrapped

func (d *Door) call(w http.ResponseWriter, r *http.Request, allowed func(*http.Request) error, h handler) (any, error) {
	if err := allowed(r); err != nil {
		return nil, err
	}
	if err := checkMedia(r); err != nil {
		d.cfg.Counts.Refused(doorName, "media type", 1)
		return nil, err
	}
	if err := d.unpack(w, r); err != nil {
		d.cfg.Counts.Refused(doorName, "body", 1)
		return nil, err
	}
	return h(r)
}

// checkMedia refuses bodies that are said to be something else than JSON.
func checkMedia(r *http.Request) error {
	given := r.Header.Get("Content-Type")
	if given == "" || r.ContentLength == 0 {
		return nil
	}
	name, params, _ := strings.Cut(given, ";")
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "application/json", "application/x-ndjson", "application/x-json-stream", "text/json":
		return nil
	case mediaType, "application/vnd.elasticsearch+x-ndjson":
		if _, v, ok := strings.Cut(params, "compatible-with="); ok && strings.TrimSpace(v) != "8" && strings.TrimSpace(v) != "9" {
			return faultf(http.StatusBadRequest, "media_type_header_exception", "A compatible version is required on Content-Type: 8 or 9, found [%s]", v)
		}
		return nil
	}
	return faultf(http.StatusNotAcceptable, "media_type_header_exception", "Content-Type header [%.100s] is not supported", given)
}

// unpack bounds the body and takes its compression off.
func (d *Door) unpack(w http.ResponseWriter, r *http.Request) error {
	raw := http.MaxBytesReader(w, r.Body, d.cfg.MaxBody)
	var body io.Reader = raw
	var err error
	switch strings.ToLower(r.Header.Get("Content-Encoding")) {
	case "", "identity":
	case "gzip":
		if body, err = gzip.NewReader(raw); err != nil {
			return illegal("the body is not gzip: %v", err)
		}
	case "deflate":
		if body, err = zlib.NewReader(raw); err != nil {
			return illegal("the body is not deflate: %v", err)
		}
	default:
		return illegal("Content-Encoding [%.40s] is not supported", r.Header.Get("Content-Encoding"))
	}
	r.Body = io.NopCloser(&bounded{body, d.cfg.MaxBody})
	return nil
}

// bounded ends with an error after n bytes.
type bounded struct {
	r io.Reader
	n int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p[:min(int64(len(p)), b.n+1)])
	if b.n -= int64(n); b.n < 0 {
		return 0, errTooLarge
	}
	return n, err
}

var errTooLarge = problem.New(problem.TooLarge, "the body is larger than this server takes").WithMend("send smaller bulks")

// bodyError tells a body that is too large from one that broke off.
func bodyError(err error) error {
	if errors.Is(err, errTooLarge) || errors.As(err, new(*http.MaxBytesError)) {
		return errTooLarge
	}
	return illegal("the body cannot be read: %v", err)
}

// document reads the whole body as one JSON document; nil if it is empty.
func document(r *http.Request) (map[string]any, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, bodyError(err)
	}
	return decode(data)
}

func decode(data []byte) (map[string]any, error) {
	if len(strings.TrimSpace(string(data))) == 0 {
		return nil, nil
	}
	if depth, _ := wire.Shape(data); depth > maxDepth {
		return nil, parsing("the document is nested more than %d deep", maxDepth)
	}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return nil, parsing("the body is no JSON object: %v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, parsing("there is something after the JSON object")
	}
	return m, nil
}

const maxDepth = 200

// newID is an id as Elasticsearch gives them: 20 characters.
func newID() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var b [20]byte
	_, _ = rand.Read(b[:])
	for i := range b {
		b[i] = alphabet[b[i]&63]
	}
	return string(b[:])
}

func flag(r *http.Request, name string) bool {
	v, given := r.URL.Query()[name]
	return given && (v[0] == "" || v[0] == "true")
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case float64:
		return v, true
	case string:
		f, err := strconv.ParseFloat(v, 64)
		return f, err == nil
	}
	return 0, false
}

func integer(v any, otherwise int) (int, error) {
	if v == nil {
		return otherwise, nil
	}
	f, ok := number(v)
	if !ok || f != float64(int(f)) {
		return 0, illegal("[%v] is no whole number", v)
	}
	return int(f), nil
}
