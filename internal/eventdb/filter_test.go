package eventdb

import (
	"testing"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/eventdb/oracle"
)

// Bytes whose writing is digits are not text that is a number.
func TestBytesAreNoNumber(t *testing.T) {
	db, err := Open(t.Context(), Config{Dir: t.TempDir(), Sync: SyncInterval})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	digits := event.Bytes([]byte{0xd7, 0x6d, 0xf8}) // in base64: 1234
	var events []event.Event
	for i, v := range []event.Value{event.String("1234"), event.String("1234"), event.String("x"), event.Int(1234), digits} {
		events = append(events, event.Event{Time: int64(i), Fields: []event.Field{{Name: "f", Value: v}}})
	}
	if err := db.Append(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"in memory", "in a part"} {
		for _, v := range []event.Value{digits, event.String("1234"), event.Int(1234)} {
			q := event.Query{Filter: event.Equals("f", v)}
			want, err := oracle.Answer(events, q)
			if err != nil {
				t.Fatal(err)
			}
			got, err := db.Query(t.Context(), q)
			if err != nil || got.Matched != want.Matched {
				t.Errorf("%s, %s %v: %v, want %d, %v", state, v.Type(), v, got, want.Matched, err)
			}
		}
		if err := db.Flush(); err != nil {
			t.Fatal(err)
		}
	}
}
