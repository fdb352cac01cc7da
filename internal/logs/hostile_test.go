package logs_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Each kind of bad input has an answer and a counter, at each door.
func TestHostileInput(t *testing.T) {
	r := newRig(t)
	refuse := func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, string(problem.CodeOf(err))+": "+err.Error(), http.StatusBadRequest)
	}
	elastic, loki, lines, otlp := r.Elasticsearch(), r.Loki(refuse), r.Lines(refuse), r.OTLP(refuse)
	var names strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&names, `,"field%d":%d`, i, i)
	}
	tooMuch := strings.Repeat("x", 33<<20)
	const bulk, index = "/_bulk", `{"index":{"_index":"a"}}` + "\n"
	for _, tt := range []struct {
		name             string
		door             http.Handler
		path, kind, body string
		status           int
		says             string // in the answer
		counts           string // counter and its labels, which has to be 1
	}{
		{"a line that is no JSON in a bulk", elastic, bulk, "", index + "{\"message\":\n" + index + "{\"message\":\"x\"}\n", 200, `"errors":true`, `refused_total{door="elasticsearch",reason="item"}`},
		{"a bulk that is too large", elastic, bulk, "", index + tooMuch, 413, "larger", `refused_total{door="elasticsearch",reason="bulk"}`},
		{"a document that is too large", elastic, "/a/_doc", "", tooMuch, 413, "larger", `refused_total{door="elasticsearch",reason="body"}`},
		{"a form", elastic, bulk, "application/x-www-form-urlencoded", "a=b", 406, "application/x-www-form-urlencoded", `refused_total{door="elasticsearch",reason="media type"}`},
		{"a document with 10,000 names", elastic, "/a/_doc", "", `{"message":"x"` + names.String() + "}", 201, "created", ""},
		{"text that is not UTF-8", elastic, "/a/_doc", "", "{\"message\":\"\xff\"}", 201, "created", `mended_total{door="elasticsearch",what="text that is not UTF-8"}`},
		{"a time of 1970", elastic, "/a/_doc", "", `{"@timestamp":1}`, 201, "created", `mended_total{door="elasticsearch",what="time in the past"}`},

		{"lines that are too large", lines, "/", "", tooMuch, 400, "too_large", `refused_total{door="lines",reason="too_large"}`},
		{"a nested line among others", lines, "/", "", "{\"message\":\"x\"}\n" + strings.Repeat(`{"a":`, 10_000) + "\n", 200, "nested", `refused_total{door="lines",reason="line"}`},
		{"a line that is not UTF-8", lines, "/", "", "\xff\n", 200, `"taken":1`, `mended_total{door="lines",what="text that is not UTF-8"}`},
		{"a time of next year", lines, "/", "", `{"time":"2999-01-01T00:00:00Z"}`, 200, `"taken":1`, `mended_total{door="lines",what="time in the future"}`},
		{"a compression that is none", lines, "/", "", "", 400, "invalid", `refused_total{door="lines",reason="invalid"}`},

		{"a push that is text", loki, "/api/v1/push", "text/plain", "hello", 400, "text/plain", `refused_total{door="loki",reason="invalid"}`},
		{"a nested push", loki, "/api/v1/push", "application/json", `{"streams":` + strings.Repeat("[", 1<<20), 400, "nested", `refused_total{door="loki",reason="too_large"}`},
		{"a push of 1970", loki, "/api/v1/push", "application/json", `{"streams":[{"stream":{"job":"a"},"values":[["1","x"]]}]}`, 204, "", `mended_total{door="loki",what="time in the past"}`},
		{"an export that is text", otlp, "/", "text/plain", "hello", 400, "text/plain", `refused_total{door="otlp",reason="invalid"}`},
		{"a nested export", otlp, "/", "application/json", strings.Repeat(`{"resourceLogs":[`, 1<<20), 400, "nested", `refused_total{door="otlp",reason="too_large"}`},
	} {
		req := httptest.NewRequest(http.MethodPost, tt.path, strings.NewReader(tt.body))
		req.RemoteAddr, req.Host = "127.0.0.1:1", "127.0.0.1:2020"
		req.Header.Set("Content-Type", tt.kind)
		if strings.Contains(tt.name, "compression") {
			req.Header.Set("Content-Encoding", "gzip")
		}
		w := httptest.NewRecorder()
		tt.door.ServeHTTP(w, req)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) {
			t.Errorf("%s: %d %.300s, want %d and %s", tt.name, w.Code, w.Body, tt.status, tt.says)
		}
		if tt.counts != "" && !strings.Contains(r.metrics(t), "daytwo_logs_"+tt.counts+" 1\n") {
			t.Errorf("%s: %s is not counted in\n%s", tt.name, tt.counts, r.metrics(t))
		}
	}
	if got := r.metrics(t); !strings.Contains(got, `daytwo_logs_mended_total{door="elasticsearch",what="fields left out"} 8`) {
		t.Errorf("fields left out are not counted in\n%s", got)
	}
	for _, e := range r.kept.all() {
		if len(e.Fields) > event.MaxFields {
			t.Errorf("an event of %d fields is kept", len(e.Fields))
		}
	}
}

// metrics is what the counters say.
func (r *rig) metrics(t *testing.T) string {
	t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

const exportMethod = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

// raw is a codec that sends bytes as they are.
type raw struct{}

func (raw) Name() string { return "proto" }
func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}
func (raw) Unmarshal(mem.BufferSlice, any) error { return nil }

// A message that is nested until a decoder's stack has no end is refused over gRPC too, as the mistake of who sends it.
func TestNestedExportOverGRPC(t *testing.T) {
	r, address := otlpRig(t)
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var message []byte
	for _, field := range append(slices.Repeat([]protowire.Number{1, 5}, 500), 5, 2, 2, 1) {
		message = protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), message)
	}
	err = conn.Invoke(context.WithoutCancel(t.Context()), exportMethod, message, nil, grpc.ForceCodecV2(raw{}))
	if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "nested more than") {
		t.Errorf("it is answered %v", err)
	}
	r.refused(t, `daytwo_logs_refused_total{door="otlp",reason="invalid"} 1`)
	if err := export(t, address, 3); err != nil || r.kept.count() != 3 {
		t.Errorf("what is right: %d kept, %v", r.kept.count(), err)
	}
}
