package eventdb

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// Of a field with very many values the frequent ones are found, with about their
// counts, and the number of different ones.
func TestFrequentAmongMany(t *testing.T) {
	db, err := Open(t.Context(), Config{Dir: t.TempDir(), Sync: SyncInterval})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r := rand.New(rand.NewPCG(1, 5))
	const n = 500_000
	want := map[string]int64{}
	stream := event.NewStream(event.Labels{"kind": "log"})
	for range n / 5000 {
		batch := make([]event.Event, 5000)
		for i := range batch {
			v := fmt.Sprintf("%016x", r.Uint64())
			if i%50 == 0 {
				v = fmt.Sprintf("%016x", r.IntN(5))
			}
			want[v]++
			batch[i] = event.Event{Time: int64(i), Stream: stream, Fields: []event.Field{{Name: "id", Value: event.String(v)}}}
		}
		if err := db.Append(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	res, err := db.Query(t.Context(), event.Query{Facets: &event.Facets{Fields: []string{"id"}, Limit: 5}})
	if err != nil {
		t.Fatal(err)
	}
	f := res.Facets[0]
	if f.Count != n || f.Distinct < int64(len(want))*96/100 || f.Distinct > int64(len(want))*104/100 {
		t.Errorf("%d events, %d values, want %d and %d", f.Count, f.Distinct, n, len(want))
	}
	for _, v := range f.Top {
		if have := want[v.Value.Text()]; have < 1000 || v.Count < have*98/100 || v.Count > have*102/100+100 {
			t.Errorf("%s %d times, want %d", v.Value, v.Count, have)
		}
	}
}
