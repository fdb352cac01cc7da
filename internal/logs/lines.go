package logs

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// LinesAnswer says what became of JSON lines.
type LinesAnswer struct {
	Taken   int         `json:"taken"`
	Refused int         `json:"refused"`
	Errors  []LineFault `json:"errors,omitempty"` // of the first lines refused
}

// LineFault is what is wrong with a line.
type LineFault struct {
	Line    int    `json:"line"` // from 1
	Message string `json:"message"`
}

const (
	linesDoor     = "lines"
	maxLineFaults = 20
	maxLines      = 250_000 // of one request
)

// Lines is the door for JSON lines: each line is an object, or any text, which
// is a message. A line that is not right is refused alone. Query parameters
// dataset, service and host say what the lines do not.
func (l *Logs) Lines(fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return l.ingestOnly(linesDoor, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := readBody(w, r)
		if err == nil {
			var answer *LinesAnswer
			if answer, err = l.takeLines(r, data); err == nil {
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(answer) // the client has gone; nobody to tell
				return
			}
		}
		l.counts.Refused(linesDoor, string(problem.CodeOf(err)), 1)
		fail(w, r, err)
	}), fail)
}

func (l *Logs) takeLines(r *http.Request, data []byte) (*LinesAnswer, error) {
	if bytes.Count(data, []byte{'\n'}) > maxLines {
		return nil, problem.New(problem.TooLarge, "the body has more than %d lines", maxLines).WithMend("send smaller batches")
	}
	q := r.URL.Query()
	d := record.Defaults{Dataset: q.Get("dataset"), Service: q.Get("service"), Host: q.Get("host"), Now: l.now()}
	events, answer := l.decodeLines(data, d)
	if len(events) == 0 && answer.Refused > 0 {
		return nil, problem.New(problem.Invalid, "line %d: %s", answer.Errors[0].Line, answer.Errors[0].Message).WithMend("send one JSON object a line")
	}
	if len(events) > 0 {
		if err := l.Append(r.Context(), linesDoor, events); err != nil {
			return nil, err
		}
	}
	l.counts.Refused(linesDoor, "line", answer.Refused)
	return answer, nil
}

func (l *Logs) decodeLines(data []byte, d record.Defaults) (events []event.Event, answer *LinesAnswer) {
	answer = &LinesAnswer{}
	n := 0
	for line := range bytes.SplitSeq(data, []byte{'\n'}) {
		n++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var fields []event.Field
		var notes record.Notes
		if line[0] != '{' && line[0] != '[' {
			fields = []event.Field{{Name: event.MessageField, Value: event.String(notes.Valid(string(line)))}}
		} else {
			var err error
			if fields, notes, err = record.Flatten(line); err != nil {
				if answer.Refused++; len(answer.Errors) < maxLineFaults {
					answer.Errors = append(answer.Errors, LineFault{n, err.Error()})
				}
				continue
			}
		}
		e, more := record.Event(fields, d)
		notes.Add(more)
		l.note(linesDoor, notes)
		events = append(events, e)
		answer.Taken++
	}
	return events, answer
}

// note counts what was put right.
func (l *Logs) note(door string, notes record.Notes) {
	notes.Count(func(what string, n int) { l.counts.Mended(door, what, n) })
}

// Line makes an event of a line that a workload wrote.
func Line(service, host, stream, text string, at time.Time) event.Event {
	fields := []event.Field{{Name: event.MessageField, Value: event.String(text)}}
	if len(text) > 1 && text[0] == '{' {
		if parsed, _, err := record.Flatten([]byte(text)); err == nil && len(parsed) > 0 {
			fields = parsed
		}
	}
	e, _ := record.Event(fields, record.Defaults{Service: service, Host: host, Now: at})
	e.Set("stream", event.String(stream))
	return e
}
