package logstash

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
)

// Trial shows what the stages of a pipeline do to sample lines, without its inputs and outputs.
type Trial struct {
	p      *Pipeline
	codec  *codec
	host   string
	syslog *syslogInput // the first input, if it is one
}

// NewTrial takes lines as the pipeline's first input would, if that reads lines; otherwise as plain text.
func NewTrial(p *Pipeline, env Env) *Trial {
	t := &Trial{p: p, host: env.Host}
	b := &builder{env: env.Lookup, ecs: p.settings.ECS}
	if len(p.inputs) > 0 {
		in := p.inputs[0]
		b.file = in.file
		o := b.options("input", in.plugin)
		t.codec = o.codec("line")
		t.syslog, _ = in.input.(*syslogInput)
	}
	if t.codec == nil {
		t.codec = &codec{name: "line", delimiter: "\n", original: p.settings.ECS}
	}
	return t
}

// Result is one event that came of the sample.
type Result struct {
	Input   string         `json:"input"`
	Steps   []Step         `json:"steps"`
	Event   map[string]any `json:"event,omitempty"` // nil: dropped
	Outputs []string       `json:"outputs"`
}

// Step is what one stage did.
type Step struct {
	Stage   string   `json:"stage"`
	File    string   `json:"file"`
	Line    int      `json:"line"`
	Effect  string   `json:"effect"` // changed, nothing, dropped, chose, made
	Changes []Change `json:"changes,omitempty"`
}

// Change is one field before and after.
type Change struct {
	Field  string `json:"field"`
	Before any    `json:"before,omitempty"`
	After  any    `json:"after,omitempty"`
}

// Run takes every line of r through the filters and gives each event that comes of it.
func (t *Trial) Run(r io.Reader, give func(Result) error) error {
	d := t.codec.decoder()
	var failed error
	emit := func(e *Event) {
		if failed == nil {
			failed = t.event(e, give)
		}
	}
	err := readLines(r, t.codec.delimiter, func(line []byte, _ bool) error {
		if len(bytes.TrimSpace(line)) > 0 {
			d.line(line, emit)
		}
		return failed
	})
	if err != nil {
		return err
	}
	d.flush(emit)
	return failed
}

func (t *Trial) event(e *Event, give func(Result) error) error {
	input, _ := e.text(parseRef("message"))
	if input == "" {
		input = string(jsonText(e.fields))
	}
	if len(t.p.inputs) > 0 {
		in := t.p.inputs[0]
		if in.kind != "" {
			e.fields["type"] = in.kind
		}
		if t.syslog != nil {
			t.syslog.touch(e, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		}
		in.adds.apply(e)
	}
	w := &watcher{steps: map[*Event][]Step{}}
	var failed error
	process(t.p.filters, e, func(e *Event) {
		if failed != nil {
			return
		}
		r := Result{Input: input, Steps: w.steps[e], Event: e.shown(), Outputs: []string{}}
		route(t.p.outputs, e, func(s *stage) { r.Outputs = append(r.Outputs, fmt.Sprintf("%s (%s:%d)", s.name, s.file, s.at.Line)) })
		failed = give(r)
	}, w)
	if e.cancelled && failed == nil {
		failed = give(Result{Input: input, Steps: w.steps[e], Outputs: []string{}})
	}
	return failed
}

// shown is the event with its @metadata, for people who look for mistakes.
func (e *Event) shown() map[string]any {
	out := jsonValue(e.fields).(map[string]any)
	if len(e.meta) > 0 {
		out["@metadata"] = jsonValue(e.meta)
	}
	return out
}

// watcher notes what stages do to each event.
type watcher struct {
	steps   map[*Event][]Step
	current *Event
}

func (w *watcher) before(s *stage, e *Event) func() {
	w.current = e
	before := flat(e.shown())
	return func() {
		step := Step{Stage: s.name, File: s.file, Line: s.at.Line, Effect: "nothing"}
		switch after := flat(e.shown()); {
		case e.cancelled:
			step.Effect = "dropped"
		default:
			if step.Changes = changes(before, after); len(step.Changes) > 0 {
				step.Effect = "changed"
			}
		}
		w.steps[e] = append(w.steps[e], step)
	}
}

func (w *watcher) made(s *stage, e *Event) {
	w.steps[e] = append(append([]Step{}, w.steps[w.current]...), Step{Stage: s.name, File: s.file, Line: s.at.Line, Effect: "made"})
}

func (w *watcher) chose(s *stage, e *Event, text string) {
	w.steps[e] = append(w.steps[e], Step{Stage: text, File: s.file, Line: s.at.Line, Effect: "chose"})
}

// flat names the fields of an event by references.
func flat(fields map[string]any) map[string]any {
	out := map[string]any{}
	var walk func(prefix string, m map[string]any)
	walk = func(prefix string, m map[string]any) {
		for k, v := range m {
			name := prefix + "[" + k + "]"
			if inner, ok := v.(map[string]any); ok && len(inner) > 0 {
				walk(name, inner)
				continue
			}
			out[name] = v
		}
	}
	walk("", fields)
	plain := make(map[string]any, len(out))
	for k, v := range out {
		if strings.Count(k, "[") == 1 {
			k = k[1 : len(k)-1]
		}
		plain[k] = v
	}
	return plain
}

func changes(before, after map[string]any) []Change {
	var out []Change
	for _, k := range sortedKeys(before) {
		if v, ok := after[k]; !ok {
			out = append(out, Change{Field: k, Before: before[k]})
		} else if !reflect.DeepEqual(v, before[k]) {
			out = append(out, Change{k, before[k], v})
		}
	}
	for _, k := range sortedKeys(after) {
		if _, ok := before[k]; !ok {
			out = append(out, Change{Field: k, After: after[k]})
		}
	}
	return out
}
