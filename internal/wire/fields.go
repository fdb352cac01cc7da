package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrMalformed is of bytes that are not the message they should be.
var ErrMalformed = errors.New("malformed protobuf")

// Fields reads a message field by field, without making anything of it: what it hands out is cut from the message. It is
// strict, where [Check] is loose.
//
//	f := wire.Of(message)
//	for f.Next() {
//		switch f.Number {
//		case 1:
//			name = f.Text()
//		}
//	}
//	return f.Err()
type Fields struct {
	Number uint64 // of the field read last

	rest  string
	kind  uint64
	value uint64 // of a varint or a fixed64
	data  string // of what has a length
	err   error  // the first; nothing is read after it
}

// Of is the fields of a message.
func Of(message string) Fields { return Fields{rest: message} }

// Err is [ErrMalformed] with what is wrong, or nil.
func (f *Fields) Err() error { return f.err }

// Next reads a field. It tells whether there was one.
func (f *Fields) Next() bool {
	if f.rest == "" || f.err != nil {
		return false
	}
	tag := f.number()
	f.Number, f.kind = tag>>3&math.MaxUint32, tag&7 // more bits than these are lost to every decoder
	if f.Number == 0 || f.Number > math.MaxInt32 {
		f.fail("is none")
	}
	switch f.kind {
	case varint:
		f.value = f.number()
	case fixed64:
		if b := f.cut(8); len(b) == 8 {
			f.value = binary.LittleEndian.Uint64([]byte(b))
		}
	case length:
		f.data = f.cut(f.number())
	case fixed32:
		f.cut(4)
	default:
		f.fail("has the wire type %d", f.kind)
	}
	return f.err == nil
}

// Text is the field's bytes: a string or a message.
func (f *Fields) Text() string {
	if f.is(length) {
		return f.data
	}
	return ""
}

// Double is the field's number, of the type double.
func (f *Fields) Double() float64 {
	if f.is(fixed64) {
		return math.Float64frombits(f.value)
	}
	return 0
}

// Int is the field's number, of the type int64.
func (f *Fields) Int() int64 {
	if f.is(varint) {
		return int64(f.value) //nolint:gosec // as protobuf has it
	}
	return 0
}

// Numbers is the field's numbers, of the type repeated uint32: one or many, as they were sent.
//
//	n := f.Numbers()
//	for n.Next() {
//		sum += n.Value
//	}
//	return f.Err()
func (f *Fields) Numbers() Numbers {
	switch f.kind {
	case varint:
		return Numbers{of: f, one: true}
	case length:
		return Numbers{of: f, rest: f.data}
	}
	f.fail("has the wire type %d, want %d or %d", f.kind, varint, length)
	return Numbers{of: f}
}

// Numbers are those of one field. An error is the field's.
type Numbers struct {
	Value uint32

	of   *Fields
	one  bool
	rest string
}

// Next reads a number. It tells whether there was one.
func (n *Numbers) Next() bool {
	if n.one {
		n.one, n.Value = false, uint32(n.of.value) //nolint:gosec // as protobuf has it
		return true
	}
	if n.rest == "" {
		return false
	}
	value, rest, ok := number(n.rest)
	if !ok {
		n.of.fail("has a number without an end")
	}
	n.Value, n.rest = uint32(value), rest //nolint:gosec // as protobuf has it
	return ok
}

func (f *Fields) is(kind uint64) bool {
	if f.kind != kind {
		f.fail("has the wire type %d, want %d", f.kind, kind)
	}
	return f.err == nil
}

func (f *Fields) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("%w: field %d %s", ErrMalformed, f.Number, fmt.Sprintf(format, args...))
	}
}

func (f *Fields) cut(n uint64) string {
	if n > uint64(len(f.rest)) {
		f.fail("is cut short")
		return ""
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

func (f *Fields) number() uint64 {
	if f.rest != "" && f.rest[0] < 0x80 { // as nearly all are
		n := uint64(f.rest[0])
		f.rest = f.rest[1:]
		return n
	}
	return f.long()
}

func (f *Fields) long() uint64 {
	n, rest, ok := number(f.rest)
	if !ok {
		f.fail("has a number without an end")
	}
	f.rest = rest
	return n
}
