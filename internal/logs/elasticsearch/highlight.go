package elasticsearch

import (
	"regexp"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/match"
)

// marks is what highlight asks for: whole values with the words found in tags.
type marks struct {
	fields    []string
	pre, post string
}

func parseMarks(v any) (*marks, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, parsing("[highlight] is an object")
	}
	h := &marks{pre: "<em>", post: "</em>"}
	if tags := stringList(m["pre_tags"]); len(tags) > 0 {
		h.pre = tags[0]
	}
	if tags := stringList(m["post_tags"]); len(tags) > 0 {
		h.post = tags[0]
	}
	switch fields := m["fields"].(type) {
	case map[string]any:
		h.fields = names(fields)
	case []any:
		for _, f := range fields {
			if one, ok := f.(map[string]any); ok {
				h.fields = append(h.fields, names(one)...)
			}
		}
	}
	return h, nil
}

// of marks the words that the filter looked for.
func (h *marks) of(e *event.Event, f event.Filter) map[string][]string {
	out := map[string][]string{}
	for name, v := range e.All {
		if v.Type() != event.TypeString && v.Type() != event.TypeList {
			continue
		}
		if !slices.ContainsFunc(h.fields, func(p string) bool { return event.MatchWildcard(match.Field(p), name) }) {
			continue
		}
		words := wanted(f, name)
		if len(words) == 0 {
			continue
		}
		re, err := regexp.Compile("(?i)" + strings.Join(words, "|"))
		if err != nil {
			continue
		}
		for _, text := range v.Strings() {
			if marked := re.ReplaceAllStringFunc(text, func(s string) string { return h.pre + s + h.post }); marked != text {
				out[name] = append(out[name], marked)
			}
		}
	}
	return out
}

// wanted are expressions of what a filter looks for in a field.
func wanted(f event.Filter, name string) (words []string) {
	switch f.Op {
	case event.OpNot:
		return nil
	case event.OpAnd, event.OpOr, event.OpSome:
		for _, of := range f.Of {
			words = append(words, wanted(of, name)...)
		}
		return words
	}
	if f.Field != name && (!event.IsFieldPattern(f.Field) || !event.MatchWildcard(f.Field, name)) {
		return nil
	}
	switch f.Op {
	case event.OpPhrase:
		var parts []string
		for w := range func(yield func(string) bool) { event.Words(f.Text, yield) } {
			parts = append(parts, regexp.QuoteMeta(w))
		}
		return []string{`\b` + strings.Join(parts, `[^\pL\pN_]+`) + `\b`}
	case event.OpContains, event.OpPrefix:
		return []string{regexp.QuoteMeta(f.Text)}
	case event.OpRegexp:
		return []string{f.Text}
	case event.OpEquals, event.OpIn:
		for _, v := range f.Values {
			words = append(words, regexp.QuoteMeta(v.Text()))
		}
	}
	return words
}
