package wire_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/wire"
)

// within puts a message into others, of which the outermost has it as the first of the fields.
func within(inner []byte, fields ...protowire.Number) []byte {
	for i := len(fields) - 1; i >= 0; i-- {
		inner = protowire.AppendBytes(protowire.AppendTag(nil, fields[i], protowire.BytesType), inner)
	}
	return inner
}

// path is the fields of some messages, and then those of a value that is a list in a list, so many times.
func path(lists int, fields ...protowire.Number) []protowire.Number {
	for range lists {
		fields = append(fields, 5, 1)
	}
	return fields
}

// Where a value lies that can hold others.
var (
	body  = []protowire.Number{1, 2, 2, 5}
	point = []protowire.Number{1, 2, 2, 5, 1, 7, 2}
)

const deepLists = wire.MaxDepth // twice as many messages

// empty is so many empty messages in a field.
func empty(field protowire.Number, times int) []byte {
	return bytes.Repeat(within(nil, field), times)
}

// disguised is field 1 by a tag whose number is over 32 bits, for decoders that cut it down to 32.
func disguised(inner []byte) []byte {
	return protowire.AppendBytes(protowire.AppendVarint(nil, (1<<35|1)<<3|2), inner)
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		export *wire.Message
		data   []byte
		want   problem.Code
	}{
		{"nothing", wire.Logs, nil, ""},
		{"a list in lists", wire.Logs, within(nil, path(100, body...)...), ""},
		{"too deep in a body", wire.Logs, within(nil, path(deepLists, body...)...), problem.Invalid},
		{"too deep in an attribute of a record", wire.Logs, within(nil, path(deepLists, 1, 2, 2, 6, 2)...), problem.Invalid},
		{"too deep in an attribute of a resource", wire.Logs, within(nil, path(deepLists, 1, 1, 1, 2)...), problem.Invalid},
		{"too deep in an attribute of a scope", wire.Logs, within(nil, path(deepLists, 1, 2, 1, 3, 2)...), problem.Invalid},
		{"too deep in a scope under its old number", wire.Logs, within(nil, path(deepLists, 1, 1000, 2, 5)...), problem.Invalid},
		{"too deep within a map", wire.Logs, within(nil, path(deepLists, 1, 2, 2, 5, 6, 1, 2)...), problem.Invalid},
		{"too deep behind a number and a text", wire.Logs, append([]byte("\x10\x01\x22\x02hi\x1d1234\x21abcdefgh"), within(nil, path(deepLists, body...)...)...), problem.Invalid},
		{"too deep and broken behind it", wire.Logs, append(within(nil, path(deepLists, body...)...), 0xFF), problem.Invalid},
		{"too deep within a group", wire.Logs, append([]byte{0x0B}, within(nil, path(deepLists, body...)...)...), problem.Invalid},
		{"too deep in disguise", wire.Logs, disguised(within(nil, path(deepLists, body[1:]...)...)), problem.Invalid},
		{"too deep in a point", wire.Metrics, within(nil, path(deepLists, point...)...), problem.Invalid},
		{"too deep in a histogram", wire.Metrics, within(nil, path(deepLists, 1, 2, 2, 9, 1, 9, 2)...), problem.Invalid},
		{"too deep in an exponential histogram", wire.Metrics, within(nil, path(deepLists, 1, 2, 2, 10, 1, 1, 2)...), problem.Invalid},
		{"too deep in a summary", wire.Metrics, within(nil, path(deepLists, 1, 2, 2, 11, 1, 7, 2)...), problem.Invalid},
		{"too deep in an exemplar", wire.Metrics, within(nil, path(deepLists, 1, 2, 2, 7, 1, 5, 7, 2)...), problem.Invalid},
		{"too deep in metadata", wire.Metrics, within(nil, path(deepLists, 1, 2, 2, 12, 2)...), problem.Invalid},

		{"empty records", wire.Logs, within(empty(2, wire.MaxEntries), 1, 2), problem.TooLarge},
		{"empty points", wire.Metrics, within(empty(1, wire.MaxEntries), 1, 2, 2, 10), problem.TooLarge},
		{"empty attributes", wire.Logs, within(empty(6, wire.MaxParts), 1, 2, 2), problem.TooLarge},
		{"empty values", wire.Logs, within(empty(1, wire.MaxParts), 1, 2, 2, 5, 5), problem.TooLarge},
		{"empty texts in a list", wire.Logs, within(empty(3, wire.MaxParts), 1, 1, 3), problem.TooLarge},
	} {
		if got := problem.CodeOf(wire.Check(tt.export, tt.data)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Whoever can have a text logged cannot have the batch refused that it is in, whatever the text is.
func TestTextIsNotLookedInto(t *testing.T) {
	nested := nestedText()
	if !utf8.ValidString(nested) {
		t.Fatal("the text is not UTF-8")
	}
	for name, text := range map[string]string{
		"valid UTF-8 that is nested as messages are": nested,
		"nested lists":  string(within(nil, path(deepLists)...)),
		"empty parts":   strings.Repeat("\n\x00", wire.MaxParts+1),
		"other scripts": strings.Repeat("журнал 記録 ", 10_000),
	} {
		for _, fields := range [][]protowire.Number{
			{1, 2, 2, 5, 1}, {1, 2, 2, 6, 1}, {1, 2, 2, 6, 2, 1}, {1, 2, 2, 6, 2, 7}, {1, 2, 2, 3}, {1, 1, 1, 2, 1}, {1, 2, 1, 1}, {1, 3},
		} {
			if err := wire.Check(wire.Logs, within([]byte(text), fields...)); err != nil {
				t.Errorf("%s in %v of logs: %v", name, fields, err)
			}
		}
		for _, fields := range [][]protowire.Number{{1, 2, 2, 1}, {1, 2, 2, 2}, {1, 2, 2, 5, 1, 7, 2, 1}, {1, 2, 2, 5, 1, 5, 7, 2, 1}} {
			if err := wire.Check(wire.Metrics, within([]byte(text), fields...)); err != nil {
				t.Errorf("%s in %v of metrics: %v", name, fields, err)
			}
		}
	}
}

// nestedText is valid UTF-8, as a log line may be, that reads as 300 fields within each other: every length fits what is left.
func nestedText() string {
	var b strings.Builder
	at := 1 << 30
	for high := 0x3F; high >= 0 && b.Len() < 4*300; high-- {
		for low := 0x5F; low >= 0x42 && b.Len() < 4*300; low -= 4 {
			if n := low | high<<7; n <= at-4 {
				at = n
				b.Write([]byte{'z', byte(low) | 0x80, byte(high) | 0x80, 0})
			}
		}
	}
	return b.String() + strings.Repeat("x", 0x5F|0x3F<<7)
}

// Whatever is sent, looking at it ends, and what is too deep is refused whatever is before it.
func FuzzCheck(f *testing.F) {
	f.Add(within([]byte("hello"), body...))
	f.Add([]byte{0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01})
	deep := within(nil, path(deepLists, body...)...)
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = wire.Check(wire.Logs, data), wire.Check(wire.Metrics, data)
		if wire.Check(wire.Logs, append(within(data, 1, 2, 2, 5, 1), deep...)) == nil {
			t.Fatal("what is too deep is taken")
		}
	})
}
