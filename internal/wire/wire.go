// Package wire reads messages in protobuf's wire format without decoding them: their fields where making an object of each would
// cost more than what is done with it, and whether they may be decoded at all. A generated decoder calls itself for every
// message within a message and makes room for each: some bytes that somebody sends can end a process by its stack or its memory,
// which no recover catches. Here they are refused by what they are, without knowing what they mean.
package wire

import (
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Limits of one message. Depth is in messages within messages, of which a list within an attribute takes two and a map three.
const (
	MaxDepth   = 256
	MaxEntries = 250_000   // fields with a length in the first levels, which hold an export's resources, scopes and records
	MaxParts   = 4_000_000 // fields with a length in all
)

// levels are how deep entries lie.
const levels = 3

// The wire types that are followed by something, of protobuf.dev/programming-guides/encoding.
const (
	varint  = 0
	fixed64 = 1
	length  = 2
	fixed32 = 5
)

// Check refuses a message that is nested too deeply or has too many parts. Whether it can be decoded is not asked. Text is looked at
// as if it were a message, since nothing says which it is; no text of people is nested as deeply, because every level has to begin
// with a length that fits what is left.
func Check(message []byte) error {
	var m measure
	return m.walk(message, 1)
}

type measure struct{ entries, parts int }

func (m *measure) walk(b []byte, depth int) error {
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
			if err := m.count(depth); err != nil {
				return err
			}
			if err := m.walk(rest[:n], depth+1); err != nil {
				return err
			}
			b = rest[n:]
		}
	}
	return nil
}

func (m *measure) count(depth int) error {
	if depth > MaxDepth {
		return problem.New(problem.Invalid, "the message is nested more than %d deep", MaxDepth).WithMend("send flat attributes")
	}
	if m.parts++; m.parts > MaxParts {
		return problem.New(problem.TooLarge, "the message has more than %d parts", MaxParts).WithMend("send smaller batches")
	}
	if depth > levels {
		return nil
	}
	if m.entries++; m.entries > MaxEntries {
		return problem.New(problem.TooLarge, "the message has more than %d records", MaxEntries).WithMend("send smaller batches")
	}
	return nil
}

// number reads a number of up to ten bytes as the loosest of decoders does, which lets bits over 64 fall: what one of them
// takes must not end the look at it here.
func number(b []byte) (n uint64, rest []byte, ok bool) {
	for i := 0; i < len(b) && i < 10; i++ {
		n |= uint64(b[i]&0x7F) << (7 * i)
		if b[i] < 0x80 {
			return n, b[i+1:], true
		}
	}
	return 0, nil, false
}
