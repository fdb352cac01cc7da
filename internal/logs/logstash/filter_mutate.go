package logstash

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/daytwo-dev/daytwo/internal/logs/grok"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// mutate changes fields. Whatever the order in the file, its steps have one order.
type mutate struct {
	steps     []func(*Event) bool
	onFailure string
}

func newMutate(o *options) filter {
	f := &mutate{onFailure: o.text("tag_on_failure", "_mutate_error")}
	f.add(o.fillPairs("coerce", func(e *Event, r Ref, s string) bool {
		if v, ok := e.get(r); ok && v == nil {
			return e.set(r, s)
		}
		return true
	}))
	f.add(o.rename())
	f.add(o.fillPairs("update", func(e *Event, r Ref, s string) bool {
		if _, ok := e.get(r); ok {
			return e.set(r, s)
		}
		return true
	}))
	f.add(o.fillPairs("replace", func(e *Event, r Ref, s string) bool { return e.set(r, s) }))
	f.add(o.convert())
	f.add(o.gsub())
	f.add(o.eachText("uppercase", strings.ToUpper))
	f.add(o.eachText("capitalize", capitalize))
	f.add(o.eachText("lowercase", strings.ToLower))
	f.add(o.eachText("strip", func(s string) string {
		return strings.TrimFunc(s, func(c rune) bool { return unicode.IsSpace(c) || c == 0 })
	}))
	f.add(o.split())
	f.add(o.join())
	f.add(o.merge())
	f.add(o.copy())
	o.refuse("write remove_field", "remove")
	return f
}

func (f *mutate) add(step func(*Event) bool) {
	if step != nil {
		f.steps = append(f.steps, step)
	}
}

func (f *mutate) apply(e *Event, _ func(*Event)) bool {
	for _, step := range f.steps {
		if !step(e) {
			e.tag(f.onFailure)
			return false
		}
	}
	return true
}

// fillPairs is a step for a hash of fields and templates.
func (o *options) fillPairs(name string, set func(e *Event, r Ref, s string) bool) func(*Event) bool {
	type entry struct{ key, value *template }
	var list []entry
	for _, p := range o.textPairs(name) {
		list = append(list, entry{o.templateOf(p[0], name), o.templateOf(p[1], name)})
	}
	if list == nil {
		return nil
	}
	return func(e *Event) bool {
		for _, x := range list {
			if !set(e, parseRef(x.key.fill(e)), x.value.fill(e)) {
				return false
			}
		}
		return true
	}
}

func (o *options) rename() func(*Event) bool {
	return o.fillPairs("rename", func(e *Event, r Ref, s string) bool {
		v, ok := e.get(r)
		if !ok {
			return true
		}
		e.remove(r)
		return e.set(parseRef(s), v)
	})
}

func (o *options) copy() func(*Event) bool {
	return o.fillPairs("copy", func(e *Event, r Ref, s string) bool {
		v, ok := e.get(r)
		if !ok || v == nil {
			return true
		}
		return e.set(parseRef(s), copyValue(v))
	})
}

var conversions = []string{"integer", "integer_eu", "float", "float_eu", "string", "boolean"}

func (o *options) convert() func(*Event) bool {
	pairs := o.textPairs("convert")
	for _, p := range pairs {
		if !slices.Contains(conversions, p[1]) {
			v, _ := o.find("convert")
			o.wrong(v.At(), "give one of "+strings.Join(conversions, ", "), "convert cannot make %q", p[1])
		}
	}
	if pairs == nil {
		return nil
	}
	return func(e *Event) bool {
		for _, p := range pairs {
			r := parseRef(p[0])
			old, ok := e.get(r)
			if !ok || old == nil {
				continue
			}
			if list, isList := old.([]any); isList {
				out := make([]any, len(list))
				for i, v := range list {
					out[i] = converted(p[1], v)
				}
				e.set(r, out)
				continue
			}
			if _, isMap := old.(map[string]any); isMap {
				return false
			}
			e.set(r, converted(p[1], old))
		}
		return true
	}
}

func converted(kind string, v any) any {
	if out, ok := convertTo(kind, v); ok {
		return out
	}
	return v
}

// convertTo makes a value of a kind. It is false where a text is no truth value.
func convertTo(kind string, v any) (any, bool) {
	switch kind {
	case "string":
		return text(v), true
	case "boolean":
		switch strings.ToLower(text(v)) {
		case "true", "t", "yes", "y", "1", "1.0":
			return true, true
		case "false", "f", "no", "n", "0", "0.0", "":
			return false, true
		}
		return v, false
	}
	if b, ok := v.(bool); ok {
		n := int64(0)
		if b {
			n = 1
		}
		if strings.HasPrefix(kind, "float") {
			return float64(n), true
		}
		return n, true
	}
	s := strings.TrimSpace(text(v))
	if strings.HasSuffix(kind, "_eu") {
		s = strings.ReplaceAll(strings.ReplaceAll(s, ".", ""), ",", ".")
	} else {
		s = strings.ReplaceAll(s, ",", "")
	}
	f, n := leadingNumber(s)
	if strings.HasPrefix(kind, "float") {
		if whole, ok := v.(int64); ok {
			return float64(whole), true
		}
		return f, true
	}
	if x, ok := v.(float64); ok {
		return int64(x), true
	}
	return n, true
}

// leadingNumber reads the number that s begins with, as a fraction and as a whole number; 0 if there is none.
func leadingNumber(s string) (float64, int64) {
	end := 0
	seen := false
	for end < len(s) {
		c := s[end]
		switch {
		case c >= '0' && c <= '9':
			seen = true
		case (c == '-' || c == '+') && (end == 0 || s[end-1] == 'e' || s[end-1] == 'E'):
		case c == '.', (c == 'e' || c == 'E') && seen:
		default:
			goto done
		}
		end++
	}
done:
	for ; end > 0; end-- {
		if f, err := strconv.ParseFloat(s[:end], 64); err == nil {
			if n, err := strconv.ParseInt(s[:end], 10, 64); err == nil {
				return f, n
			}
			if f > 9.2e18 || f < -9.2e18 {
				return f, 0
			}
			return f, int64(f)
		}
	}
	return 0, 0
}

// gsub replaces what expressions fit: field, expression, replacement, three by three.
func (o *options) gsub() func(*Event) bool {
	v, ok := o.find("gsub")
	if !ok {
		return nil
	}
	list := o.textsOf("gsub", v)
	if len(list)%3 != 0 || len(list) == 0 {
		o.wrong(v.At(), `write gsub => ["field", "expression", "replacement", …]`, "gsub has %d elements, which are not three by three", len(list))
		return nil
	}
	type change struct {
		ref         Ref
		pattern     *grok.Pattern
		replacement *template
	}
	var changes []change
	for i := 0; i < len(list); i += 3 {
		pattern, err := grok.CompileExpression(list[i+1], matchTimeout)
		if err != nil {
			o.report(v.At(), problem.From(err))
			return nil
		}
		changes = append(changes, change{parseRef(list[i]), pattern, o.templateOf(list[i+2], "gsub")})
	}
	return func(e *Event) bool {
		for _, c := range changes {
			replacement := c.replacement.fill(e)
			ok := e.eachText(c.ref, func(s string) (string, bool) {
				out, err := c.pattern.Replace(s, replacement)
				return out, err == nil
			})
			if !ok {
				return false
			}
		}
		return true
	}
}

// eachText changes a text, or every text of a list. Other values stay.
func (e *Event) eachText(r Ref, change func(string) (string, bool)) bool {
	v, _ := e.get(r)
	switch v := v.(type) {
	case string:
		s, ok := change(v)
		return ok && e.set(r, s)
	case []any:
		for i, x := range v {
			if s, isText := x.(string); isText {
				out, ok := change(s)
				if !ok {
					return false
				}
				v[i] = out
			}
		}
	}
	return true
}

func (o *options) eachText(name string, change func(string) string) func(*Event) bool {
	refs := o.refs(name)
	if refs == nil {
		return nil
	}
	return func(e *Event) bool {
		for _, r := range refs {
			e.eachText(r, func(s string) (string, bool) { return change(s), true })
		}
		return true
	}
}

func capitalize(s string) string {
	c, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(c)) + strings.ToLower(s[n:])
}

func (o *options) split() func(*Event) bool {
	return o.fillPairs("split", func(e *Event, r Ref, separator string) bool {
		if s, ok := e.get(r); ok {
			if s, isText := s.(string); isText {
				e.set(r, splitText(s, separator))
			}
		}
		return true
	})
}

// splitText cuts at every separator; empty texts at the end are left out, as Ruby does.
func splitText(s, separator string) []any {
	var parts []string
	if separator == " " {
		parts = strings.Fields(s)
	} else {
		parts = strings.Split(s, separator)
	}
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return out
}

func (o *options) join() func(*Event) bool {
	return o.fillPairs("join", func(e *Event, r Ref, separator string) bool {
		if v, ok := e.get(r); ok {
			if list, isList := v.([]any); isList {
				parts := make([]string, len(list))
				for i, x := range list {
					parts[i] = text(x)
				}
				e.set(r, strings.Join(parts, separator))
			}
		}
		return true
	})
}

// merge puts a list or a hash, or two texts, together: { "into" => "from" }.
func (o *options) merge() func(*Event) bool {
	type entry struct {
		into Ref
		from []Ref
	}
	var list []entry
	for _, p := range o.pairs("merge") {
		x := entry{into: parseRef(p.key)}
		for _, s := range o.textsOf("merge", p.value) {
			x.from = append(x.from, parseRef(s))
		}
		list = append(list, x)
	}
	if list == nil {
		return nil
	}
	return func(e *Event) bool {
		for _, x := range list {
			for _, from := range x.from {
				if !mergeInto(e, x.into, from) {
					return false
				}
			}
		}
		return true
	}
}

func mergeInto(e *Event, into, from Ref) bool {
	added, ok := e.get(from)
	if !ok || added == nil {
		return true
	}
	old, _ := e.get(into)
	if m, isMap := old.(map[string]any); isMap {
		more, isMap := added.(map[string]any)
		for k, v := range more {
			m[k] = v
		}
		return isMap
	}
	list, isList := old.([]any)
	if !isList && old != nil {
		list = []any{old}
	}
	if _, isMap := added.(map[string]any); isMap && !isList {
		return false
	}
	if more, isList := added.([]any); isList {
		list = append(list, more...)
	} else {
		list = append(list, added)
	}
	return e.set(into, list)
}
