// Package otlp reads OpenTelemetry logs as the OTLP protocol carries them.
package otlp

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// DecodeProtobuf and DecodeJSON read an export request.
func DecodeProtobuf(data []byte) (plog.Logs, error) {
	req := plogotlp.NewExportRequest()
	if err := req.UnmarshalProto(data); err != nil {
		return plog.Logs{}, problem.New(problem.Invalid, "the body is no OTLP export of logs: %w", err)
	}
	return req.Logs(), nil
}

// DecodeJSON reads an export request in JSON.
func DecodeJSON(data []byte) (plog.Logs, error) {
	req := plogotlp.NewExportRequest()
	if err := req.UnmarshalJSON(data); err != nil {
		return plog.Logs{}, problem.New(problem.Invalid, "the body is no OTLP export of logs: %w", err)
	}
	return req.Logs(), nil
}

// Events makes an event of each record: attributes of the resource, the scope
// and the record are fields under their own names.
func Events(logs plog.Logs, now time.Time, note func(record.Notes)) (events []event.Event) {
	for _, rl := range logs.ResourceLogs().All() {
		var resource []event.Field
		attributes(rl.Resource().Attributes(), "", &resource, 0)
		for _, sl := range rl.ScopeLogs().All() {
			scope := resource[:len(resource):len(resource)]
			if name := sl.Scope().Name(); name != "" {
				scope = append(scope, text("scope.name", name))
			}
			for _, r := range sl.LogRecords().All() {
				e, notes := record.Event(fieldsOf(r, scope), record.Defaults{Now: now})
				note(notes)
				events = append(events, e)
			}
		}
	}
	return events
}

func text(name, value string) event.Field {
	return event.Field{Name: name, Value: event.String(strings.ToValidUTF8(value, "\uFFFD"))}
}

func fieldsOf(r plog.LogRecord, shared []event.Field) []event.Field {
	var fields []event.Field
	at := r.Timestamp()
	if at == 0 {
		at = r.ObservedTimestamp()
	}
	if at != 0 {
		fields = append(fields, event.Field{Name: event.TimeField, Value: event.Time(int64(at))})
	}
	switch body := r.Body(); body.Type() {
	case pcommon.ValueTypeMap:
		attributes(body.Map(), "", &fields, 0)
	case pcommon.ValueTypeEmpty:
	default:
		fields = append(fields, text(event.MessageField, body.AsString()))
	}
	if r.SeverityText() != "" {
		fields = append(fields, text(event.LevelField, r.SeverityText()))
	} else if n := r.SeverityNumber(); n > 0 {
		fields = append(fields, text(event.LevelField, severity(n)))
	}
	if id := r.TraceID(); !id.IsEmpty() {
		fields = append(fields, text(event.TraceField, hex.EncodeToString(id[:])))
	}
	if id := r.SpanID(); !id.IsEmpty() {
		fields = append(fields, text(event.SpanField, hex.EncodeToString(id[:])))
	}
	if name := r.EventName(); name != "" {
		fields = append(fields, text("event.name", name))
	}
	attributes(r.Attributes(), "", &fields, 0)
	return append(fields, shared...)
}

// severity is the short name of a number of OpenTelemetry's, 1 to 24.
func severity(n plog.SeverityNumber) string {
	names := [...]string{"trace", "debug", "info", "warn", "error", "fatal"}
	return names[max(0, min(5, (int(n)-1)/4))]
}

// maxDepth is how deep maps are flattened; below it they are JSON.
const maxDepth = 16

func attributes(m pcommon.Map, prefix string, into *[]event.Field, depth int) {
	for name, v := range m.All() {
		name = prefix + strings.ToValidUTF8(name, "\uFFFD")
		if len(name) > event.MaxNameSize {
			name = strings.ToValidUTF8(name[:event.MaxNameSize], "")
		}
		if v.Type() == pcommon.ValueTypeMap && depth < maxDepth {
			attributes(v.Map(), name+".", into, depth+1)
			continue
		}
		if value := valueOf(v); !value.IsNull() && len(*into) < event.MaxFields {
			*into = append(*into, event.Field{Name: name, Value: value})
		}
	}
}

func valueOf(v pcommon.Value) event.Value {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return event.String(strings.ToValidUTF8(v.Str(), "\uFFFD"))
	case pcommon.ValueTypeInt:
		return event.Int(v.Int())
	case pcommon.ValueTypeDouble:
		return event.Float(v.Double())
	case pcommon.ValueTypeBool:
		return event.Bool(v.Bool())
	case pcommon.ValueTypeBytes:
		return event.Bytes(v.Bytes().AsRaw())
	case pcommon.ValueTypeSlice:
		var items []string
		for _, item := range v.Slice().All() {
			items = append(items, strings.ToValidUTF8(item.AsString(), "\uFFFD"))
		}
		return event.List(items...)
	case pcommon.ValueTypeMap:
		if data, err := json.Marshal(v.Map().AsRaw()); err == nil {
			return event.String(string(data))
		}
	}
	return event.Value{}
}
