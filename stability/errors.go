package stability

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// Reasons for which a policy refuses or ends a call; test with [errors.Is].
var (
	ErrOpen    = errors.New("circuit open")
	ErrFull    = errors.New("bulkhead full")
	ErrTimeout = errors.New("timed out")
)

// RejectedError says which policy refused to make a call. Reason is [ErrOpen]
// or [ErrFull].
type RejectedError struct {
	Policy, Name string
	Reason       error
}

func (e *RejectedError) Error() string { return fmt.Sprintf("%s %q: %v", e.Policy, e.Name, e.Reason) }
func (e *RejectedError) Unwrap() error { return e.Reason }

// TimeoutError is the end of a call by a [Timeout]. It is no context error:
// the dependency was too slow, the caller did not give up.
type TimeoutError struct {
	Name  string
	After time.Duration
}

func (e *TimeoutError) Error() string        { return fmt.Sprintf("%s timed out after %v", e.Name, e.After) }
func (e *TimeoutError) Is(target error) bool { return target == ErrTimeout }
func (e *TimeoutError) Timeout() bool        { return true }

// Permanent marks an error that no retry can mend. It unwraps to err.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// callerGaveUp tells an end that the caller caused from a failure of the
// dependency. Time-outs on the wire look like context errors to errors.Is
// (package net makes them so) and are failures as long as ctx lives.
func callerGaveUp(ctx context.Context, err error) bool {
	if err == nil {
		return false
	}
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return true
	}
	return errors.Is(err, context.DeadlineExceeded) && !errors.As(err, new(*net.OpError))
}
