package event

import (
	"math"
	"math/big"
	"strings"
	"testing"
	"time"
)

// The specification's reading of an id: a number in base 32.
func decode(t *testing.T, id string) *big.Int {
	t.Helper()
	n := new(big.Int)
	for _, c := range id {
		digit := strings.IndexRune(crockford, c)
		if digit < 0 {
			t.Fatalf("%q is no digit of an id", c)
		}
		n.Add(n.Lsh(n, 5), big.NewInt(int64(digit)))
	}
	return n
}

func FuzzEncodeID(f *testing.F) {
	f.Add(uint64(0), uint16(0), uint64(0))
	f.Add(uint64(1<<48-1), uint16(math.MaxUint16), uint64(math.MaxUint64))
	f.Add(uint64(1_700_000_000_000), uint16(1), uint64(31))
	f.Fuzz(func(t *testing.T, millis uint64, high uint16, low uint64) {
		millis &= 1<<48 - 1
		want := new(big.Int).SetUint64(millis)
		want.Add(want.Lsh(want, 16), new(big.Int).SetUint64(uint64(high)))
		want.Add(want.Lsh(want, 64), new(big.Int).SetUint64(low))
		if got := decode(t, encodeID(millis, high, low)); got.Cmp(want) != 0 {
			t.Fatalf("%x, want %x", got, want)
		}
	})
}

func TestIDsRiseWhateverTheClockDoes(t *testing.T) {
	s := idSource{}
	at := time.UnixMilli(1_700_000_000_000)
	last := ""
	next := func(now time.Time) {
		t.Helper()
		id := s.next(now)
		if id <= last {
			t.Fatalf("%s after %s", id, last)
		}
		last = id
	}
	next(at)
	next(at)
	next(at.Add(-time.Hour)) // the clock steps back
	s.low = math.MaxUint64
	next(at) // carries
	s.high, s.low = math.MaxUint16, math.MaxUint64
	next(at) // borrows the next millisecond
	next(at)
	next(at.Add(time.Second))
}
