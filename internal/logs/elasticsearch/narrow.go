package elasticsearch

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// narrowed keeps of an answer what filter_path names: paths with dots, * for any
// part of a name and ** for any number of names; a - before a path leaves it out.
func narrowed(data []byte, paths string) ([]byte, error) {
	if strings.Count(paths, ".")+strings.Count(paths, ",") >= maxNarrow {
		return nil, problem.New(problem.Invalid, "filter_path has more than %d names", maxNarrow).WithField("filter_path").WithMend("name fewer parts of the answer")
	}
	var take, leave [][]string
	for p := range strings.SplitSeq(paths, ",") {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		if rest, ok := strings.CutPrefix(p, "-"); ok {
			leave = append(leave, steps(rest))
		} else {
			take = append(take, steps(p))
		}
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if len(take) > 0 {
		v, _ = reached(v, take)
	}
	if len(leave) > 0 {
		v = without(v, leave)
	}
	if v == nil {
		v = struct{}{}
	}
	return json.Marshal(v)
}

// maxNarrow is how many names the paths of filter_path may have in all.
const maxNarrow = 1000

// steps are the names of a path; several ** in a row are as good as one.
func steps(path string) []string {
	return slices.CompactFunc(strings.Split(path, "."), func(a, b string) bool { return a == "**" && b == "**" })
}

// below are the rests of the paths behind a name; whole says that one of them
// ends there.
func below(paths [][]string, name string) (rest [][]string, whole bool) {
	have := map[*string]bool{} // by their first name, which no two share
	add := func(p []string) {
		if !have[&p[0]] {
			have[&p[0]] = true
			rest = append(rest, p)
		}
	}
	for _, p := range paths {
		if p[0] == "**" {
			add(p)
			if len(p) == 1 {
				return nil, true
			}
			p = p[1:]
		}
		if !event.MatchWildcard(p[0], name) {
			continue
		}
		if len(p) == 1 {
			return nil, true
		}
		add(p[1:])
	}
	return rest, false
}

// reached is the part of v that the paths lead to. Arrays have no names.
func reached(v any, paths [][]string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, child := range v {
			rest, whole := below(paths, name)
			if whole {
				out[name] = child
			} else if part, ok := reached(child, rest); ok && len(rest) > 0 {
				out[name] = part
			}
		}
		return out, len(out) > 0
	case []any:
		var out []any
		for _, child := range v {
			if part, ok := reached(child, paths); ok {
				out = append(out, part)
			}
		}
		return out, len(out) > 0
	}
	return nil, false
}

func without(v any, paths [][]string) any {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range names(v) {
			rest, whole := below(paths, name)
			if whole {
				delete(v, name)
			} else if len(rest) > 0 {
				v[name] = without(v[name], rest)
			}
		}
	case []any:
		return slices.DeleteFunc(v, func(child any) bool {
			m, isObject := without(child, paths).(map[string]any)
			return isObject && len(m) == 0
		})
	}
	return v
}
