package logstash

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// dissect cuts text at fixed delimiters: %{field} between them.
type dissect struct {
	mappings  []dissectMapping
	convert   [][2]string
	onFailure []string
}

type dissectMapping struct {
	ref   Ref
	first string // what stands before the first field
	parts []dissectPart
}

// dissectPart is one field and the delimiter behind it.
type dissectPart struct {
	name    string
	kind    byte // 0: a field, +: appended, &: named by another, ?: named and not kept, _: skipped
	order   int  // of appended parts: where they go; -1: as they come
	padding bool // further delimiters behind it are skipped
	end     string
}

func newDissect(o *options) filter {
	f := &dissect{onFailure: o.texts("tag_on_failure"), convert: o.textPairs("convert_datatype")}
	if !o.has("tag_on_failure") {
		f.onFailure = []string{"_dissectfailure"}
	}
	for _, c := range f.convert {
		if c[1] != "int" && c[1] != "float" {
			v, _ := o.find("convert_datatype")
			o.wrong(v.At(), "give int or float", "convert_datatype cannot be %q", c[1])
		}
	}
	for _, p := range o.textPairs("mapping") {
		m, err := parseDissect(p[1])
		if err != nil {
			v, _ := o.find("mapping")
			o.report(v.At(), problem.From(err))
			continue
		}
		m.ref = parseRef(p[0])
		f.mappings = append(f.mappings, m)
	}
	return f
}

func parseDissect(s string) (dissectMapping, error) {
	var m dissectMapping
	bad := func(format string, args ...any) (dissectMapping, error) {
		return m, problem.New(problem.Invalid, "mapping %q: %s", s, fmt.Sprintf(format, args...)).WithMend("write delimiters between fields: %%{host} %%{+more}")
	}
	start := strings.Index(s, "%{")
	if start < 0 {
		return bad("it has no field")
	}
	m.first = s[:start]
	for rest := s[start:]; rest != ""; {
		end := strings.IndexByte(rest, '}')
		if end < 0 {
			return bad("a field is not closed")
		}
		p := dissectPart{name: rest[2:end], order: -1}
		rest = rest[end+1:]
		next := strings.Index(rest, "%{")
		if next < 0 {
			next = len(rest)
		}
		if p.end = rest[:next]; p.end == "" && next < len(rest) {
			return bad("two fields without a delimiter between them")
		}
		rest = rest[next:]
		if p.padding = strings.HasSuffix(p.name, "->"); p.padding {
			p.name = p.name[:len(p.name)-2]
		}
		if p.name == "" {
			p.kind = '_'
		} else if strings.IndexByte("+&?", p.name[0]) >= 0 {
			p.kind, p.name = p.name[0], p.name[1:]
		}
		if name, order, ok := strings.Cut(p.name, "/"); ok && p.kind == '+' {
			n, err := strconv.Atoi(order)
			if err != nil {
				return bad("%q is no place", order)
			}
			p.name, p.order = name, n
		}
		m.parts = append(m.parts, p)
	}
	return m, nil
}

func (f *dissect) apply(e *Event, _ func(*Event)) bool {
	ok := len(f.mappings) > 0 || len(f.convert) > 0
	for i := range f.mappings {
		m := &f.mappings[i]
		s, isText := e.get(m.ref)
		value, isString := s.(string)
		if !isText || !isString || value == "" || !m.cut(value, e) {
			ok = false
		}
	}
	if ok {
		for _, c := range f.convert {
			r := parseRef(c[0])
			if s, has := e.text(r); has {
				if v, fits := convertTo(map[string]string{"int": "integer", "float": "float"}[c[1]], s); fits {
					e.set(r, v)
				} else {
					e.tag("_dataconversionmissingfield_" + c[0])
				}
			}
		}
		return true
	}
	for _, t := range f.onFailure {
		e.tag(t)
	}
	return false
}

// cut splits s and sets the fields, all of them or none.
func (m *dissectMapping) cut(s string, e *Event) bool {
	if !strings.HasPrefix(s, m.first) {
		return false
	}
	s = s[len(m.first):]
	values := make([]string, len(m.parts))
	for i, p := range m.parts {
		if p.end == "" {
			values[i] = s
			continue
		}
		at := strings.Index(s, p.end)
		if at < 0 {
			return false
		}
		values[i], s = s[:at], s[at+len(p.end):]
		for p.padding && strings.HasPrefix(s, p.end) {
			s = s[len(p.end):]
		}
	}
	m.keep(values, e)
	return true
}

func (m *dissectMapping) keep(values []string, e *Event) {
	named := map[string]string{}
	type piece struct {
		order int
		text  string
	}
	appended := map[string][]piece{}
	separator := map[string]string{}
	for i, p := range m.parts {
		switch p.kind {
		case 0:
			e.set(parseRef(p.name), values[i])
			appended[p.name] = append(appended[p.name], piece{-1, values[i]})
			named[p.name] = values[i]
		case '?':
			named[p.name] = values[i]
		case '+':
			if i > 0 && separator[p.name] == "" {
				separator[p.name] = m.parts[i-1].end
			}
			appended[p.name] = append(appended[p.name], piece{p.order, values[i]})
		}
	}
	for name, separate := range separator {
		pieces := appended[name]
		sort.SliceStable(pieces, func(a, b int) bool { return pieces[a].order < pieces[b].order })
		texts := make([]string, len(pieces))
		for i, p := range pieces {
			texts[i] = p.text
		}
		e.set(parseRef(name), strings.Join(texts, separate))
	}
	for i, p := range m.parts {
		if p.kind == '&' {
			if key := named[p.name]; key != "" {
				e.set(parseRef(key), values[i])
			}
		}
	}
}
