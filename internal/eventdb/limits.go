package eventdb

import (
	"context"
	"errors"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// firstError prefers what went wrong to that the others were told to stop.
func firstError(ctx context.Context, errs []error) error {
	var stopped error
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		if err != nil {
			stopped = err
		}
	}
	if stopped != nil {
		return context.Cause(ctx)
	}
	return nil
}

// ended is why ctx has ended, nil while it has not.
func ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Limits that a query ran into.
var (
	errTime   = errors.New("the query took too long")
	errRows   = errors.New("the query looked at too many events")
	errMemory = errors.New("the query needs too much memory")
)

func (x *execution) limitError(err error) error {
	switch {
	case errors.Is(err, errTime):
		return problem.New(problem.Invalid, "%w: more than %s", errTime, x.limits.Time).WithField("limits.time").WithMend("shorten the time range, or filter by a field of the stream")
	case errors.Is(err, errRows):
		return problem.New(problem.Invalid, "%w: more than %d", errRows, x.limits.Rows).WithField("limits.rows").WithMend("shorten the time range, or filter by a field of the stream")
	case errors.Is(err, errMemory):
		return problem.New(problem.Invalid, "%w: more than %d MiB", errMemory, x.limits.Memory>>20).WithField("limits.memory").WithMend("group by fewer fields, or by one with fewer values, or filter more")
	}
	return err
}
