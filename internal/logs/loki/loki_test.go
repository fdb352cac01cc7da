package loki_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/loki"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

var now = time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)

func push() []byte {
	str := func(b []byte, n protowire.Number, s string) []byte {
		return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), s)
	}
	num := func(b []byte, n protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), v)
	}
	at := num(num(nil, 1, 1767323045), 2, 5)
	entry := str(str(str(nil, 1, string(at)), 2, "hello"), 3, string(str(str(nil, 1, "trace_id"), 2, "ab")))
	return snappy.Encode(nil, str(nil, 1, string(str(str(nil, 1, `{job="shop", level="WARN"}`), 2, string(entry)))))
}

func TestDecode(t *testing.T) {
	fromJSON, err := loki.DecodeJSON([]byte(`{"streams":[{"stream":{"job":"shop","level":"WARN"},"values":[["1767323045000000005","hello",{"trace_id":"ab"}]]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	fromProtobuf, err := loki.DecodeProtobuf(push())
	if err != nil {
		t.Fatal(err)
	}
	for _, entries := range [][]loki.Entry{fromJSON, fromProtobuf} {
		if len(entries) != 1 {
			t.Fatalf("%d entries", len(entries))
		}
		e, _ := entries[0].Event(now)
		for field, want := range map[string]string{"message": "hello", "level": "warn", "service.name": "shop", "trace.id": "ab", "kind": "log", "dataset": "logs", "@timestamp": "2026-01-02T03:04:05.000000005Z"} {
			if got := e.Get(field).String(); got != want {
				t.Errorf("%s is %q, want %q", field, got, want)
			}
		}
	}
	for _, in := range []string{``, `[]`, `{"streams":[{"labels":"x","values":[]}]}`, `{"streams":[{"stream":{},"values":[["x","y"]]}]}`, `{"streams":[{"stream":{},"values":[["1"]]}]}`} {
		if _, err := loki.DecodeJSON([]byte(in)); err == nil {
			t.Errorf("%s is taken", in)
		}
	}
}

// What would be too much is refused, by lines and by what they share.
func TestBombs(t *testing.T) {
	var labels strings.Builder
	for i := range 199 {
		fmt.Fprintf(&labels, `"label%d":"x",`, i)
	}
	for name, in := range map[string]string{
		"lines":                `{"streams":[{"stream":{},"values":[` + strings.Repeat(`["1","x"],`, 260_000) + `["1","x"]]}]}`,
		"streams":              `{"streams":[` + strings.Repeat(`{},`, 800_000) + `{}]}`,
		"elements of a line":   `{"streams":[{"stream":{},"values":[["1","x"` + strings.Repeat(`,1`, 1_300_000) + `]]}]}`,
		"nesting":              `{"streams":` + strings.Repeat(`[`, 100_000),
		"labels for each line": `{"streams":[{"stream":{` + labels.String() + `"a":"b"},"values":[` + strings.Repeat(`["1","x"],`, 30_000) + `["1","x"]]}]}`,
	} {
		if _, err := loki.DecodeJSON([]byte(in)); problem.CodeOf(err) != problem.TooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Lines are counted while they are read: what is too much is refused before there is room for all of it.
func TestEmptyLinesTakeNoRoom(t *testing.T) {
	empty := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), nil)
	sent := snappy.Encode(nil, protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), bytes.Repeat(empty, 4_000_000)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := loki.DecodeProtobuf(sent)
	runtime.ReadMemStats(&after)
	if problem.CodeOf(err) != problem.TooLarge {
		t.Errorf("4 million empty lines: %v", err)
	}
	if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > 256 {
		t.Errorf("%d bytes made %d MiB of memory", len(sent), got)
	}
}

// Text that is not UTF-8 is put right and noted, in JSON too.
func TestNotes(t *testing.T) {
	entries, err := loki.DecodeJSON([]byte("{\"streams\":[{\"stream\":{},\"values\":[[\"1\",\"a\xff\"]]}]}"))
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	e, notes := entries[0].Event(now)
	if notes.Texts != 1 || notes.Time != record.TimePast || e.Get(event.MessageField).Text() != "a\uFFFD" {
		t.Errorf("%+v %s", notes, e.Get(event.MessageField))
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(push())
	f.Add([]byte(`{"streams":[{"labels":"{a=\"b\"}","values":[["1","x"]]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, decode := range []func([]byte) ([]loki.Entry, error){loki.DecodeJSON, loki.DecodeProtobuf, func(b []byte) ([]loki.Entry, error) {
			return loki.DecodeProtobuf(snappy.Encode(nil, b))
		}} {
			entries, err := decode(data)
			if err != nil {
				continue
			}
			for i := range entries {
				if e, _ := entries[i].Event(now); e.Get(event.KindField).String() != event.KindLog {
					t.Fatal("an entry is no log")
				}
			}
		}
	})
}
