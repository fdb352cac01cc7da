package event

import (
	"regexp"
	"strconv"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Op is what a Filter asks.
type Op string

// The operators of a Filter. Those that look at text look at Value.String, and
// at each element of a List; a filter on a List holds if it holds for one
// element. Nothing but Not holds for an event that lacks the field.
const (
	OpAll      Op = ""         // every event: the zero Filter
	OpAnd      Op = "and"      // every one of Of; of none: every event
	OpOr       Op = "or"       // one of Of; of none: no event
	OpNot      Op = "not"      // not Of[0]
	OpSome     Op = "some"     // at least Least of Of
	OpExists   Op = "exists"   // the event has Field
	OpEquals   Op = "equals"   // Field is Equal to Values[0]
	OpIn       Op = "in"       // Field is Equal to one of Values
	OpRange    Op = "range"    // Field lies between Min and Max
	OpPrefix   Op = "prefix"   // the text begins with Text
	OpWildcard Op = "wildcard" // the whole text matches Text, where * is any text, ? any character, and \ takes the next literally
	OpRegexp   Op = "regexp"   // Text, in RE2 syntax, matches somewhere
	OpContains Op = "contains" // Text is somewhere in it
	OpPhrase   Op = "phrase"   // the words of Text stand in it one after the other, in any case: see Words
)

// Filter is one node of a tree that events match or not. Field may hold * as a
// wildcard for names: then one field that matches suffices ("*": any field at
// all, @timestamp and @id not included). Make filters with the functions below.
type Filter struct {
	Op     Op       `json:"op,omitempty"`
	Field  string   `json:"field,omitempty"`
	Values []Value  `json:"values,omitempty"`
	Text   string   `json:"text,omitempty"`
	Fold   bool     `json:"fold,omitempty"` // letters match in any case: equals, in, prefix, wildcard, regexp, contains
	Min    *Value   `json:"min,omitempty"`  // range: nil is no bound
	Max    *Value   `json:"max,omitempty"`
	Above  bool     `json:"above,omitempty"` // range: Min itself is outside
	Below  bool     `json:"below,omitempty"` // range: Max itself is outside
	Of     []Filter `json:"of,omitempty"`
	Least  int      `json:"least,omitempty"` // some: how many of Of must hold, from 1 to all of them
}

// And holds where every one does.
func And(of ...Filter) Filter {
	if len(of) == 1 {
		return of[0]
	}
	return Filter{Op: OpAnd, Of: of}
}

// Or holds where one does.
func Or(of ...Filter) Filter {
	if len(of) == 1 {
		return of[0]
	}
	return Filter{Op: OpOr, Of: of}
}

// Some holds where at least so many of the filters do.
func Some(least int, of ...Filter) Filter {
	switch {
	case least <= 0:
		return Filter{}
	case least == 1:
		return Or(of...)
	case least > len(of):
		return Or()
	case least == len(of):
		return And(of...)
	}
	return Filter{Op: OpSome, Of: of, Least: least}
}

// Not holds where f does not.
func Not(f Filter) Filter { return Filter{Op: OpNot, Of: []Filter{f}} }

// Exists holds for events that have the field.
func Exists(field string) Filter { return Filter{Op: OpExists, Field: field} }

// Equals holds where the field is Equal to v.
func Equals(field string, v Value) Filter {
	return Filter{Op: OpEquals, Field: field, Values: []Value{v}}
}

// In holds where the field is Equal to one of the values.
func In(field string, values ...Value) Filter {
	return Filter{Op: OpIn, Field: field, Values: values}
}

// AtLeast is field >= v. A bound that is a number, or text that reads as one,
// bounds numbers (and text that reads as one); any other text bounds text, by
// its bytes.
func AtLeast(field string, v Value) Filter { return Filter{Op: OpRange, Field: field, Min: &v} }

// MoreThan is field > v, as AtLeast.
func MoreThan(field string, v Value) Filter {
	return Filter{Op: OpRange, Field: field, Min: &v, Above: true}
}

// AtMost is field <= v, as AtLeast.
func AtMost(field string, v Value) Filter { return Filter{Op: OpRange, Field: field, Max: &v} }

// LessThan is field < v, as AtLeast.
func LessThan(field string, v Value) Filter {
	return Filter{Op: OpRange, Field: field, Max: &v, Below: true}
}

// Prefix holds where the field's text begins with text.
func Prefix(field, text string) Filter { return Filter{Op: OpPrefix, Field: field, Text: text} }

// Wildcard holds where the field's whole text matches a pattern of *, ? and \.
func Wildcard(field, pattern string) Filter {
	return Filter{Op: OpWildcard, Field: field, Text: pattern}
}

// Regexp holds where an RE2 expression matches somewhere in the field's text.
func Regexp(field, expr string) Filter { return Filter{Op: OpRegexp, Field: field, Text: expr} }

// Contains holds where text is somewhere in the field's.
func Contains(field, text string) Filter { return Filter{Op: OpContains, Field: field, Text: text} }

// Phrase holds where the words of text stand in the field's one after the other.
func Phrase(field, text string) Filter { return Filter{Op: OpPhrase, Field: field, Text: text} }

// AnyCase is f with letters matching in any case.
func (f Filter) AnyCase() Filter {
	f.Fold = true
	return f
}

// maxDepth and maxNodes bound a filter tree, for trees that come from outside.
const (
	maxDepth  = 100
	maxNodes  = 20_000
	maxRegexp = 10_000
)

// Validate says what is wrong with f.
func (f Filter) Validate() error {
	nodes := 0
	return f.validate(0, &nodes)
}

func (f Filter) validate(depth int, nodes *int) error {
	if *nodes++; *nodes > maxNodes || depth > maxDepth {
		return problem.New(problem.Invalid, "the filter is too large: more than %d conditions or %d levels", maxNodes, maxDepth).
			WithField("filter").WithMend("use a list of values in one condition, or ask twice")
	}
	switch f.Op {
	case OpAll:
	case OpAnd, OpOr, OpNot, OpSome:
		if f.Op == OpNot && len(f.Of) != 1 {
			return badFilter(f, "has %d operands, not one", len(f.Of))
		}
		if f.Op == OpSome && (f.Least < 1 || f.Least > len(f.Of)) {
			return badFilter(f, "needs %d of its %d operands: name at least one, and no more than there are", f.Least, len(f.Of))
		}
		for _, of := range f.Of {
			if err := of.validate(depth+1, nodes); err != nil {
				return err
			}
		}
	case OpExists, OpPrefix, OpWildcard, OpContains, OpPhrase, OpIn:
	case OpEquals:
		if len(f.Values) != 1 {
			return badFilter(f, "has %d values, not one", len(f.Values))
		}
	case OpRange:
		if f.Min == nil && f.Max == nil {
			return badFilter(f, "has no bound")
		}
	case OpRegexp:
		if len(f.Text) > maxRegexp {
			return badFilter(f, "is longer than %d bytes", maxRegexp)
		}
		if _, err := regexp.Compile(f.Text); err != nil {
			return badFilter(f, "cannot be read: %v", err)
		}
	default:
		return badFilter(f, "is unknown")
	}
	if f.Field == "" && f.Op != OpAll && len(f.Of) == 0 && f.Op != OpAnd && f.Op != OpOr {
		return badFilter(f, "names no field")
	}
	return nil
}

func badFilter(f Filter, format string, args ...any) error {
	return problem.New(problem.Invalid, "the condition "+strconv.Quote(string(f.Op))+" on field %q "+format, append([]any{f.Field}, args...)...).
		WithField("filter")
}

// Fields calls yield with each field that f looks at, patterns included.
func (f Filter) Fields(yield func(string) bool) { f.fields(yield) }

func (f Filter) fields(yield func(string) bool) bool {
	if f.Field != "" && !yield(f.Field) {
		return false
	}
	for _, of := range f.Of {
		if !of.fields(yield) {
			return false
		}
	}
	return true
}
