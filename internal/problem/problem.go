// Package problem is daytwo's one error for two audiences: a machine reads the
// Code, a person reads the Message (what is wrong, naming the thing) and the
// Mend (what to do about it). The edges (web, cli) turn any error into one with
// From; everything between wraps with %w and lets it pass.
package problem

import (
	"context"
	"errors"
	"fmt"
)

// Code classifies a failure. The set is closed and small; package web maps each
// code to an HTTP status in one table.
type Code string

const (
	Invalid         Code = "invalid"         // the input is wrong; repeating it cannot help
	Unauthenticated Code = "unauthenticated" // who is asking is not known
	Forbidden       Code = "forbidden"       // who is asking may not
	NotFound        Code = "not_found"       // the thing named does not exist
	Conflict        Code = "conflict"        // the thing is not in the state the request needs
	TooLarge        Code = "too_large"       // the input is over a size limit
	Exhausted       Code = "exhausted"       // over a rate or quota; later it may work
	Unavailable     Code = "unavailable"     // something needed is not reachable now; later it may work
	Internal        Code = "internal"        // our fault; the log has the details
)

// Error is a failure that can be shown to a person.
type Error struct {
	Code    Code
	Message string // one sentence for a person, naming the thing
	Field   string // the input field at fault, in the caller's notation; may be empty
	Column  int    // where in the field, in characters from 1; 0: not known
	Mend    string // what to do about it; may be empty
	Err     error  // the cause, for errors.Is and the log; may be nil
}

// New makes an Error whose message is formatted as by fmt.Errorf. Operands of
// %w become its cause, and their text is part of the message.
func New(code Code, format string, args ...any) *Error {
	formatted := fmt.Errorf(format, args...)
	e := &Error{Code: code, Message: formatted.Error()}
	switch u := any(formatted).(type) { // what it wraps itself, not deeper in the chain
	case interface{ Unwrap() error }:
		e.Err = u.Unwrap()
	case interface{ Unwrap() []error }:
		e.Err = errors.Join(u.Unwrap()...)
	}
	return e
}

// WithMend returns a copy of e that says what to do about it.
func (e *Error) WithMend(format string, args ...any) *Error {
	c := *e
	c.Mend = fmt.Sprintf(format, args...)
	return &c
}

// WithField returns a copy of e that names the input field at fault.
func (e *Error) WithField(field string) *Error {
	c := *e
	c.Field = field
	return &c
}

// WithColumn returns a copy of e that says where in the field the fault is, in
// characters from 1.
func (e *Error) WithColumn(column int) *Error {
	c := *e
	c.Column = column
	return &c
}

// Error returns the message alone: the edges show the mend beside it.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first *Error in err's chain. Without one it is
// Unavailable for a cancelled or expired context and Internal for anything else.
// The code of nil is empty.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return From(err).Code
}

// From returns the first *Error in err's chain, or else one that says no more
// than it is safe to show: err stays in its Err, for the log. From(nil) is nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Code: Unavailable, Message: "the request took too long", Mend: "try again, or ask for less", Err: err}
	case errors.Is(err, context.Canceled):
		return &Error{Code: Unavailable, Message: "the request was cancelled", Err: err}
	}
	return &Error{Code: Internal, Message: "something went wrong inside daytwo", Mend: "the log of daytwo has the details", Err: err}
}
