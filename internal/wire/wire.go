// Package wire reads messages in protobuf's wire format and in JSON without decoding them: their fields where making an object of
// each would cost more than what is done with it, and whether they may be decoded at all. A generated decoder calls itself for
// every message within a message and makes room for each: some bytes that somebody sends can end a process by its stack or its
// memory, which no recover catches. Here they are refused by their shape.
package wire

import (
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Limits of one message. Depth is in messages within messages, of which a list within an attribute takes two and a map three.
const (
	MaxDepth   = 256
	MaxEntries = 250_000   // resources, scopes and records of logs, or metrics, their points and exemplars
	MaxParts   = 2_000_000 // messages in all; an attribute has two
)

// The wire types that are followed by something, of protobuf.dev/programming-guides/encoding.
const (
	varint  = 0
	fixed64 = 1
	length  = 2
	fixed32 = 5
)

// Check refuses an export that is nested too deeply or has too many parts. Whether it can be decoded is not asked.
func Check(export *Message, data []byte) error {
	var m measure
	return m.walk(export, data, 1)
}

type measure struct{ entries, parts int }

func (m *measure) walk(kind *Message, b []byte, depth int) error {
	for len(b) > 0 {
		tag, rest, ok := number(b)
		if !ok {
			return nil
		}
		b = rest
		switch tag & 7 {
		case varint:
			if _, b, ok = number(b); !ok {
				return nil
			}
		case fixed64:
			b = b[min(8, len(b)):]
		case fixed32:
			b = b[min(4, len(b)):]
		case length:
			n, rest, ok := number(b)
			if !ok || n > uint64(len(rest)) {
				return nil
			}
			b = rest[n:]
			inner := kind.fields[uint32(tag>>3)] //nolint:gosec // decoders let bits over 32 fall too
			if inner == nil {
				continue
			}
			if err := m.count(inner, depth); err != nil {
				return err
			}
			if err := m.walk(inner, rest[:n], depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *measure) count(kind *Message, depth int) error {
	if depth > MaxDepth {
		return problem.New(problem.Invalid, "the export is nested more than %d deep", MaxDepth).WithMend("send flat attributes")
	}
	if m.parts++; m.parts > MaxParts {
		return tooLarge("the export has more than %d parts", MaxParts)
	}
	if !kind.entry {
		return nil
	}
	if m.entries++; m.entries > MaxEntries {
		return tooLarge("the export has more than %d records", MaxEntries)
	}
	return nil
}

func tooLarge(format string, args ...any) error {
	return problem.New(problem.TooLarge, format, args...).WithMend("send smaller batches")
}

// number reads a number of up to ten bytes as the loosest of decoders does, which lets bits over 64 fall: what one of them
// takes must not end the look at it here.
func number[B string | []byte](b B) (n uint64, rest B, ok bool) {
	for i := 0; i < len(b) && i < 10; i++ {
		n |= uint64(b[i]&0x7F) << (7 * i)
		if b[i] < 0x80 {
			return n, b[i+1:], true
		}
	}
	return 0, b, false
}
