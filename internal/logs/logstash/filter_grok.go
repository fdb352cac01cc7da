package logstash

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"maps"

	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/logs/grok"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// grokFilter takes fields out of text by patterns.
type grokFilter struct {
	fields    []grokField
	breaks    bool
	empty     bool // keep empty captures
	overwrite map[string]bool
	onFailure []*template
	onTimeout *template
}

type grokField struct {
	ref      Ref
	patterns []grokPattern
}

type grokPattern struct {
	*grok.Pattern
	targets []grokTarget // one a capture
}

type grokTarget struct {
	capture   grok.Capture
	ref       Ref
	overwrite bool
}

func newGrok(o *options) filter {
	f := &grokFilter{breaks: o.bool("break_on_match", true), empty: o.bool("keep_empty_captures", false), overwrite: map[string]bool{}}
	naming := grok.Legacy
	if o.compatible() {
		naming = grok.ECS
	}
	before := len(o.findings)
	patterns := o.patterns(naming)
	unread := len(o.findings) > before // what is not defined may stand in what could not be read, of which that is said
	settings := grok.Options{
		Patterns: patterns, AllNamed: !o.bool("named_captures_only", true),
		Timeout: time.Duration(o.int("timeout_millis", 30_000, 0, 600_000)) * time.Millisecond,
	}
	for _, name := range o.texts("overwrite") {
		f.overwrite[parseRef(name).String()] = true
	}
	f.onFailure = o.templates("tag_on_failure")
	if !o.has("tag_on_failure") {
		f.onFailure = []*template{o.templateOf("_grokparsefailure", "")}
	}
	f.onTimeout = o.template("tag_on_timeout", "_groktimeout")
	o.ignore("timeout_scope", "patterns_files_glob")
	target := o.text("target", "")
	o.require("match", `{ "message" => "%{COMBINEDAPACHELOG}" }`)
	for _, p := range o.pairs("match") {
		field := grokField{ref: parseRef(p.key)}
		for _, expression := range o.textsOf("match", p.value) {
			compiled, err := grok.Compile(expression, settings)
			if err != nil {
				if !unread {
					o.report(p.value.At(), problem.From(err))
				}
				continue
			}
			field.patterns = append(field.patterns, f.target(compiled, target))
		}
		f.fields = append(f.fields, field)
	}
	return f
}

func (f *grokFilter) target(p *grok.Pattern, target string) grokPattern {
	out := grokPattern{Pattern: p}
	for _, c := range p.Captures() {
		ref := parseRef(c.Field)
		if target != "" {
			ref = Ref{append(append([]string{}, parseRef(target).path...), ref.path...), parseRef(target).meta}
		}
		out.targets = append(out.targets, grokTarget{c, ref, f.overwrite[ref.String()]})
	}
	return out
}

// patterns are the stock patterns with those of patterns_dir and pattern_definitions.
func (o *options) patterns(naming grok.Naming) grok.Dictionary {
	d := grok.Stock(naming)
	dirs, own := o.texts("patterns_dir"), o.textPairs("pattern_definitions")
	if len(dirs)+len(own) == 0 {
		return d
	}
	d = maps.Clone(d)
	v, _ := o.find("patterns_dir")
	for _, dir := range dirs {
		dir = o.path(dir)
		names := []string{dir}
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			names, _ = filepath.Glob(filepath.Join(dir, o.text("patterns_files_glob", "*")))
		}
		for _, name := range names {
			content, err := configfile.Read(name)
			if err == nil {
				err = d.AddFile(name, string(content))
			}
			if err != nil {
				o.wrong(v.At(), "give a directory of pattern files that can be read", "patterns_dir: %v", err)
			}
		}
	}
	for _, name := range sortedKeys(d) {
		if d[name] == "" {
			o.finding(v.At(), problem.SeverityWarning, "patterns_dir: the pattern "+name+" has no expression and matches nothing but the empty text", "write its expression behind the name, or leave it out")
		}
	}
	for _, p := range own {
		d[p[0]] = p[1]
	}
	return d
}

// path makes a path absolute: files are named relative to the operations directory.
func (o *options) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(o.dir, p)
}

func (f *grokFilter) apply(e *Event, _ func(*Event)) bool {
	matched := false
	for i := range f.fields {
		ok, err := f.field(&f.fields[i], e)
		if errors.Is(err, grok.ErrTimeout) {
			e.tag(f.onTimeout.fill(e))
			return false
		}
		if matched = matched || ok; matched && f.breaks {
			break
		}
	}
	if !matched {
		for _, t := range f.onFailure {
			e.tag(t.fill(e))
		}
	}
	return matched
}

func (f *grokFilter) field(field *grokField, e *Event) (bool, error) {
	v, ok := e.get(field.ref)
	if !ok || v == nil {
		return false, nil
	}
	list, isList := v.([]any)
	if !isList {
		return f.text(field, text(v), e)
	}
	matched := false
	for _, item := range append([]any{}, list...) {
		ok, err := f.text(field, text(item), e)
		if err != nil {
			return false, err
		}
		matched = matched || ok
	}
	return matched, nil
}

func (f *grokFilter) text(field *grokField, s string, e *Event) (bool, error) {
	matched := false
	var m grok.Match
	for i := range field.patterns {
		p := &field.patterns[i]
		ok, err := p.Find(s, &m)
		if err != nil {
			return false, err
		}
		if !ok {
			continue
		}
		for _, t := range p.targets {
			if v, ok := m.Value(t.capture); ok && (v != "" || f.empty) {
				t.put(e, v)
			}
		}
		if matched = true; f.breaks {
			break
		}
	}
	return matched, nil
}

// put adds a capture to its field: beside what is there, unless it is overwritten.
func (t *grokTarget) put(e *Event, v any) {
	if t.overwrite {
		e.set(t.ref, v)
		return
	}
	old, ok := e.get(t.ref)
	switch old := old.(type) {
	case nil:
		e.set(t.ref, v)
	case []any:
		e.set(t.ref, append(old, v))
	case string:
		if ok {
			e.set(t.ref, []any{old, v})
		}
	}
}
