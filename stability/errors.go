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
	ErrOpen      = errors.New("circuit open")
	ErrFull      = errors.New("no place free")
	ErrTimeout   = errors.New("timed out")
	ErrRate      = errors.New("rate exceeded")
	ErrShed      = errors.New("load shed")
	ErrThrottled = errors.New("throttled: the dependency refuses too much")
	ErrNoTime    = errors.New("too little time left")
	ErrNotReady  = errors.New("not ready")
	ErrNoBackend = errors.New("no backend")
)

// RejectedError says which policy refused to make a call. Reason is one of
// the errors of this package.
type RejectedError struct {
	Policy, Name string
	Reason       error
	RetryAfter   time.Duration // when it may be worth asking again; 0 if unknown
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

// PanicError is a panic that was caught: by a [Hedge], a [Supervisor] or a
// [Flight].
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

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

func isPermanent(err error) bool { return errors.As(err, new(*permanentError)) }

func permanentUnless(ok bool, err error) error {
	if ok {
		return err
	}
	return Permanent(err)
}

// errPanicked stands for the outcome of a call that did not return.
var errPanicked = errors.New("call panicked")

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
