package wire_test

import (
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/wire"
)

func TestShape(t *testing.T) {
	for in, want := range map[string][2]int{
		``: {0, 0}, `7`: {0, 0}, `{}`: {1, 1}, `{"a":[1,[2],{}]}`: {3, 6}, `["[{\"["]`: {1, 1}, `[[`: {2, 2}, `["`: {1, 1}, `["\`: {1, 1},
		`]][`: {1, 1}, `[1,2,"3,4"]`: {1, 3}, `}}}}[[[`: {3, 3},
	} {
		if depth, parts := wire.Shape([]byte(in)); depth != want[0] || parts != want[1] {
			t.Errorf("%s: %d deep, %d parts, want %v", in, depth, parts, want)
		}
	}
}

func TestCheckJSON(t *testing.T) {
	for in, want := range map[string]problem.Code{
		`{"resourceLogs":[]}`: "",
		`{"resourceLogs":["` + strings.Repeat("[{,", wire.MaxElements) + `"]}`: "",
		strings.Repeat("[", wire.MaxDepth+1):                                   problem.TooLarge,
		strings.Repeat("{},", wire.MaxElements):                                problem.TooLarge,
		"[" + strings.Repeat("1,", wire.MaxElements) + "1]":                    problem.TooLarge,
		strings.Repeat("]", 1000) + strings.Repeat("[", wire.MaxDepth+1):       problem.TooLarge,
	} {
		if got := problem.CodeOf(wire.CheckJSON([]byte(in))); got != want {
			t.Errorf("%.40s…: %q, want %q", in, got, want)
		}
	}
}
