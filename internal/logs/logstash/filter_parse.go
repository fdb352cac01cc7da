package logstash

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/logs/grok"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// jsonFilter reads JSON in a field.
type jsonFilter struct {
	source    Ref
	target    Ref
	hasTarget bool
	skip      bool
	onFailure []string
}

func newJSON(o *options) filter {
	f := &jsonFilter{source: o.ref("source", "message"), skip: o.bool("skip_on_invalid_json", false), onFailure: o.texts("tag_on_failure")}
	o.require("source", `"message"`)
	f.target, f.hasTarget = o.target("target")
	if !o.has("tag_on_failure") {
		f.onFailure = []string{"_jsonparsefailure"}
	}
	o.ignore("ecs_compatibility")
	return f
}

func (f *jsonFilter) apply(e *Event, _ func(*Event)) bool {
	s, ok := e.text(f.source)
	if !ok {
		return false
	}
	v, err := parseJSON([]byte(s))
	if err != nil {
		if !f.skip {
			f.fail(e)
		}
		return false
	}
	if f.hasTarget {
		return e.set(f.target, v)
	}
	fields, ok := v.(map[string]any)
	if !ok {
		f.fail(e)
		return false
	}
	e.merge(fields)
	return true
}

func (f *jsonFilter) fail(e *Event) {
	for _, t := range f.onFailure {
		e.tag(t)
	}
}

// merge puts fields that came from outside into the event.
func (e *Event) merge(fields map[string]any) {
	for k, v := range fields {
		switch k {
		case "@timestamp":
			if t, ok := parseTimestamp(v); ok {
				e.fields[k] = t
			} else {
				e.tag("_timestampparsefailure")
				e.fields["_@timestamp"] = v
			}
		case "@metadata":
			if m, ok := v.(map[string]any); ok {
				e.meta = m
			}
		case "tags":
			switch v.(type) {
			case string, []any:
				e.fields[k] = v
			default: // Logstash keeps the place for tags
				e.fields["_tags"] = v
				e.tag("_tagsparsefailure")
			}
		default:
			e.fields[k] = v
		}
	}
}

// csvFilter reads one line of separated values.
type csvFilter struct {
	source, target Ref
	hasTarget      bool
	separator      string
	quote          byte
	columns        []string
	convert        map[string]string
	skipEmpty      bool
	skipHeader     bool
	skipEmptyRows  bool
	autogenerate   bool
}

func newCSV(o *options) filter {
	f := &csvFilter{
		source: o.ref("source", "message"), separator: o.text("separator", ","), columns: o.texts("columns"), convert: map[string]string{},
		skipEmpty: o.bool("skip_empty_columns", false), skipHeader: o.bool("skip_header", false), skipEmptyRows: o.bool("skip_empty_rows", false),
		autogenerate: o.bool("autogenerate_column_names", true),
	}
	f.target, f.hasTarget = o.target("target")
	if q := o.text("quote_char", `"`); q != "" {
		f.quote = q[0]
	}
	if f.separator == `\t` {
		f.separator = "\t"
	}
	if f.separator == "" {
		f.separator = ","
	}
	for _, p := range o.textPairs("convert") {
		if !slices.Contains([]string{"integer", "float", "date", "date_time", "boolean"}, p[1]) {
			v, _ := o.find("convert")
			o.wrong(v.At(), "give integer, float, date, date_time or boolean", "convert cannot make %q", p[1])
		}
		f.convert[p[0]] = p[1]
	}
	o.refuse("name the columns in columns", "autodetect_column_names")
	o.ignore("ecs_compatibility")
	return f
}

func (f *csvFilter) apply(e *Event, _ func(*Event)) bool {
	s, ok := e.text(f.source)
	if !ok {
		return false
	}
	values, ok := f.split(s)
	if !ok {
		e.tag("_csvparsefailure")
		return false
	}
	if len(values) == 0 {
		if f.skipEmptyRows {
			e.tag("_csvskippedemptyfield")
		}
		return false
	}
	if f.skipHeader && slices.Equal(values, f.columns) {
		e.cancelled = true
		return true
	}
	for i, v := range values {
		name := ""
		if i < len(f.columns) {
			name = f.columns[i]
		} else if f.autogenerate {
			name = fmt.Sprintf("column%d", i+1)
		}
		if name == "" || v == "" && f.skipEmpty {
			continue
		}
		ref := parseRef(name)
		if f.hasTarget {
			ref = Ref{append(append([]string{}, f.target.path...), ref.path...), f.target.meta}
		}
		e.set(ref, f.converted(name, v))
	}
	return true
}

func (f *csvFilter) converted(name, v string) any {
	switch kind := f.convert[name]; kind {
	case "integer", "float", "boolean":
		return converted(kind, v)
	case "date", "date_time":
		if t, ok := parseTimestamp(v); ok {
			return t
		}
	}
	return v
}

// split cuts a line; a quote that is not closed makes it none.
func (f *csvFilter) split(s string) (values []string, ok bool) {
	if strings.TrimSpace(s) == "" {
		return nil, true
	}
	for {
		if f.quote == 0 || s == "" || s[0] != f.quote {
			v, rest, more := strings.Cut(s, f.separator)
			values = append(values, strings.TrimRight(v, "\r"))
			if !more {
				return values, true
			}
			s = rest
			continue
		}
		v, rest, closed := unquote(s[1:], f.quote)
		if !closed {
			return nil, false
		}
		values = append(values, v)
		rest = strings.TrimRight(rest, "\r\n")
		if rest == "" {
			return values, true
		}
		if s, closed = strings.CutPrefix(rest, f.separator); !closed {
			return nil, false
		}
	}
}

func unquote(s string, quote byte) (v, rest string, closed bool) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != quote {
			out.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == quote {
			out.WriteByte(quote)
			i++
			continue
		}
		return out.String(), s[i+1:], true
	}
	return "", "", false
}

// kvFilter reads pairs: a=1 b="2 3".
type kvFilter struct {
	source, target     Ref
	hasTarget          bool
	fieldSplit         string // characters
	valueSplit         string
	fieldPattern       *grok.Pattern
	valuePattern       *grok.Pattern
	prefix             *template
	include, exclude   []string
	defaults           [][2]*template
	trimKey, trimValue string
	removeKey          string
	removeValue        string
	casing             [2]string // of keys and of values
	duplicates         bool
	brackets           bool
	empty              bool
	strict             bool
	recursive          bool
	onFailure          []string
	onTimeout          string
}

func newKV(o *options) filter {
	f := &kvFilter{
		source: o.ref("source", "message"), fieldSplit: unescape(o.text("field_split", " ")), valueSplit: unescape(o.text("value_split", "=")),
		prefix: o.template("prefix", ""), include: o.texts("include_keys"), exclude: o.texts("exclude_keys"),
		trimKey: o.text("trim_key", ""), trimValue: o.text("trim_value", ""), removeKey: o.text("remove_char_key", ""), removeValue: o.text("remove_char_value", ""),
		duplicates: o.bool("allow_duplicate_values", true), brackets: o.bool("include_brackets", true), empty: o.bool("allow_empty_values", false),
		recursive: o.bool("recursive", false), onFailure: o.texts("tag_on_failure"), onTimeout: o.text("tag_on_timeout", "_kv_filter_timeout"),
	}
	f.strict = o.choice("whitespace", "lenient", "lenient", "strict") == "strict"
	f.casing = [2]string{o.choice("transform_key", "", "lowercase", "uppercase", "capitalize"), o.choice("transform_value", "", "lowercase", "uppercase", "capitalize")}
	f.target, f.hasTarget = o.target("target")
	f.fieldPattern, f.valuePattern = o.expression("field_split_pattern"), o.expression("value_split_pattern")
	for _, p := range o.textPairs("default_keys") {
		f.defaults = append(f.defaults, [2]*template{o.templateOf(p[0], ""), o.templateOf(p[1], "")})
	}
	if !o.has("tag_on_failure") {
		f.onFailure = []string{"_kv_filter_error"}
	}
	o.ignore("timeout_millis", "ecs_compatibility")
	return f
}

// unescape reads the escapes that people write for characters in settings.
func unescape(s string) string {
	return strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\r`, "\r", `\\`, `\`, `\[`, "[", `\]`, "]", `\ `, " ", `\&`, "&", `\|`, "|", `\"`, `"`, `\s`, " ").Replace(s)
}

func (o *options) expression(name string) *grok.Pattern {
	s := o.text(name, "")
	if s == "" {
		return nil
	}
	p, err := grok.CompileExpression(s, matchTimeout)
	if err != nil {
		v, _ := o.find(name)
		o.report(v.At(), problem.From(err))
		return nil
	}
	return p
}

func (f *kvFilter) apply(e *Event, _ func(*Event)) bool {
	found := map[string]any{}
	v, _ := e.get(f.source)
	list, isList := v.([]any)
	if s, ok := v.(string); ok {
		list = []any{s}
	} else if !isList && v != nil {
		for _, t := range f.onFailure {
			e.tag(t)
		}
		return false
	}
	for _, x := range list {
		if s, ok := x.(string); ok {
			f.pairs(s, e, found, 0)
		}
	}
	for _, d := range f.defaults {
		if key := d[0].fill(e); found[key] == nil {
			found[key] = d[1].fill(e)
		}
	}
	if len(found) == 0 {
		return false
	}
	if f.hasTarget {
		if m, ok := e.get(f.target); ok {
			if m, isMap := m.(map[string]any); isMap {
				for k, v := range found {
					m[k] = v
				}
				return true
			}
		}
		return e.set(f.target, found)
	}
	for _, k := range sortedKeys(found) {
		e.set(parseRef(k), found[k])
	}
	return true
}

// maxKVDepth bounds pairs in values of pairs.
const maxKVDepth = 10

func (f *kvFilter) pairs(s string, e *Event, found map[string]any, depth int) {
	for s != "" {
		s = f.skip(s)
		key, rest, ok := f.key(s)
		if !ok {
			s = f.afterField(s)
			continue
		}
		value, rest := f.value(rest)
		f.keep(key, value, e, found, depth)
		s = rest
	}
}

// skip steps over separators and blanks.
func (f *kvFilter) skip(s string) string {
	if f.fieldPattern != nil {
		for {
			n := f.prefixOf(f.fieldPattern, s)
			if n == 0 {
				return strings.TrimLeft(s, " \t")
			}
			s = s[n:]
		}
	}
	if f.strict {
		return strings.TrimLeft(s, f.fieldSplit)
	}
	return strings.TrimLeft(s, f.fieldSplit+" \t\r\n")
}

// prefixOf is how long the match at the start of s is.
func (f *kvFilter) prefixOf(p *grok.Pattern, s string) int {
	var m grok.Match
	if ok, err := p.Find(s, &m); ok && err == nil {
		if start, end := m.Span(); start == 0 {
			return end
		}
	}
	return 0
}

// until is where the next separator of fields begins and ends.
func (f *kvFilter) until(s string) (start, end int) {
	if f.fieldPattern != nil {
		var m grok.Match
		if ok, err := f.fieldPattern.Find(s, &m); ok && err == nil {
			if start, end = m.Span(); end > start {
				return start, end
			}
		}
		return len(s), len(s)
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			continue
		}
		if strings.IndexByte(f.fieldSplit, s[i]) >= 0 {
			return i, i + 1
		}
	}
	return len(s), len(s)
}

func (f *kvFilter) afterField(s string) string {
	_, end := f.until(s)
	return s[end:]
}

// key reads a key and the sign behind it.
func (f *kvFilter) key(s string) (key, rest string, ok bool) {
	limit, _ := f.until(s)
	start, end := limit, limit
	if f.valuePattern != nil {
		var m grok.Match
		if ok, err := f.valuePattern.Find(s[:limit], &m); ok && err == nil {
			start, end = m.Span()
		}
	} else if i := strings.IndexAny(s[:limit], f.valueSplit); i >= 0 {
		start, end = i, i+1
	}
	if start == limit || start == 0 {
		if !f.strict && f.valuePattern == nil && start == limit { // a = 1
			after := strings.TrimLeft(s[limit:], " \t")
			if after != "" && strings.IndexByte(f.valueSplit, after[0]) >= 0 && limit > 0 && strings.Contains(f.fieldSplit, " ") {
				return strings.TrimSpace(s[:limit]), after[1:], true
			}
		}
		return "", "", false
	}
	return strings.TrimSpace(s[:start]), s[end:], true
}

// value reads a value, in quotes or brackets or up to the next separator.
func (f *kvFilter) value(s string) (value, rest string) {
	if !f.strict {
		trimmed := strings.TrimLeft(s, " \t")
		if len(trimmed) < len(s) && !strings.ContainsAny(f.fieldSplit, " \t") || strings.HasPrefix(trimmed, `"`) || strings.HasPrefix(trimmed, "'") {
			s = trimmed
		} else if strings.Contains(f.fieldSplit, " ") && trimmed != s {
			if end, _ := f.until(trimmed); end > 0 && !strings.ContainsAny(trimmed[:end], f.valueSplit) {
				s = trimmed
			}
		}
	}
	if s == "" {
		return "", ""
	}
	closing := map[byte]byte{'"': '"', '\'': '\''}
	if f.brackets {
		closing = map[byte]byte{'"': '"', '\'': '\'', '(': ')', '[': ']', '<': '>'}
	}
	if c, ok := closing[s[0]]; ok {
		for i := 1; i < len(s); i++ {
			if s[i] == '\\' && c == s[0] {
				i++
				continue
			}
			if s[i] != c {
				continue
			}
			if at, _ := f.until(s[i+1:]); at == 0 || i+1 == len(s) {
				return s[1:i], f.afterField(s[i+1:])
			}
		}
	}
	start, end := f.until(s)
	return s[:start], s[end:]
}

func (f *kvFilter) keep(key, value string, e *Event, found map[string]any, depth int) {
	key = cased(f.casing[0], removeChars(strings.Trim(key, charsOf(f.trimKey)), f.removeKey))
	value = cased(f.casing[1], removeChars(strings.Trim(value, charsOf(f.trimValue)), f.removeValue))
	if key == "" || value == "" && !f.empty {
		return
	}
	if len(f.include) > 0 && !slices.Contains(f.include, key) || slices.Contains(f.exclude, key) {
		return
	}
	key = f.prefix.fill(e) + key
	var v any = value
	if f.recursive && depth < maxKVDepth {
		inner := map[string]any{}
		if f.pairs(value, e, inner, depth+1); len(inner) > 0 {
			v = inner
		}
	}
	old, has := found[key]
	list, isList := old.([]any)
	switch {
	case !has:
		found[key] = v
	case isList:
		if f.duplicates || !slices.ContainsFunc(list, func(x any) bool { return equal(x, v) }) {
			found[key] = append(list, v)
		}
	case f.duplicates || !equal(old, v):
		found[key] = []any{old, v}
	}
}

// charsOf reads the characters of a bracket class's inside, with escapes.
func charsOf(s string) string { return unescape(s) }

func removeChars(s, class string) string {
	if class == "" {
		return s
	}
	chars := charsOf(class)
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(chars, c) {
			return -1
		}
		return c
	}, s)
}

func cased(how, s string) string {
	switch how {
	case "lowercase":
		return strings.ToLower(s)
	case "uppercase":
		return strings.ToUpper(s)
	case "capitalize":
		return capitalize(s)
	}
	return s
}

// urldecode reads percent signs.
type urldecode struct {
	field Ref
	all   bool
	tag   []string
}

func newURLDecode(o *options) filter {
	f := &urldecode{field: o.ref("field", "message"), all: o.bool("all_fields", false), tag: o.texts("tag_on_failure")}
	if !o.has("tag_on_failure") {
		f.tag = []string{"_urldecodefailure"}
	}
	o.refuse("save the source as UTF-8", "charset")
	return f
}

func (f *urldecode) apply(e *Event, _ func(*Event)) bool {
	failed := false
	var decode func(v any) any
	decode = func(v any) any {
		switch v := v.(type) {
		case string:
			out, err := url.PathUnescape(v)
			if err != nil {
				failed = true
				return v
			}
			return out
		case []any:
			for i, x := range v {
				v[i] = decode(x)
			}
		case map[string]any:
			for k, x := range v {
				v[k] = decode(x)
			}
		}
		return v
	}
	if f.all {
		decode(e.fields)
	} else if v, ok := e.get(f.field); ok {
		e.set(f.field, decode(v))
	}
	if failed {
		for _, t := range f.tag {
			e.tag(t)
		}
	}
	return !failed
}
