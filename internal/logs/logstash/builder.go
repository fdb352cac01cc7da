package logstash

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/logs/logstash/syntax"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// matchTimeout bounds one match of an expression outside of grok, which has a setting for it.
const matchTimeout = 2 * time.Second

// builder makes stages of one pipeline's files and collects what there is to say about them.
type builder struct {
	file     string
	dir      string // what relative paths of dictionaries and patterns are relative to
	env      func(string) (string, bool)
	ecs      bool // fields are named as the Elastic Common Schema does, unless a plugin says otherwise
	findings []problem.Finding
	ordered  bool // a plugin needs to see events in their order: one worker
}

func (b *builder) finding(at syntax.Pos, severity problem.Severity, message, mend string) {
	b.findings = append(b.findings, problem.Finding{File: b.file, Line: at.Line, Column: at.Column, Severity: severity, Message: message, Mend: mend})
}

func (b *builder) wrong(at syntax.Pos, mend, format string, args ...any) {
	b.finding(at, problem.SeverityError, fmt.Sprintf(format, args...), mend)
}

func (b *builder) report(at syntax.Pos, p *problem.Error) { b.wrong(at, p.Mend, "%s", p.Message) }

var variable = regexp.MustCompile(`\$\{([a-zA-Z_.][a-zA-Z0-9_.]*)(?::([^}]*))?\}`)

// environment replaces ${NAME} and ${NAME:default}.
func (b *builder) environment(s string, at syntax.Pos) string {
	if !strings.Contains(s, "${") {
		return s
	}
	return variable.ReplaceAllStringFunc(s, func(ref string) string {
		m := variable.FindStringSubmatch(ref)
		if v, ok := b.env(m[1]); ok {
			return v
		}
		if strings.Contains(ref, ":") {
			return m[2]
		}
		b.wrong(at, fmt.Sprintf("set it where daytwo starts, or give a default: ${%s:…}", m[1]), "the environment variable %s is not set", m[1])
		return ref
	})
}

func number(s string) any {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	f, _ := strconv.ParseFloat(s, 64)
	return f
}

// options are the settings of one plugin. Reading one checks it; what nobody has read is not known.
type options struct {
	*builder
	plugin *syntax.Plugin
	kind   string // input, filter, output or codec
	known  []string
}

func (b *builder) options(kind string, p *syntax.Plugin) *options {
	return &options{builder: b, plugin: p, kind: kind}
}

// find is the setting of a name, the last if it stands several times.
func (o *options) find(name string) (syntax.Value, bool) {
	o.known = append(o.known, name)
	for i := len(o.plugin.Settings) - 1; i >= 0; i-- {
		if o.plugin.Settings[i].Name == name {
			return o.plugin.Settings[i].Value, true
		}
	}
	return nil, false
}

func (o *options) has(name string) bool {
	_, ok := o.find(name)
	return ok
}

// require says that a setting must be there.
func (o *options) require(name, example string) {
	if !o.has(name) {
		o.wrong(o.plugin.Pos, fmt.Sprintf("write %s => %s", name, example), "%s %s needs the setting %s", o.kind, o.plugin.Name, name)
	}
}

// ignore accepts settings that mean nothing here.
func (o *options) ignore(names ...string) { o.known = append(o.known, names...) }

// unused accepts settings and warns that they are without effect.
func (o *options) unused(why string, names ...string) {
	for _, s := range o.plugin.Settings {
		if slices.Contains(names, s.Name) {
			o.finding(s.Pos, problem.SeverityWarning, fmt.Sprintf("%s of %s is not used: %s", s.Name, o.plugin.Name, why), "leave it out")
		}
	}
	o.ignore(names...)
}

// refuse names settings that Logstash has and we do not carry out.
func (o *options) refuse(mend string, names ...string) {
	for _, s := range o.plugin.Settings {
		if slices.Contains(names, s.Name) {
			o.wrong(s.Pos, mend, "%s of %s %s is not carried out", s.Name, o.kind, o.plugin.Name)
		}
	}
	o.ignore(names...)
}

// finish refuses settings that nobody has read.
func (o *options) finish() {
	for _, s := range o.plugin.Settings {
		if slices.Contains(o.known, s.Name) {
			continue
		}
		slices.Sort(o.known)
		known := slices.Compact(slices.Clone(o.known))
		o.wrong(s.Pos, "it knows "+strings.Join(known, ", "), "%s %s has no setting %q", o.kind, o.plugin.Name, s.Name)
	}
}

func (o *options) mistyped(name string, v syntax.Value, want string) {
	o.wrong(v.At(), "write "+name+" => "+want, "%s of %s is of the wrong kind", name, o.plugin.Name)
}

// scalar is a text or a number, as text.
func (o *options) scalar(v syntax.Value) (string, bool) {
	switch v := v.(type) {
	case *syntax.String:
		return o.environment(v.Text, v.Pos), true
	case *syntax.Bareword:
		return o.environment(v.Text, v.Pos), true
	case *syntax.Number:
		return v.Text, true
	}
	return "", false
}

func (o *options) text(name, otherwise string) string {
	v, ok := o.find(name)
	if !ok {
		return otherwise
	}
	s, ok := o.scalar(v)
	if !ok {
		if list, isList := v.(*syntax.Array); isList && len(list.Items) == 1 {
			if s, ok = o.scalar(list.Items[0]); ok {
				return s
			}
		}
		o.mistyped(name, v, `"text"`)
		return otherwise
	}
	return s
}

func (o *options) bool(name string, otherwise bool) bool {
	v, ok := o.find(name)
	if !ok {
		return otherwise
	}
	switch s, _ := o.scalar(v); s {
	case "true":
		return true
	case "false":
		return false
	}
	o.mistyped(name, v, "true or false")
	return otherwise
}

func (o *options) int(name string, otherwise, least, most int) int {
	v, ok := o.find(name)
	if !ok {
		return otherwise
	}
	s, _ := o.scalar(v)
	n, err := strconv.Atoi(strings.TrimSuffix(s, ".0"))
	if err != nil {
		o.mistyped(name, v, "a whole number")
		return otherwise
	}
	if n < least || n > most {
		o.wrong(v.At(), fmt.Sprintf("give %d to %d", least, most), "%s of %s is out of range: %d", name, o.plugin.Name, n)
		return otherwise
	}
	return n
}

func (o *options) float(name string, otherwise float64) float64 {
	v, ok := o.find(name)
	if !ok {
		return otherwise
	}
	s, _ := o.scalar(v)
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		o.mistyped(name, v, "a number")
		return otherwise
	}
	return f
}

// seconds is a number of seconds as a duration; it may have a fraction.
func (o *options) seconds(name string, otherwise time.Duration) time.Duration {
	f := o.float(name, otherwise.Seconds())
	if f < 0 || f > 1e8 {
		f = otherwise.Seconds()
	}
	return time.Duration(f * float64(time.Second))
}

// choice is one of several words.
func (o *options) choice(name, otherwise string, words ...string) string {
	s := o.text(name, otherwise)
	if s != otherwise && !slices.Contains(words, s) {
		v, _ := o.find(name)
		o.wrong(v.At(), "give one of "+strings.Join(words, ", "), "%s of %s cannot be %q", name, o.plugin.Name, s)
		return otherwise
	}
	return s
}

// texts is a list of texts; one text is a list of one.
func (o *options) texts(name string) []string {
	v, ok := o.find(name)
	if !ok {
		return nil
	}
	return o.textsOf(name, v)
}

func (o *options) textsOf(name string, v syntax.Value) []string {
	if s, ok := o.scalar(v); ok {
		return []string{s}
	}
	list, ok := v.(*syntax.Array)
	if !ok {
		o.mistyped(name, v, `["text", …]`)
		return nil
	}
	out := make([]string, 0, len(list.Items))
	for _, item := range list.Items {
		s, ok := o.scalar(item)
		if !ok {
			o.mistyped(name, item, `["text", …]`)
			continue
		}
		out = append(out, s)
	}
	return out
}

func (o *options) template(name, otherwise string) *template {
	return o.templateOf(o.text(name, otherwise), name)
}

func (o *options) templateOf(s, name string) *template {
	t, err := parseTemplate(s)
	if err != nil {
		at := o.plugin.Pos
		if v, ok := o.find(name); ok {
			at = v.At()
		}
		o.report(at, problem.From(err))
		return &template{}
	}
	return t
}

func (o *options) templates(name string) []*template {
	var out []*template
	for _, s := range o.texts(name) {
		out = append(out, o.templateOf(s, name))
	}
	return out
}

func (o *options) ref(name, otherwise string) Ref { return parseRef(o.text(name, otherwise)) }

// target is a field to write to; ok is false where none is given.
func (o *options) target(name string) (r Ref, ok bool) {
	s := o.text(name, "")
	return parseRef(s), s != ""
}

func (o *options) refs(name string) []Ref {
	var out []Ref
	for _, s := range o.texts(name) {
		out = append(out, parseRef(s))
	}
	return out
}

// pair is one entry of a hash.
type pair struct {
	key   string
	value syntax.Value
}

// pairs is a hash in its order. Lists of a key and a value by turns are one too, as in old configurations.
func (o *options) pairs(name string) []pair {
	var out []pair
	o.known = append(o.known, name)
	for _, s := range o.plugin.Settings { // a hash that stands several times is one
		if s.Name == name {
			out = append(out, o.pairsOf(name, s.Value)...)
		}
	}
	return out
}

func (o *options) pairsOf(name string, v syntax.Value) []pair {
	var out []pair
	switch v := v.(type) {
	case *syntax.Hash:
		for _, e := range v.Entries {
			key, _ := o.scalar(e.Key)
			out = append(out, pair{key, e.Value})
		}
		return out
	case *syntax.Array:
		if len(v.Items)%2 == 0 {
			for i := 0; i < len(v.Items); i += 2 {
				key, ok := o.scalar(v.Items[i])
				if !ok {
					o.mistyped(name, v, `{ "key" => "value" }`)
					return nil
				}
				out = append(out, pair{key, v.Items[i+1]})
			}
			return out
		}
	}
	o.mistyped(name, v, `{ "key" => "value" }`)
	return nil
}

// textPairs is a hash of texts.
func (o *options) textPairs(name string) [][2]string {
	var out [][2]string
	for _, p := range o.pairs(name) {
		s, ok := o.scalar(p.value)
		if !ok {
			o.mistyped(name, p.value, `{ "key" => "value" }`)
			continue
		}
		out = append(out, [2]string{p.key, s})
	}
	return out
}

// compatible tells whether the plugin names fields by the Elastic Common Schema.
func (o *options) compatible() bool {
	switch o.choice("ecs_compatibility", "", "disabled", "v1", "v8") {
	case "disabled":
		return false
	case "v1", "v8":
		return true
	}
	return o.ecs
}

// zone is a time zone by name.
func (o *options) zone(name string) *time.Location {
	s := o.text(name, "")
	if s == "" {
		return time.UTC
	}
	zone, err := loadZone(s)
	if err != nil {
		v, _ := o.find(name)
		o.wrong(v.At(), "give a name such as Europe/Vienna, UTC or +02:00", "%q is no time zone", s)
		return time.UTC
	}
	return zone
}

func loadZone(s string) (*time.Location, error) {
	if t, err := time.Parse("-07:00", s); err == nil {
		return t.Location(), nil
	}
	if t, err := time.Parse("-0700", s); err == nil {
		return t.Location(), nil
	}
	return time.LoadLocation(s)
}

// decoration is what plugins of all kinds can add to events.
type decoration struct {
	addField  []templatePair
	removeTag []*template
	addTag    []*template
	remove    []*template
}

type templatePair struct {
	key    *template
	values []*template
	plain  []any // values that are no text, one a value; nil where it is
}

// decoration reads add_field, and of filters the others.
func (o *options) decoration() decoration {
	var d decoration
	for _, p := range o.pairs("add_field") {
		t := templatePair{key: o.templateOf(p.key, "add_field")}
		items := []syntax.Value{p.value}
		if list, ok := p.value.(*syntax.Array); ok {
			items = list.Items
		}
		for _, item := range items {
			if s, ok := o.scalar(item); ok {
				t.values, t.plain = append(t.values, o.templateOf(s, "add_field")), append(t.plain, nil)
			} else {
				t.values, t.plain = append(t.values, nil), append(t.plain, o.constant(item))
			}
		}
		d.addField = append(d.addField, t)
	}
	if o.kind == "filter" {
		d.addTag, d.removeTag, d.remove = o.templates("add_tag"), o.templates("remove_tag"), o.templates("remove_field")
	} else {
		d.addTag = o.templates("tags")
	}
	return d
}

func (d *decoration) empty() bool {
	return len(d.addField)+len(d.removeTag)+len(d.addTag)+len(d.remove) == 0
}

func (d *decoration) apply(e *Event) {
	for _, p := range d.addField {
		r := parseRef(p.key.fill(e))
		for i, t := range p.values {
			v := p.plain[i]
			if t != nil {
				v = t.fill(e)
			}
			addValue(e, r, v)
		}
	}
	for _, t := range d.addTag {
		e.tag(t.fill(e))
	}
	for _, t := range d.remove {
		e.remove(parseRef(t.fill(e)))
	}
	for _, t := range d.removeTag {
		e.untag(t.fill(e))
	}
}

// addValue puts a value beside what a field already has.
func addValue(e *Event, r Ref, v any) {
	old, ok := e.get(r)
	if !ok {
		e.set(r, v)
		return
	}
	if list, isList := old.([]any); isList {
		e.set(r, append(list, v))
		return
	}
	e.set(r, []any{old, v})
}
