package eventdb

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Quantiles of numbers of either sign, and of sketches put together, are within the
// width of a bucket.
func TestSketchQuantiles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var all []float64
	var whole, merged sketch
	for range 8 {
		var one sketch
		for range 500 {
			f := math.Trunc(math.Exp(r.NormFloat64() * 6))
			if r.IntN(3) == 0 {
				f = -f
			}
			all = append(all, f)
			whole.add(f)
			one.add(f)
		}
		merged.merge(&one)
	}
	slices.Sort(all)
	for q := 0.0; q <= 1; q += 0.01 {
		want := all[max(0, int(math.Ceil(q*float64(len(all))))-1)]
		got, ok := whole.quantile(q)
		if again, _ := merged.quantile(q); !ok || again != got || math.Abs(got-want) > math.Abs(want)/128 {
			t.Errorf("quantile %v is %v, merged %v, want %v", q, got, again, want)
		}
	}
	if _, ok := new(sketch).quantile(0.5); ok {
		t.Error("nothing has a quantile")
	}
}

// Counts go on beyond what a short one holds.
func TestSketchCountsOn(t *testing.T) {
	var s, o sketch
	s.add(3)
	o.add(3)
	s.positive.counts[s.positive.bucketOf(3)] = math.MaxUint32
	o.positive.counts[o.positive.bucketOf(3)] = math.MaxUint32
	s.add(3)
	sketches := []sketch{o}
	addInts(sketches, []uint32{0, 0}, []int64{3, 5})
	s.merge(&sketches[0])
	s.positive.add(s.positive.first, 5<<32)
	if got, want := s.positive.count(), int64(7<<32+1); got != want {
		t.Errorf("%d counted, want %d", got, want)
	}
	if q, _ := s.quantile(0.9999); math.Abs(q-3) > 3./128 {
		t.Errorf("quantile %v, want 3", q)
	}
}

func (b *buckets) bucketOf(f float64) int { return int(math.Float64bits(f)>>sketchShift) - b.first }

// Whole numbers are counted as others are.
func TestAddInts(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var groups []uint32
	var ints []int64
	want := make([]sketch, 5)
	for range 5000 {
		g, n := uint32(r.IntN(5)), r.Int64N(2000)-300
		groups, ints = append(groups, g), append(ints, n)
		want[g].add(float64(n))
	}
	got := make([]sketch, 5)
	addInts(got, groups, ints)
	for g := range got {
		if got[g].zero != want[g].zero || !slices.Equal(slices.Collect(keys(&got[g].positive)), slices.Collect(keys(&want[g].positive))) || got[g].negative.count() != want[g].negative.count() {
			t.Errorf("group %d differs", g)
		}
	}
}

// keys are the buckets and counts by turns.
func keys(b *buckets) func(func(int64) bool) {
	return func(yield func(int64) bool) {
		for i, n := range b.all {
			if !yield(int64(i)) || !yield(n) {
				return
			}
		}
	}
}
