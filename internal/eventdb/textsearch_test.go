package eventdb

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Searching all text of a column at once finds the rows that have the needle, and
// no needle that begins in one row and ends in the next.
func TestFindInAllRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for round := range 2000 {
		c := &column{n: 1 + r.IntN(40)}
		var rows []string
		for range c.n {
			text := make([]byte, r.IntN(12))
			for i := range text {
				text[i] = "abAB."[r.IntN(5)]
			}
			rows = append(rows, string(text))
			c.data = append(c.data, text...)
			c.ends = append(c.ends, uint32(len(c.data)))
		}
		needle := make([]byte, 1+r.IntN(4))
		for i := range needle {
			needle[i] = "ab."[r.IntN(3)]
		}
		lower, ascii := appendLower([]byte("kept"), c.data)
		if want := strings.ToLower(string(c.data)); !ascii || string(lower) != "kept"+want {
			t.Fatalf("%q in lower case is %q", c.data, lower)
		}
		var found, want []int
		c.find(lower[4:], needle, func(row int) { found = append(found, row) })
		for i, text := range rows {
			if strings.Contains(strings.ToLower(text), string(needle)) {
				want = append(want, i)
			}
		}
		if !slices.Equal(found, want) {
			t.Fatalf("round %d: %q in %q: rows %v, want %v", round, needle, rows, found, want)
		}
	}
	data := bytes.Repeat([]byte("Z[@zÀ é~\x7f"), 5)
	if lower, ascii := appendLower(nil, data); ascii || string(lower) != strings.ReplaceAll(string(data), "Z", "z") {
		t.Errorf("%q in lower case is %q, all ASCII %v", data, lower, ascii)
	}
}

// Numbers keep their ids while the table changes how it keeps them.
func TestIDsOfNumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	var table intTable
	want := map[int64]uint32{}
	for range 300_000 {
		x := []int64{r.Int64N(1000), r.Int64N(1_000_000), -r.Int64N(1000), int64(r.Uint64()), 1<<24 + r.Int64N(10)}[r.IntN(5)]
		next := uint32(len(want))
		id, fresh := table.get(x, next)
		have, known := want[x]
		if fresh == known || known && id != have || !known && id != next {
			t.Fatalf("%d has id %d, fresh %v; want %d, known %v", x, id, fresh, have, known)
		}
		want[x] = id
	}
}
