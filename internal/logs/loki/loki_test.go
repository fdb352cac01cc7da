package loki_test

import (
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/loki"
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
