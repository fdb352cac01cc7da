package logstash

import (
	"cmp"
	"reflect"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/logs/grok"
	"github.com/daytwo-dev/daytwo/internal/logs/logstash/syntax"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// test tells whether a condition holds for an event.
type test func(*Event) bool

func (b *builder) condition(c syntax.Condition) test {
	switch c := c.(type) {
	case *syntax.Logic:
		return logic(c.Operator, b.condition(c.Left), b.condition(c.Right))
	case *syntax.Not:
		inner := b.condition(c.Operand)
		return func(e *Event) bool { return !inner(e) }
	case *syntax.Group:
		return b.condition(c.Inner)
	case *syntax.Truth:
		value := b.operand(c.Value)
		return func(e *Event) bool { return truthy(value(e)) }
	case *syntax.Comparison:
		return b.comparison(c)
	}
	return func(*Event) bool { return false }
}

func logic(operator string, left, right test) test {
	switch operator {
	case "and":
		return func(e *Event) bool { return left(e) && right(e) }
	case "or":
		return func(e *Event) bool { return left(e) || right(e) }
	case "xor":
		return func(e *Event) bool { return left(e) != right(e) }
	}
	return func(e *Event) bool { return !left(e) || !right(e) }
}

// truthy is false for what is missing, null, false, "false" and empty text.
func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != "" && v != "false"
	}
	return true
}

// operand gives a value of a condition for an event; nil for a field that is missing.
func (b *builder) operand(v syntax.Value) func(*Event) any {
	if s, ok := v.(*syntax.Selector); ok {
		r := parseRef(s.Text)
		return func(e *Event) any {
			v, _ := e.get(r)
			return v
		}
	}
	constant := b.constant(v)
	return func(*Event) any { return constant }
}

// constant is a written value: text, int64, float64, []any or a hash.
func (b *builder) constant(v syntax.Value) any {
	switch v := v.(type) {
	case *syntax.String:
		return b.environment(v.Text, v.Pos)
	case *syntax.Bareword:
		return b.environment(v.Text, v.Pos)
	case *syntax.Number:
		return number(v.Text)
	case *syntax.Regexp:
		return v.Text
	case *syntax.Array:
		out := make([]any, len(v.Items))
		for i, item := range v.Items {
			out[i] = b.constant(item)
		}
		return out
	case *syntax.Hash:
		out := make(map[string]any, len(v.Entries))
		for _, e := range v.Entries {
			out[text(b.constant(e.Key))] = b.constant(e.Value)
		}
		return out
	}
	return nil
}

func (b *builder) comparison(c *syntax.Comparison) test {
	left, right := b.operand(c.Left), b.operand(c.Right)
	switch c.Operator {
	case "=~", "!~":
		return b.matching(c, left)
	case "in":
		return func(e *Event) bool { return contains(right(e), left(e)) }
	case "not in":
		return func(e *Event) bool { return !contains(right(e), left(e)) }
	case "==":
		return func(e *Event) bool { return equal(left(e), right(e)) }
	case "!=":
		return func(e *Event) bool { return !equal(left(e), right(e)) }
	}
	fits := map[string]func(int) bool{
		"<": func(n int) bool { return n < 0 }, "<=": func(n int) bool { return n <= 0 },
		">": func(n int) bool { return n > 0 }, ">=": func(n int) bool { return n >= 0 },
	}[c.Operator]
	return func(e *Event) bool {
		n, ok := order(left(e), right(e))
		return ok && fits(n)
	}
}

func (b *builder) matching(c *syntax.Comparison, left func(*Event) any) test {
	want := c.Operator == "=~"
	pattern, err := grok.CompileExpression(text(b.constant(c.Right)), matchTimeout)
	if err != nil {
		b.report(c.Right.At(), problem.From(err))
		return func(*Event) bool { return false }
	}
	return func(e *Event) bool {
		s, ok := left(e).(string)
		return (ok && pattern.Matches(s)) == want
	}
}

// equal compares numbers as such, and nothing else across types.
func equal(a, b any) bool {
	if x, ok := asFloat(a); ok {
		y, ok := asFloat(b)
		return ok && x == y
	}
	return reflect.DeepEqual(a, b)
}

// order compares two numbers, or two texts; other things have no order.
func order(a, b any) (int, bool) {
	if x, ok := asFloat(a); ok {
		y, ok := asFloat(b)
		return cmp.Compare(x, y), ok
	}
	if x, ok := a.(string); ok {
		y, ok := b.(string)
		return strings.Compare(x, y), ok
	}
	return 0, false
}

func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// contains tells whether a list has a value, or a text another.
func contains(whole, part any) bool {
	if part == nil {
		return false
	}
	switch whole := whole.(type) {
	case []any:
		for _, v := range whole {
			if equal(v, part) || text(v) == text(part) {
				return true
			}
		}
		return false
	case string:
		s, ok := part.(string)
		return ok && strings.Contains(whole, s)
	}
	return equal(whole, part)
}
