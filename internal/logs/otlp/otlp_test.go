package otlp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/otlp"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/wire"
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
	events, err := otlp.Events(logs, now, func(record.Notes) {})
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
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

// bomb is an export whose body is a list within a list, so many times.
func bomb(times int) []byte {
	var b []byte // written from its end
	within := func(numbers ...protowire.Number) {
		for _, n := range numbers {
			b = append(b, reversed(protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.BytesType), uint64(len(b))))...)
		}
	}
	for range times {
		within(5, 1) // a value that is a list, in a list's values
	}
	within(5, 5, 2, 2, 1) // a value, the body of a record, its scope, its resource
	return reversed(b)
}

func reversed(b []byte) []byte {
	slices.Reverse(b)
	return b
}

// What would cost a decoder its stack or its memory is refused before.
func TestBombs(t *testing.T) {
	for times, want := range map[int]problem.Code{20: "", 1_000: problem.Invalid, 3_000_000: problem.Invalid} {
		if _, err := otlp.DecodeProtobuf(bomb(times)); problem.CodeOf(err) != want {
			t.Errorf("%d lists in protobuf: %v", times, err)
		}
	}
	for _, in := range []string{
		`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":` + strings.Repeat(`{"arrayValue":{"values":[`, 1_000_000),
		`{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + strings.Repeat(`{},`, 500_000) + `{}]}]}]}`,
	} {
		if _, err := otlp.DecodeJSON([]byte(in)); problem.CodeOf(err) != problem.TooLarge {
			t.Errorf("%.80s…: %v", in, err)
		}
	}
	many := plog.NewLogs()
	empty := many.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range wire.MaxEntries + 1 {
		empty.AppendEmpty()
	}
	if _, err := otlp.Events(many, now, func(record.Notes) {}); problem.CodeOf(err) != problem.TooLarge {
		t.Errorf("many empty records: %v", err)
	}
	logs := plog.NewLogs() // attributes of one resource are fields of each record
	rl := logs.ResourceLogs().AppendEmpty()
	for i := range 900 {
		rl.Resource().Attributes().PutInt(fmt.Sprint("attribute", i), 1)
	}
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	records.EnsureCapacity(100_000)
	for range 100_000 {
		records.AppendEmpty()
	}
	if _, err := otlp.Events(logs, now, func(record.Notes) {}); problem.CodeOf(err) != problem.TooLarge {
		t.Errorf("many records of a large resource: %v", err)
	}
}

// What is put right is noted.
func TestNotes(t *testing.T) {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("region", "\xff")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for range 2 {
		r := records.AppendEmpty()
		r.SetTimestamp(1)
		for i := range event.MaxFields + 10 {
			r.Attributes().PutInt(fmt.Sprint("attribute", i), 1)
		}
	}
	var all record.Notes
	events, err := otlp.Events(logs, now, func(n record.Notes) { all.Add(n) })
	if err != nil || all.Texts != 1 || all.Left < 20 || all.Time != record.TimePast {
		t.Errorf("noted %+v, %v", all, err)
	}
	for i := range events {
		if n := len(events[i].Fields); n > event.MaxFields || n < event.MaxFields-20 {
			t.Errorf("an event has %d fields", n)
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
			_, _ = otlp.Events(logs, now, func(record.Notes) {})
		}
		if logs, err := otlp.DecodeProtobuf(data); err == nil {
			events, _ := otlp.Events(logs, now, func(record.Notes) {})
			for _, e := range events {
				if e.Get(event.KindField).String() != event.KindLog {
					t.Fatal("no log")
				}
			}
		}
	})
}
