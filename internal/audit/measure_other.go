//go:build !linux

package audit

import (
	"context"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// InsideVerb is the first argument with which our own executable is to call
// [Inside].
const InsideVerb = "audit-inside"

// Inside is for Linux.
func Inside([]string) int { return 125 }

func measure(context.Context, Config) (*Measured, error) {
	return nil, problem.New(problem.Unavailable, "programs are run for an audit on Linux only").WithMend("leave the command out: then only the source is read")
}
