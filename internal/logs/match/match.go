// Package match turns what people ask for in a search box or over a search API
// into filters of events. It holds the one rule on text: fields that hold prose
// (message and its like) are searched by their words in any case, every other
// field by its whole value, as Elasticsearch's templates for logs have it.
package match

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/glob"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// proseFields are the last parts of the names of fields that hold prose.
var proseFields = map[string]bool{
	"message": true, "msg": true, "body": true, "text": true, "log": true, "original": true, "stack_trace": true,
	"stacktrace": true, "exception": true, "description": true, "summary": true, "title": true, "reason": true,
}

// IsProse tells whether a field is searched by its words. A pattern of names is,
// because one of them may hold prose.
func IsProse(field string) bool {
	if field == "" || strings.Contains(field, "*") {
		return true
	}
	return proseFields[field[strings.LastIndexByte(field, '.')+1:]]
}

// Field is a field's name as events have it: clients of Elasticsearch write
// .keyword behind the names of text fields.
func Field(name string) string {
	switch name {
	case "_index":
		return event.DatasetField
	case "", "_all":
		return "*"
	}
	return strings.TrimSuffix(name, ".keyword")
}

// Nothing holds for no event.
func Nothing() event.Filter { return event.Filter{Op: event.OpOr} }

// Value asks for a text in a field, as a search box does: words of prose, the
// whole value of everything else. With phrase the words must stand together.
func Value(field, text string, phrase bool) event.Filter {
	field = Field(field)
	if field == event.TimeField {
		return moment(text)
	}
	if !IsProse(field) {
		return Exactly(field, text)
	}
	return Words(field, text, phrase, false)
}

// Exactly asks for a whole value. Text that reads as a number or as true or
// false means these as well: events compare by what values mean.
// Ids of traces and spans are texts, also where all of their digits are decimal.
func Exactly(field, text string) event.Filter {
	if field == event.TraceField || field == event.SpanField {
		return event.Equals(field, event.String(text))
	}
	if f, is := Network(field, text); is {
		return f
	}
	return event.Equals(field, Scalar(text))
}

// Scalar is what a text in a query means as a value.
func Scalar(text string) event.Value {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return event.Int(n)
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) && !strings.ContainsAny(text, "xXpP_") {
		return event.Float(f)
	}
	return event.String(text)
}

// Words asks for words in any field, in any case: all of them one after the
// other, all of them anywhere, or any.
func Words(field, text string, phrase, all bool) event.Filter {
	if phrase {
		if !hasWord(text) {
			return event.Contains(field, text)
		}
		return event.Phrase(field, text)
	}
	var parts []event.Filter
	for word := range strings.FieldsSeq(text) {
		switch {
		case hasWord(word):
			parts = append(parts, event.Phrase(field, word))
		default:
			parts = append(parts, event.Contains(field, word))
		}
	}
	if len(parts) == 0 {
		return Nothing()
	}
	if all {
		return event.And(parts...)
	}
	return event.Or(parts...)
}

func hasWord(s string) bool {
	for range wordsOf(s) {
		return true
	}
	return false
}

func wordsOf(s string) func(func(string) bool) {
	return func(yield func(string) bool) { event.Words(s, yield) }
}

// Pattern asks for a text with wildcards.
func Pattern(field string, p glob.Pattern, fold bool) event.Filter {
	field = Field(field)
	switch prefix, isPrefix := p.Prefix(); {
	case !p.Wild():
		return Value(field, p.Literal(), false)
	case p.Any():
		return event.Exists(field)
	case IsProse(field):
		return event.Regexp(field, wordPattern(p)).AnyCase()
	case isPrefix:
		return folded(event.Prefix(field, prefix), fold)
	}
	parts := make([]string, len(p))
	for i, part := range p {
		parts[i] = escapeWild.Replace(part)
	}
	return folded(event.Wildcard(field, strings.Join(parts, "*")), fold)
}

func folded(f event.Filter, fold bool) event.Filter {
	f.Fold = fold
	return f
}

var escapeWild = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`)

// wordPattern is a pattern of words within prose.
func wordPattern(p glob.Pattern) string {
	parts := make([]string, len(p))
	for i, part := range p {
		parts[i] = regexp.QuoteMeta(part)
	}
	expr := strings.Join(parts, `[^\s]*`)
	if first := p[0]; first != "" && hasWord(first[:1]) {
		expr = `(?:^|[^\pL\pN_])` + expr
	}
	if last := p[len(p)-1]; last != "" && hasWord(last[len(last)-1:]) {
		expr += `(?:$|[^\pL\pN_])`
	}
	return expr
}

// Bound is one end of a range of a field.
type Bound struct {
	Op   string // <, <=, >, >=
	Text string
}

// Range asks for values between bounds. Of @timestamp the bounds are times with
// Elasticsearch's date math.
func Range(field string, now time.Time, bounds ...Bound) (event.Filter, error) {
	field = Field(field)
	var parts []event.Filter
	for _, b := range bounds {
		v, err := boundValue(field, b, now)
		if err != nil {
			return event.Filter{}, err
		}
		var part event.Filter
		switch b.Op {
		case "<":
			part = event.LessThan(field, v)
		case "<=":
			part = event.AtMost(field, v)
		case ">":
			part = event.MoreThan(field, v)
		case ">=":
			part = event.AtLeast(field, v)
		default:
			return event.Filter{}, problem.New(problem.Invalid, "%q compares nothing", b.Op)
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return event.Exists(field), nil
	}
	if len(parts) == 2 {
		return between(parts[0], parts[1]), nil
	}
	return event.And(parts...), nil
}

// between asks for both bounds of one value, where a field has several.
func between(a, b event.Filter) event.Filter {
	if a.Min == nil {
		a, b = b, a
	}
	if a.Min == nil || b.Max == nil || a.Min.Type() != b.Max.Type() {
		return event.And(a, b)
	}
	a.Max, a.Below = b.Max, b.Below
	return a
}

func boundValue(field string, b Bound, now time.Time) (event.Value, error) {
	// Rounding goes up where the bound lies above what it takes in.
	up := b.Op == "<=" || b.Op == ">"
	if field == event.TimeField {
		t, err := Date(b.Text, now, up, time.UTC)
		if err != nil {
			return event.Value{}, err
		}
		return event.Time(t.UnixNano()), nil
	}
	if strings.HasPrefix(b.Text, "now") || strings.Contains(b.Text, "||") {
		if t, err := Date(b.Text, now, up, time.UTC); err == nil {
			return event.String(t.Format("2006-01-02T15:04:05.000Z")), nil
		}
	}
	return Scalar(b.Text), nil
}

// moment is @timestamp: "2026-01-02", which means the whole day.
func moment(text string) event.Filter {
	from, err := Date(text, time.Now(), false, time.UTC)
	if err != nil {
		return Nothing()
	}
	to, _ := Date(text, time.Now(), true, time.UTC)
	return event.And(event.AtLeast(event.TimeField, event.Time(from.UnixNano())), event.AtMost(event.TimeField, event.Time(to.UnixNano())))
}
