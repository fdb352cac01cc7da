package logs

import (
	"mime"
	"net/http"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/loki"
	"github.com/daytwo-dev/daytwo/internal/logs/otlp"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

const (
	lokiDoor = "loki"
	otlpDoor = "otlp"
)

// Loki is the door for what pushes to Loki, at /loki.
func (l *Logs) Loki(fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	push := l.ingestOnly(lokiDoor, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := l.pushLoki(w, r); err != nil {
			l.counts.Refused(lokiDoor, string(problem.CodeOf(err)), 1)
			fail(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}), fail)
	mux := http.NewServeMux()
	mux.Handle("/api/v1/push", push)
	mux.Handle("/loki/api/v1/push", push) // for clients that add the path to the address they are given
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ready\n")) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, r, problem.New(problem.NotFound, "daytwo takes Loki's pushes and does not cover %s", r.URL.Path).WithMend("search on the page Logs, or with daytwo logs"))
	})
	return mux
}

func (l *Logs) pushLoki(w http.ResponseWriter, r *http.Request) error {
	data, err := readBody(w, r)
	if err != nil {
		return err
	}
	decode := loki.DecodeProtobuf
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind {
	case "application/json":
		decode = loki.DecodeJSON
	case "application/x-protobuf", "":
	default:
		return problem.New(problem.Invalid, "the content type %.60q is none of Loki's", kind).WithMend("send application/json or application/x-protobuf")
	}
	entries, err := decode(data)
	if err != nil {
		return err
	}
	now := l.now()
	events := make([]event.Event, len(entries))
	for i := range entries {
		var notes record.Notes
		events[i], notes = entries[i].Event(now)
		l.note(lokiDoor, notes)
	}
	if len(events) == 0 {
		return nil
	}
	return l.Append(r.Context(), lokiDoor, events)
}

// OTLP is the door for logs of OpenTelemetry over HTTP, at /v1/logs.
func (l *Logs) OTLP(fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return l.ingestOnly(otlpDoor, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isJSON, err := l.exportOTLP(w, r)
		if err != nil {
			l.counts.Refused(otlpDoor, string(problem.CodeOf(err)), 1)
			fail(w, r, err)
			return
		}
		answer := plogotlp.NewExportResponse()
		kind, write := "application/x-protobuf", answer.MarshalProto
		if isJSON {
			kind, write = "application/json", answer.MarshalJSON
		}
		data, err := write()
		if err != nil {
			fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(data) // the client has gone; nobody to tell
	}), fail)
}

func (l *Logs) exportOTLP(w http.ResponseWriter, r *http.Request) (isJSON bool, err error) {
	data, err := readBody(w, r)
	if err != nil {
		return false, err
	}
	decode := otlp.DecodeProtobuf
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind {
	case "application/json":
		decode, isJSON = otlp.DecodeJSON, true
	case "application/x-protobuf", "application/protobuf", "":
	default:
		return false, problem.New(problem.Invalid, "the content type %.60q is none of OTLP's", kind).WithMend("send application/x-protobuf or application/json")
	}
	logs, err := decode(data)
	if err != nil {
		return isJSON, err
	}
	return isJSON, l.takeOTLP(r, logs)
}

func (l *Logs) takeOTLP(r *http.Request, logs plog.Logs) error {
	events, err := otlp.Events(logs, l.now(), func(n record.Notes) { l.note(otlpDoor, n) })
	if err != nil || len(events) == 0 {
		return err
	}
	return l.Append(r.Context(), otlpDoor, events)
}
