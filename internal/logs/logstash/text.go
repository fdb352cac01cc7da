package logstash

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/logs/logstash/joda"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// text is a value as Logstash writes it into text: lists by commas, hashes as JSON.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case nil:
		return ""
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return floatText(v)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return isoText(v)
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = text(x)
		}
		return strings.Join(parts, ",")
	}
	return string(jsonText(v))
}

// floatText always shows that it is no whole number.
func floatText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 0):
		return map[bool]string{true: "Infinity", false: "-Infinity"}[f > 0]
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		s := strconv.FormatFloat(f, 'e', -1, 64)
		if !strings.Contains(s, ".") {
			s = strings.Replace(s, "e", ".0e", 1)
		}
		return s
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// isoText is a time in ISO 8601, UTC, with milliseconds or what is finer.
func isoText(t time.Time) string {
	t = t.UTC()
	switch n := t.Nanosecond(); {
	case n%1e6 == 0:
		return t.Format("2006-01-02T15:04:05.000Z")
	case n%1e3 == 0:
		return t.Format("2006-01-02T15:04:05.000000Z")
	}
	return t.Format("2006-01-02T15:04:05.000000000Z")
}

// jsonText is a value as JSON. Numbers that JSON has not become null.
func jsonText(v any) []byte {
	b, err := json.Marshal(jsonValue(v))
	if err != nil {
		return []byte("null")
	}
	return b
}

func jsonValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = jsonValue(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = jsonValue(x)
		}
		return out
	case time.Time:
		return isoText(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return json.RawMessage(strconv.FormatFloat(v, 'f', 1, 64))
		}
	}
	return v
}

// maxJSONDepth bounds documents inside each other, as encoding/json does not do it tightly enough for us.
const maxJSONDepth = 200

// parseJSON reads one JSON value with whole numbers as int64.
func parseJSON(data []byte) (any, error) {
	depth := 0
	for inText, i := false, 0; i < len(data); i++ {
		switch c := data[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > maxJSONDepth {
				return nil, problem.New(problem.TooLarge, "the JSON is more than %d levels deep", maxJSONDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, problem.New(problem.Invalid, "there is more behind the JSON")
	}
	return numbers(v), nil
}

func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case map[string]any:
		for k, x := range v {
			v[k] = numbers(x)
		}
	case []any:
		for i, x := range v {
			v[i] = numbers(x)
		}
	}
	return v
}

// template is text with %{field}, %{+date} and %{{date}} in it.
type template struct {
	source string
	parts  []templatePart
}

type templatePart struct {
	text   string // as it is; also what stays where a field is missing
	ref    *Ref
	layout *joda.Layout
	epoch  bool
}

// parseTemplate reads one. A date that cannot be read is an error.
func parseTemplate(s string) (*template, error) {
	t := &template{source: s}
	for rest := s; rest != ""; {
		start := strings.Index(rest, "%{")
		end := -1
		if start >= 0 {
			end = strings.IndexByte(rest[start:], '}')
		}
		if start < 0 || end < 0 {
			t.parts = append(t.parts, templatePart{text: rest})
			break
		}
		if start > 0 {
			t.parts = append(t.parts, templatePart{text: rest[:start]})
		}
		inner := rest[start+2 : start+end]
		length := end + 1
		p := templatePart{}
		var err error
		switch {
		case inner == "+%s":
			p.epoch = true
		case strings.HasPrefix(inner, "+"):
			p.layout, err = joda.Parse(inner[1:], "")
		case strings.HasPrefix(inner, "{") && strings.HasPrefix(rest[start+end:], "}}"):
			length++
			p.layout, err = joda.Parse(strings.ReplaceAll(inner[1:], "u", "y"), "")
		case inner == "":
		default:
			r := parseRef(inner)
			p.ref = &r
		}
		if err != nil {
			return nil, err
		}
		p.text = rest[start : start+length]
		t.parts = append(t.parts, p)
		rest = rest[start+length:]
	}
	return t, nil
}

// constant tells whether the text is always the same.
func (t *template) constant() bool {
	for _, p := range t.parts {
		if p.ref != nil || p.layout != nil || p.epoch {
			return false
		}
	}
	return true
}

// fill puts the event's fields in. A field that is missing stays as it was written.
func (t *template) fill(e *Event) string {
	if len(t.parts) == 1 && t.parts[0].ref == nil && t.parts[0].layout == nil && !t.parts[0].epoch {
		return t.parts[0].text
	}
	var out strings.Builder
	for _, p := range t.parts {
		switch {
		case p.ref != nil:
			if v, ok := e.get(*p.ref); ok && v != nil {
				out.WriteString(text(v))
			} else {
				out.WriteString(p.text)
			}
		case p.layout != nil:
			out.WriteString(p.layout.Format(e.time().UTC()))
		case p.epoch:
			out.WriteString(strconv.FormatInt(e.time().Unix(), 10))
		default:
			out.WriteString(p.text)
		}
	}
	return out.String()
}

// parseISO8601 reads the forms of ISO 8601 that programs write, with a blank for the T or a comma for the point too.
func parseISO8601(s string, zone *time.Location) (time.Time, bool) {
	if len(s) < 4 || len(s) > 64 {
		return time.Time{}, false
	}
	if len(s) > 10 && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	s = strings.Replace(s, ",", ".", 1)
	for _, layout := range isoLayouts {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

var isoLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04Z07:00", "2006-01-02T15:04",
	"2006-01-02", "2006-01", "2006", "20060102T150405Z0700", "20060102T150405", "2006-01-02T15", "2006-W01", "2006-002",
}
