package logstash

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Sink keeps events. When Append returns nil they are safe.
type Sink interface {
	Append(ctx context.Context, events []event.Event) error
}

// elasticsearch keeps events in daytwo's store: the index becomes the dataset.
type elasticsearch struct {
	sink    Sink
	index   *template
	id      *template // nil: the store numbers events
	streams streams
}

func newElasticsearch(o *options, env Env) output {
	f := &elasticsearch{sink: env.Sink}
	otherwise := "logstash-%{+yyyy.MM.dd}"
	kind, dataset, namespace := o.text("data_stream_type", "logs"), o.text("data_stream_dataset", "generic"), o.text("data_stream_namespace", "default")
	streamed := o.choice("data_stream", "auto", "auto", "true", "false")
	if streamed == "true" || streamed == "auto" && o.ecs {
		otherwise = kind + "-" + dataset + "-" + namespace
	}
	f.index = o.template("index", otherwise)
	if o.has("document_id") {
		f.id = o.template("document_id", "")
	}
	if o.has("action") {
		if s := o.text("action", "index"); s != "index" && s != "create" {
			v, _ := o.find("action")
			o.wrong(v.At(), `write action => "index"`, "action %q is not carried out: the store appends events and changes none", s)
		}
	}
	o.unused("events are kept in daytwo's own store", "hosts", "cloud_id", "user", "password", "cloud_auth", "api_key", "pipeline")
	o.ignore("data_stream_auto_routing", "data_stream_sync_fields", "document_type", "template", "template_name", "template_overwrite", "manage_template", "template_api",
		"ilm_enabled", "ilm_pattern", "ilm_policy", "ilm_rollover_alias", "ssl", "ssl_enabled", "ssl_certificate_verification", "ssl_verification_mode", "cacert", "ssl_certificate_authorities",
		"ssl_certificate", "ssl_key", "keystore", "keystore_password", "truststore", "truststore_password", "sniffing", "sniffing_delay", "sniffing_path", "path", "proxy", "timeout", "pool_max", "pool_max_per_route",
		"resurrect_delay", "retry_initial_interval", "retry_max_interval", "retry_on_conflict", "http_compression", "compression_level", "healthcheck_path", "custom_headers", "routing", "version", "version_type",
		"flush_size", "idle_flush_time", "max_retries", "protocol", "validate_after_inactivity", "bulk_path", "dlq_custom_codes", "dlq_on_failed_indexname_interpolation", "silence_errors_in_log", "failure_type_logging_whitelist", "doc_as_upsert", "upsert", "script", "ecs_compatibility", "codec", "cluster", "host", "port", "index_type", "ca_trusted_fingerprint", "ssl_supported_protocols", "parameters")
	return f
}

func (f *elasticsearch) write(ctx context.Context, events []*Event) error {
	if f.sink == nil {
		return problem.New(problem.Unavailable, "there is no store to keep events in")
	}
	out := make([]event.Event, len(events))
	for i, e := range events {
		out[i] = f.document(e)
	}
	return f.sink.Append(ctx, out)
}

func (f *elasticsearch) close() {}

// document is what is kept of an event: nested names are joined with dots.
func (f *elasticsearch) document(e *Event) event.Event {
	d := event.Event{Time: e.time().UnixNano(), Fields: make([]event.Field, 0, len(e.fields)+8)}
	if t := e.time(); t.Year() < 1678 || t.Year() > 2261 { // outside of what nanoseconds can say
		d.Time = time.Now().UnixNano()
		d.Fields = append(d.Fields, event.Field{Name: "time.given", Value: event.String(isoText(t))})
	}
	for k, v := range e.fields {
		if k != "@timestamp" {
			flatten(&d, k, v, 0)
		}
	}
	if f.id != nil {
		d.Set("_id", event.String(f.id.fill(e)))
	}
	service, host := textField(&d, "service.name", "service"), textField(&d, "host.name", "host.hostname", "host")
	d.Stream = f.streams.of([3]string{f.index.fill(e), service, host})
	return d
}

// textField is the first of some fields that is a short text.
func textField(d *event.Event, names ...string) string {
	for _, name := range names {
		for _, f := range d.Fields {
			if f.Name == name && f.Value.Type() == event.TypeString && len(f.Value.String()) <= 200 {
				return f.Value.String()
			}
		}
	}
	return ""
}

// streams keeps the streams that were made: most events come from few.
type streams struct {
	mu   sync.Mutex
	made map[[3]string]event.Stream
}

// maxStreams bounds what is kept.
const maxStreams = 4096

func (s *streams) of(key [3]string) event.Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stream, ok := s.made[key]; ok {
		return stream
	}
	if s.made == nil || len(s.made) >= maxStreams {
		s.made = map[[3]string]event.Stream{}
	}
	stream := event.NewStream(event.Labels{event.DatasetField: key[0], event.KindField: event.KindLog, event.ServiceField: key[1], event.HostField: key[2]})
	s.made[key] = stream
	return stream
}

func flatten(d *event.Event, name string, v any, depth int) {
	var out event.Value
	switch v := v.(type) {
	case string:
		out = event.String(v)
	case int64:
		out = event.Int(v)
	case float64:
		out = event.Float(v)
	case bool:
		out = event.Bool(v)
	case time.Time:
		out = event.Time(v.UnixNano())
	case map[string]any:
		if depth > maxPath {
			out = event.String(text(v))
			break
		}
		for k, x := range v {
			flatten(d, name+"."+k, x, depth+1)
		}
		return
	case []any:
		items := make([]string, 0, len(v))
		for _, x := range v {
			if x != nil {
				items = append(items, text(x))
			}
		}
		out = event.List(items...)
	}
	if !out.IsNull() && strings.TrimSpace(name) != "" {
		d.Fields = append(d.Fields, event.Field{Name: name, Value: out})
	}
}
