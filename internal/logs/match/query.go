package match

import (
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/kql"
	"github.com/daytwo-dev/daytwo/internal/logs/lucene"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Languages of a search box.
const (
	KQL    = "kql"
	Lucene = "lucene"
)

// Query reads a query in a language of the search box.
func Query(language, text string, now time.Time) (event.Filter, error) {
	switch language {
	case KQL, "":
		n, err := kql.Parse(text)
		if err != nil {
			return event.Filter{}, err
		}
		return FromKQL(n, now)
	case Lucene:
		n, err := lucene.Parse(text, lucene.Options{})
		if err != nil {
			return event.Filter{}, err
		}
		return FromLucene(n, nil, now)
	}
	return event.Filter{}, problem.New(problem.Invalid, "there is no query language %q", language).WithField("language").WithMend("use kql or lucene")
}

// FromKQL turns a KQL tree into a filter.
func FromKQL(n kql.Node, now time.Time) (event.Filter, error) {
	switch n := n.(type) {
	case kql.And:
		of, err := allOf(n, now)
		return event.And(of...), err
	case kql.Or:
		of, err := allOf(n, now)
		return event.Or(of...), err
	case kql.Not:
		f, err := FromKQL(n.Node, now)
		return event.Not(f), err
	case kql.Nested:
		name := n.Field.Pattern.Literal()
		return event.Filter{}, problem.New(problem.Invalid, "%s: { … } is not covered: which values of an array stood in one object is not kept", name).
			WithField("query").WithMend("ask for the fields below it, as in %s.name: value, without that link", name)
	case kql.Range:
		return Range(n.Field.Pattern.Literal(), now, Bound{n.Op, n.Value.Pattern.Literal()})
	case kql.Match:
		field := "*"
		if n.Field != nil {
			field = n.Field.Pattern.Literal()
		}
		if n.Value.Pattern.Wild() {
			if n.Value.Pattern.Any() && field == "*" {
				return event.Filter{}, nil
			}
			return Pattern(field, n.Value.Pattern, false), nil
		}
		return Value(field, n.Value.Pattern.Literal(), n.Value.Quoted), nil
	}
	return event.Filter{}, nil
}

func allOf(nodes []kql.Node, now time.Time) ([]event.Filter, error) {
	of := make([]event.Filter, len(nodes))
	for i, n := range nodes {
		var err error
		if of[i], err = FromKQL(n, now); err != nil {
			return nil, err
		}
	}
	return of, nil
}

// FromLucene turns a Lucene tree into a filter; fields are where clauses without
// a field look, any field if there are none.
func FromLucene(n lucene.Node, fields []string, now time.Time) (event.Filter, error) {
	switch n := n.(type) {
	case lucene.Bool:
		return boolFilter(n, fields, now)
	case lucene.Exists:
		return event.Exists(Field(n.Field)), nil
	case lucene.Range:
		var bounds []Bound
		if n.Low != "*" || n.QuotedLow {
			bounds = append(bounds, Bound{pick(n.Above, ">", ">="), n.Low})
		}
		if n.High != "*" || n.QuotedH {
			bounds = append(bounds, Bound{pick(n.Below, "<", "<="), n.High})
		}
		return each(n.Field, fields, func(f string) (event.Filter, error) { return Range(f, now, bounds...) })
	case lucene.Term:
		return each(n.Field, fields, func(f string) (event.Filter, error) { return term(f, n), nil })
	}
	return event.Filter{}, nil
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

func each(field string, defaults []string, make func(string) (event.Filter, error)) (event.Filter, error) {
	if field != "" {
		return make(field)
	}
	if len(defaults) == 0 {
		defaults = []string{"*"}
	}
	var of []event.Filter
	for _, f := range defaults {
		one, err := make(f)
		if err != nil {
			return one, err
		}
		of = append(of, one)
	}
	return event.Or(of...), nil
}

func term(field string, n lucene.Term) event.Filter {
	switch {
	case n.Regexp && IsProse(Field(field)):
		return event.Regexp(Field(field), `(?:^|[^\pL\pN_])(?:`+n.Text.Literal()+`)(?:$|[^\pL\pN_])`).AnyCase()
	case n.Regexp:
		return event.Regexp(Field(field), "^(?:"+n.Text.Literal()+")$")
	case n.Text.Wild():
		return Pattern(field, n.Text, false)
	case n.Text.Literal() == "" && n.Phrase:
		return event.Equals(Field(field), event.String(""))
	}
	return Value(field, n.Text.Literal(), n.Phrase || strings.ContainsAny(n.Text.Literal(), " "))
}

func boolFilter(n lucene.Bool, fields []string, now time.Time) (event.Filter, error) {
	if len(n.Clauses) == 0 {
		return Nothing(), nil
	}
	var must, should []event.Filter
	for _, c := range n.Clauses {
		f, err := FromLucene(c.Node, fields, now)
		if err != nil {
			return f, err
		}
		switch c.Occur {
		case lucene.Must:
			must = append(must, f)
		case lucene.MustNot:
			must = append(must, event.Not(f))
		default:
			should = append(should, f)
		}
	}
	positive := false
	for _, c := range n.Clauses {
		positive = positive || c.Occur == lucene.Must
	}
	if !positive && len(should) > 0 {
		must = append(must, event.Or(should...))
	}
	return event.And(must...), nil
}
