package otlp_test

import (
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/otlp"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
)

var now = time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)

const sample = `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},{"key":"host.name","value":{"stringValue":"web1"}}]},
"scopeLogs":[{"scope":{"name":"lib"},"logRecords":[{"timeUnixNano":"1767323045000000000","severityNumber":17,"body":{"stringValue":"payment failed"},
"attributes":[{"key":"http.status","value":{"intValue":"502"}},{"key":"a","value":{"kvlistValue":{"values":[{"key":"b","value":{"boolValue":true}}]}}},{"key":"tags","value":{"arrayValue":{"values":[{"stringValue":"x"}]}}}],
"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"}]}]}]}`

func TestEvents(t *testing.T) {
	logs, err := otlp.DecodeJSON([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	req := plogotlp.NewExportRequestFromLogs(logs)
	data, err := req.MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	if logs, err = otlp.DecodeProtobuf(data); err != nil {
		t.Fatal(err)
	}
	events := otlp.Events(logs, now, func(record.Notes) {})
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	for field, want := range map[string]string{
		"message": "payment failed", "level": "error", "service.name": "shop", "host.name": "web1", "http.status": "502", "a.b": "true", "tags": `["x"]`,
		"trace.id": "5b8efff798038103d269b633813fc60c", "span.id": "eee19b7ec3c1b174", "scope.name": "lib", "@timestamp": "2026-01-02T03:04:05Z",
	} {
		if got := events[0].Get(field).String(); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(sample))
	if logs, err := otlp.DecodeJSON([]byte(sample)); err == nil {
		if data, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto(); err == nil {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if logs, err := otlp.DecodeJSON(data); err == nil {
			otlp.Events(logs, now, func(record.Notes) {})
		}
		if logs, err := otlp.DecodeProtobuf(data); err == nil {
			for _, e := range otlp.Events(logs, now, func(record.Notes) {}) {
				if e.Get(event.KindField).String() != event.KindLog {
					t.Fatal("no log")
				}
			}
		}
	})
}
