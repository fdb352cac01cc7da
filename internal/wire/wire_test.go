package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/wire"
)

// within puts a message into others, so many times, as field 1 of each.
func within(times int, inner []byte) []byte {
	for range times {
		inner = protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), inner)
	}
	return inner
}

func TestCheck(t *testing.T) {
	// A tag whose number is over 32 bits: decoders that cut it down to 32 take it for field 1.
	disguised := func(inner []byte) []byte {
		return protowire.AppendBytes(protowire.AppendVarint(nil, (1<<35|1)<<3|2), inner)
	}
	for _, tt := range []struct {
		name    string
		message []byte
		want    problem.Code
	}{
		{"nothing", nil, ""},
		{"as deep as it may be", within(wire.MaxDepth, nil), ""},
		{"too deep", within(wire.MaxDepth+1, nil), problem.Invalid},
		{"too deep behind a number and a text", append([]byte("\x08\x01\x12\x02hi\x1d1234\x21abcdefgh"), within(wire.MaxDepth+1, nil)...), problem.Invalid},
		{"too deep and broken behind it", append(within(wire.MaxDepth+1, nil), 0xFF), problem.Invalid},
		{"too deep within a group", append([]byte{0x0B}, within(wire.MaxDepth+1, nil)...), problem.Invalid},
		{"too deep in disguise", disguised(within(wire.MaxDepth, nil)), problem.Invalid},
		{"empty records", within(2, bytes.Repeat([]byte{0x0A, 0}, wire.MaxEntries)), problem.TooLarge},
		{"empty parts further down", within(5, bytes.Repeat([]byte{0x0A, 0}, wire.MaxParts)), problem.TooLarge},
		{"text that looks nested", within(5, []byte(strings.Repeat("\n", 100_000))), ""},
		{"text of letters", within(5, []byte(strings.Repeat("z\x7fz\x7eJ2R", 10_000))), ""},
		{"text of other scripts", within(5, []byte(strings.Repeat("журнал 記録 ", 10_000))), ""},
	} {
		if got := problem.CodeOf(wire.Check(tt.message)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Whatever is sent, looking at it ends.
func FuzzCheck(f *testing.F) {
	f.Add(within(3, []byte("hello")))
	f.Add([]byte{0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01})
	f.Fuzz(func(t *testing.T, message []byte) {
		if wire.Check(message) == nil && wire.Check(within(wire.MaxDepth+1, message)) == nil {
			t.Fatal("what is too deep is taken")
		}
	})
}
