package logstash

import (
	"fmt"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"github.com/daytwo-dev/daytwo/internal/logs/logstash/syntax"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// filter changes one event. It tells whether it did what it is for, so that the plugin's add_field and its like apply. Events that it makes
// go to emit and on to the stages behind; e.cancelled ends e's way. A filter is used by several workers at once.
type filter interface {
	apply(e *Event, emit func(*Event)) (matched bool)
}

// flusher is a filter that gives events without being given one: regularly, and last when the pipeline stops.
type flusher interface {
	flush(now time.Time, last bool) []*Event
}

// stage is a filter, an output or a condition, linked to what comes after it.
type stage struct {
	name   string // plugin, or the condition
	at     syntax.Pos
	file   string
	filter filter
	adds   decoration
	output *outputStage
	cases  []stageCase
	next   *stage
	counts counts
}

type stageCase struct {
	holds test   // nil: else
	first *stage // nil: an empty block
	text  string
}

// counts are what a stage has done.
type counts struct {
	in, out, failed atomic.Uint64
	nanos           atomic.Int64
}

// outputStage gathers what reached an output from one batch.
type outputStage struct {
	number int
	output output
}

// Pipeline is a pipeline that was built from its files and found without error.
type Pipeline struct {
	ID       string
	text     string // of all its files and settings: equal text, equal pipeline
	settings Settings
	inputs   []*inputStage
	filters  *stage
	outputs  *stage
	stages   []*stage
	flushers []*stage
	sinks    []*outputStage
	ordered  bool
}

// Settings are those of one entry of pipelines.yml.
type Settings struct {
	Workers   int
	BatchSize int
	Queue     int // events that wait between inputs and workers
	ECS       bool
}

// DefaultSettings are Logstash's own, but for a queue that is bounded by events.
func DefaultSettings(cpus int) Settings {
	return Settings{Workers: cpus, BatchSize: 125, Queue: 1000, ECS: true}
}

// inputStage is an input with its common settings.
type inputStage struct {
	name   string
	at     syntax.Pos
	file   string
	input  input
	adds   decoration
	kind   string // the setting type
	plugin *syntax.Plugin
	counts counts
	ecs    bool
}

// Source is one configuration file.
type Source struct{ Name, Text string }

// Env is what Build needs to know of where it runs.
type Env struct {
	Lookup func(string) (string, bool) // environment variables
	Sink   Sink                        // where the output elasticsearch writes; nil: nowhere, for checks and trials
	Dir    string                      // the directory that relative paths in files are relative to
	State  string                      // the directory for positions in files that are read
	Host   string                      // how this machine is called
	Out    *Console                    // where the output stdout writes, and what the input stdin reads
}

// Build reads the files of one pipeline, in their order, as one configuration. It starts nothing. The pipeline is nil if a finding is an error.
func Build(id string, files []Source, s Settings, env Env) (*Pipeline, []problem.Finding) {
	p := &Pipeline{ID: id, settings: s, text: fmt.Sprintf("%s %+v", id, s)}
	var findings []problem.Finding
	b := &builder{dir: env.Dir, env: env.Lookup, ecs: s.ECS}
	var filterBodies, outputBodies []body
	for _, f := range files {
		p.text += "\x00" + f.Name + "\x00" + f.Text
		parsed, found := syntax.Parse(f.Name, f.Text)
		findings = append(findings, found...)
		for _, section := range parsed.Sections {
			switch section.Kind {
			case "input":
				b.file = f.Name
				p.addInputs(b, section.Body, env)
			case "filter":
				filterBodies = append(filterBodies, body{f.Name, section.Body})
			case "output":
				outputBodies = append(outputBodies, body{f.Name, section.Body})
			}
		}
	}
	p.filters = p.link(b, filterBodies, "filter", env)
	p.outputs = p.link(b, outputBodies, "output", env)
	p.ordered = b.ordered
	findings = append(findings, b.findings...)
	if !problem.Broken(findings) {
		findings = append(findings, p.incomplete(files)...)
	}
	problem.SortFindings(findings)
	if problem.Broken(findings) {
		return nil, findings
	}
	return p, findings
}

type body struct {
	file string
	list []syntax.Statement
}

// incomplete says what a pipeline lacks to be of use.
func (p *Pipeline) incomplete(files []Source) []problem.Finding {
	lacks := func(what, mend string) problem.Finding {
		return problem.Finding{File: files[0].Name, Severity: problem.SeverityWarning, Message: fmt.Sprintf("pipeline %q has no %s", p.ID, what), Mend: mend}
	}
	var out []problem.Finding
	if len(p.inputs) == 0 {
		out = append(out, lacks("input, so nothing comes into it", "add input { … }, or leave the file out"))
	}
	if p.outputs == nil {
		out = append(out, lacks("output, so what comes into it is lost", "add output { elasticsearch { } } to keep it in daytwo"))
	}
	return out
}

// link builds the statements of several files as one list, last first, since every stage knows what comes after it.
func (p *Pipeline) link(b *builder, bodies []body, kind string, env Env) *stage {
	var next *stage
	for i := len(bodies) - 1; i >= 0; i-- {
		b.file = bodies[i].file
		next = p.chain(b, bodies[i].list, kind, next, env)
	}
	return next
}

func (p *Pipeline) chain(b *builder, list []syntax.Statement, kind string, next *stage, env Env) *stage {
	for i := len(list) - 1; i >= 0; i-- {
		s := &stage{file: b.file, next: next}
		switch statement := list[i].(type) {
		case *syntax.Plugin:
			s.name, s.at = statement.Name, statement.Pos
			if kind == "filter" {
				p.addFilter(b, s, statement)
			} else {
				p.addOutput(b, s, statement, env)
			}
		case *syntax.Branch:
			s.at = statement.Pos
			for _, c := range statement.Cases {
				sc := stageCase{text: "else"}
				if c.Condition != nil {
					sc.holds, sc.text = b.condition(c.Condition), "if "+syntax.ConditionText(c.Condition)
				}
				sc.first = p.chain(b, c.Body, kind, next, env)
				s.cases = append(s.cases, sc)
			}
			s.name = s.cases[0].text
		}
		p.stages = append(p.stages, s)
		next = s
	}
	return next
}

func (p *Pipeline) addFilter(b *builder, s *stage, plugin *syntax.Plugin) {
	make, ok := filters[plugin.Name]
	if !ok {
		b.unknown("filter", plugin, sortedKeys(filters))
		return
	}
	o := b.options("filter", plugin)
	s.adds = o.decoration()
	o.ignore("id", "enable_metric", "periodic_flush")
	if s.filter = make(o); s.filter != nil {
		o.finish()
	}
	if _, ok := s.filter.(flusher); ok {
		p.flushers = append(p.flushers, s)
	}
}

func (p *Pipeline) addOutput(b *builder, s *stage, plugin *syntax.Plugin, env Env) {
	make, ok := outputs[plugin.Name]
	if !ok {
		b.unknown("output", plugin, sortedKeys(outputs))
		return
	}
	o := b.options("output", plugin)
	o.ignore("id", "enable_metric", "workers")
	out := make(o, env)
	o.finish()
	s.output = &outputStage{number: len(p.sinks), output: out}
	p.sinks = append(p.sinks, s.output)
}

func (p *Pipeline) addInputs(b *builder, list []syntax.Statement, env Env) {
	for _, statement := range list {
		plugin, ok := statement.(*syntax.Plugin)
		if !ok {
			b.wrong(statement.(*syntax.Branch).Pos, "put the condition into a filter", "an input section has no conditions: there is no event yet to ask")
			continue
		}
		make, ok := inputs[plugin.Name]
		if !ok {
			b.unknown("input", plugin, sortedKeys(inputs))
			continue
		}
		o := b.options("input", plugin)
		s := &inputStage{name: plugin.Name, at: plugin.Pos, file: b.file, plugin: plugin, ecs: b.ecs}
		s.adds, s.kind = o.decoration(), o.text("type", "")
		o.ignore("id", "enable_metric")
		s.input = make(o, env)
		o.finish()
		p.inputs = append(p.inputs, s)
	}
}

// unknown refuses a plugin by name.
func (b *builder) unknown(kind string, p *syntax.Plugin, known []string) {
	if mend, ok := refusedPlugins[kind+" "+p.Name]; ok {
		b.wrong(p.Pos, mend, "%s %s is not carried out", kind, p.Name)
		return
	}
	sort.Strings(known)
	b.wrong(p.Pos, "the "+kind+"s are "+strings.Join(known, ", "), "%s %s is not carried out", kind, p.Name)
}

// refusedPlugins are those that people often use, with what to do instead.
var refusedPlugins = map[string]string{
	"filter ruby":           "daytwo runs no Ruby: say it with mutate, dissect, translate, split or conditions",
	"filter aggregate":      "its code is Ruby, which daytwo does not run: group the stored events in a search instead",
	"filter elasticsearch":  "leave it out, or look the value up with translate in a dictionary",
	"filter jdbc_streaming": "export the table to a dictionary file and use translate",
	"filter multiline":      "use codec => multiline in the input, as Logstash demands too",
	"input beats":           "let the shipper write to daytwo's Elasticsearch address, or use the input tcp, http or file",
	"input elastic_agent":   "let the agent write to daytwo's Elasticsearch address",
	"input kafka":           "bring the records by http or tcp",
	"input exec":            "daytwo runs no commands from a pipeline: let the program write to a file or to tcp",
	"output kafka":          "use the output http or tcp",
	"output exec":           "daytwo runs no commands from a pipeline",
	"output email":          "make an alert of the search instead",
	"output pipeline":       "put both pipelines into one file",
	"input pipeline":        "put both pipelines into one file",
}

// process takes an event through the stages from s on; out gets what comes out at the end.
func process(s *stage, e *Event, out func(*Event), watch observer) {
	for s != nil {
		if s.cases != nil {
			s = s.pick(e, watch)
			continue
		}
		before := time.Now()
		s.counts.in.Add(1)
		next := s.next
		var trace func()
		if watch != nil {
			trace = watch.before(s, e)
		}
		matched := s.filter.apply(e, func(made *Event) {
			s.counts.out.Add(1)
			if !s.adds.empty() {
				s.adds.apply(made)
			}
			if watch != nil {
				watch.made(s, made)
			}
			process(next, made, out, watch)
		})
		if matched && !s.adds.empty() && !e.cancelled {
			s.adds.apply(e)
		}
		if !matched {
			s.counts.failed.Add(1)
		}
		s.counts.nanos.Add(int64(time.Since(before)))
		if trace != nil {
			trace()
		}
		if e.cancelled {
			e.receipt.settle()
			return
		}
		s.counts.out.Add(1)
		s = next
	}
	out(e)
}

// observer is shown what stages do.
type observer interface {
	before(s *stage, e *Event) (after func())
	made(s *stage, e *Event)
	chose(s *stage, e *Event, text string)
}

// pick is the first stage of the case that holds, or what comes after the branch.
func (s *stage) pick(e *Event, watch observer) *stage {
	for i := range s.cases {
		c := &s.cases[i]
		if c.holds != nil && !c.holds(e) {
			continue
		}
		if watch != nil {
			watch.chose(s, e, c.text)
		}
		if c.first != nil {
			return c.first
		}
		break
	}
	return s.next
}

// route calls give for each output that the event reaches.
func route(s *stage, e *Event, give func(*stage)) {
	for s != nil {
		if s.cases != nil {
			s = s.pick(e, nil)
			continue
		}
		give(s)
		s = s.next
	}
}
