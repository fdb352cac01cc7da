package record

import (
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// Defaults is what a door knows about a record that does not say it itself.
type Defaults struct {
	Dataset string // empty: logs
	Service string
	Host    string
	Now     time.Time
	Keep    bool // leave every field where it is, as a document store does; otherwise names get one spelling
}

// Names under which programs log the same thing, in the order of trust.
var (
	timeNames    = []string{"@timestamp", "timestamp", "time", "ts", "_time", "date", "datetime", "t"}
	messageNames = []string{"message", "msg", "_msg", "log", "body", "MESSAGE", "event.original", "text", "short_message"}
	levelNames   = []string{"level", "log.level", "severity", "lvl", "loglevel", "severity_text", "levelname", "PRIORITY", "syslog.severity", "syslogseverity-text"}
	serviceNames = []string{"service.name", "service", "service_name", "app", "application", "app_name", "kubernetes.labels.app", "job", "SYSLOG_IDENTIFIER", "programname", "PROGRAM", "appname"}
	hostNames    = []string{"host.name", "hostname", "host", "fromhost", "host.hostname", "_HOSTNAME", "HOST"}
	traceNames   = []string{"trace.id", "trace_id", "traceId", "traceid", "otelTraceID"}
	spanNames    = []string{"span.id", "span_id", "spanId", "spanid", "otelSpanID"}
)

// GivenTime is the field that keeps a time which was not taken as it was given.
const GivenTime = "time.given"

// Event makes a log event of fields.
func Event(fields []event.Field, d Defaults) (event.Event, Notes) {
	b := builder{fields: fields, keep: d.Keep}
	e := event.Event{Time: d.Now.UnixNano()}
	var notes Notes
	e.Time, notes.Time = b.when(d.Now)
	b.rename(messageNames, event.MessageField)
	b.level()
	b.rename(traceNames, event.TraceField)
	b.rename(spanNames, event.SpanField)
	labels := event.Labels{event.KindField: event.KindLog, event.DatasetField: d.Dataset}
	if d.Dataset == "" {
		labels[event.DatasetField] = DefaultDataset
	}
	labels[event.ServiceField] = b.label(serviceNames, event.ServiceField, d.Service)
	labels[event.HostField] = b.label(hostNames, event.HostField, d.Host)
	e.Stream = event.NewStream(labels)
	e.Fields = b.fields
	return e, notes
}

// DefaultDataset is where logs go that name none.
const DefaultDataset = "logs"

// maxLabel is how long a service's or host's name may be to be a label.
const maxLabel = 200

type builder struct {
	fields []event.Field
	keep   bool
}

func (b *builder) find(names []string) int {
	for _, name := range names {
		for i := range b.fields {
			if b.fields[i].Name == name {
				return i
			}
		}
	}
	return -1
}

func (b *builder) remove(i int) { b.fields = append(b.fields[:i], b.fields[i+1:]...) }

// when is the time of the event: the one given if it can be true.
func (b *builder) when(now time.Time) (int64, string) {
	names := timeNames
	if b.keep {
		names = timeNames[:1]
	}
	for _, name := range names {
		i := b.find([]string{name})
		if i < 0 {
			continue
		}
		given := b.fields[i].Value
		t, ok := Moment(given)
		why := TimeUnknown
		if ok {
			why = Judge(t, now)
		}
		if why == "" {
			b.remove(i)
			return t.UnixNano(), ""
		}
		if !ok && name != "@timestamp" && name != "timestamp" && name != "time" {
			continue // a field that happens to be called so
		}
		b.fields[i] = event.Field{Name: GivenTime, Value: event.String(given.String())}
		return now.UnixNano(), why
	}
	return now.UnixNano(), ""
}

// rename gives the first of the names the one spelling.
func (b *builder) rename(names []string, to string) {
	if b.find([]string{to}) >= 0 || b.keep {
		return
	}
	if i := b.find(names); i >= 0 {
		b.fields[i].Name = to
	}
}

func (b *builder) level() {
	i := b.find(levelNames)
	if i < 0 || b.fields[i].Value.Type() == event.TypeList {
		return
	}
	level := Level(b.fields[i].Value.Text())
	switch {
	case b.fields[i].Name == event.LevelField:
		if !b.keep {
			b.fields[i].Value = event.String(level)
		}
	case b.keep:
		b.fields = append(b.fields, event.Field{Name: event.LevelField, Value: event.String(level)})
	default:
		b.fields[i] = event.Field{Name: event.LevelField, Value: event.String(level)}
	}
}

// label takes a name for the stream.
func (b *builder) label(names []string, own, otherwise string) string {
	for _, name := range names {
		i := b.find([]string{name})
		if i < 0 || b.fields[i].Value.Type() != event.TypeString {
			continue
		}
		v := strings.TrimSpace(b.fields[i].Value.Text())
		if v == "" || len(v) > maxLabel || strings.ContainsAny(v, "\n\r\t") {
			continue
		}
		if name == own || !b.keep && name != "job" && name != "service" && name != "host" {
			b.remove(i)
		} else if !b.keep {
			b.remove(i)
		}
		return v
	}
	return otherwise
}
