// Package otlp reads OpenTelemetry logs as the OTLP protocol carries them.
package otlp

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/wire"
)

// maxTotal is how many fields the events of one export may have in all.
const maxTotal = 5_000_000

// DecodeProtobuf and DecodeJSON read an export request.
func DecodeProtobuf(data []byte) (plog.Logs, error) {
	if err := wire.Check(wire.Logs, data); err != nil {
		return plog.Logs{}, err
	}
	req := plogotlp.NewExportRequest()
	if err := req.UnmarshalProto(data); err != nil {
		return plog.Logs{}, problem.New(problem.Invalid, "the body is no OTLP export of logs: %w", err)
	}
	return req.Logs(), nil
}

// DecodeJSON reads an export request in JSON.
func DecodeJSON(data []byte) (plog.Logs, error) {
	if err := wire.CheckJSON(data); err != nil {
		return plog.Logs{}, err
	}
	req := plogotlp.NewExportRequest()
	if err := req.UnmarshalJSON(data); err != nil {
		return plog.Logs{}, problem.New(problem.Invalid, "the body is no OTLP export of logs: %w", err)
	}
	return req.Logs(), nil
}

// Events makes an event of each record: attributes of the resource, the scope
// and the record are fields under their own names.
func Events(logs plog.Logs, now time.Time, note func(record.Notes)) ([]event.Event, error) {
	if n := logs.LogRecordCount(); n > wire.MaxEntries {
		return nil, problem.New(problem.TooLarge, "the export has %d records, at most %d are taken", n, wire.MaxEntries).WithMend("send smaller batches")
	}
	var events []event.Event
	fields := 0
	for _, rl := range logs.ResourceLogs().All() {
		resource := reader{most: event.MaxFields / 2}
		resource.attributes(rl.Resource().Attributes(), "", 0)
		for _, sl := range rl.ScopeLogs().All() {
			scope := reader{fields: slices.Clip(resource.fields), notes: resource.notes, most: resource.most}
			resource.notes = record.Notes{} // said once
			if name := sl.Scope().Name(); name != "" {
				scope.text("scope.name", name)
			}
			for _, r := range sl.LogRecords().All() {
				f := reader{notes: scope.notes, most: event.MaxFields - room - len(scope.fields)}
				scope.notes = record.Notes{}
				f.record(r)
				e, more := record.Event(append(f.fields, scope.fields...), record.Defaults{Now: now})
				f.notes.Add(more)
				note(f.notes)
				if fields += len(e.Fields); fields > maxTotal {
					return nil, problem.New(problem.TooLarge, "the export has more than %d attributes, those of a resource counted for each record", maxTotal).WithMend("send smaller batches")
				}
				events = append(events, e)
			}
		}
	}
	return events, nil
}

// reader gathers the fields of a record, or what several share.
type reader struct {
	fields []event.Field
	notes  record.Notes
	most   int // fields
}

func (f *reader) text(name, value string) {
	f.fields = append(f.fields, event.Field{Name: name, Value: event.String(f.notes.Valid(value))})
}

func (f *reader) record(r plog.LogRecord) {
	at := r.Timestamp()
	if at == 0 {
		at = r.ObservedTimestamp()
	}
	if at != 0 {
		f.fields = append(f.fields, event.Field{Name: event.TimeField, Value: event.Time(int64(at))})
	}
	switch body := r.Body(); body.Type() {
	case pcommon.ValueTypeMap:
		f.attributes(body.Map(), "", 0)
	case pcommon.ValueTypeEmpty:
	default:
		f.text(event.MessageField, body.AsString())
	}
	if r.SeverityText() != "" {
		f.text(event.LevelField, r.SeverityText())
	} else if n := r.SeverityNumber(); n > 0 {
		f.text(event.LevelField, severity(n))
	}
	if id := r.TraceID(); !id.IsEmpty() {
		f.text(event.TraceField, hex.EncodeToString(id[:]))
	}
	if id := r.SpanID(); !id.IsEmpty() {
		f.text(event.SpanField, hex.EncodeToString(id[:]))
	}
	if name := r.EventName(); name != "" {
		f.text("event.name", name)
	}
	f.attributes(r.Attributes(), "", 0)
}

// severity is the short name of a number of OpenTelemetry's, 1 to 24.
func severity(n plog.SeverityNumber) string {
	names := [...]string{"trace", "debug", "info", "warn", "error", "fatal"}
	return names[max(0, min(5, (int(n)-1)/4))]
}

const (
	maxDepth = 16 // of maps that are flattened; below it they are JSON
	room     = 16 // fields for what is added to a record's own
)

func (f *reader) attributes(m pcommon.Map, prefix string, depth int) {
	for name, v := range m.All() {
		name = prefix + f.notes.Valid(name)
		if len(name) > event.MaxNameSize {
			name = strings.ToValidUTF8(name[:event.MaxNameSize], "")
		}
		if v.Type() == pcommon.ValueTypeMap && depth < maxDepth {
			f.attributes(v.Map(), name+".", depth+1)
			continue
		}
		value := f.value(v)
		switch {
		case value.IsNull():
		case len(f.fields) >= f.most:
			f.notes.Left++
		default:
			f.fields = append(f.fields, event.Field{Name: name, Value: value})
		}
	}
}

func (f *reader) value(v pcommon.Value) event.Value {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return event.String(f.notes.Valid(v.Str()))
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
			items = append(items, f.notes.Valid(item.AsString()))
		}
		return event.List(items...)
	case pcommon.ValueTypeMap:
		if data, err := json.Marshal(v.Map().AsRaw()); err == nil {
			return event.String(string(data))
		}
	}
	return event.Value{}
}
