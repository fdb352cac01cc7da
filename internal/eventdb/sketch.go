package eventdb

import "math"

// sketch counts numbers in buckets of logarithmic width, 64 to each doubling, so
// that any quantile is known within 1/128 of its value. The bucket of a number is
// the upper bits of its floating-point form, so that counting costs next to
// nothing and sketches of parts add up exactly.
type sketch struct {
	positive, negative buckets
	zero               int64
	n                  int64
}

const (
	sketchShift = 52 - 6
	bucketsEnd  = 1 << (63 - sketchShift) // the buckets of positive numbers end before it
)

// buckets are counts from a first bucket on.
type buckets struct {
	first  int
	counts []int64
}

func (b *buckets) add(i int, n int64) {
	if b.counts == nil {
		b.first, b.counts = i&^63, make([]int64, 64)
	}
	for i < b.first { // by as much again, so that it need not grow often
		grow := min(max(len(b.counts), (b.first-i+63)&^63), b.first)
		b.counts = append(make([]int64, grow, grow+len(b.counts)), b.counts...)
		b.first -= grow
	}
	if d := i - b.first; d >= len(b.counts) {
		grow := min(max(len(b.counts), (d-len(b.counts)+64)&^63), bucketsEnd-b.first-len(b.counts))
		b.counts = append(b.counts, make([]int64, grow)...)
	}
	b.counts[i-b.first] += n
}

func (s *sketch) add(f float64) {
	s.n++
	if i := int(math.Float64bits(f) >> sketchShift); uint(i-s.positive.first) < uint(len(s.positive.counts)) && i > 0 {
		s.positive.counts[i-s.positive.first]++ // the bits of negative numbers are beyond all positive ones
		return
	}
	s.addOther(f)
}

// addOther counts zero, negative numbers, and the first of a bucket.
func (s *sketch) addOther(f float64) {
	switch {
	case f > 0:
		s.positive.add(int(math.Float64bits(f)>>sketchShift), 1)
	case f < 0:
		s.negative.add(int(math.Float64bits(-f)>>sketchShift), 1)
	default:
		s.zero++
	}
}

func (s *sketch) merge(o *sketch) {
	s.n += o.n
	s.zero += o.zero
	for i, n := range o.positive.counts {
		if n > 0 {
			s.positive.add(o.positive.first+i, n)
		}
	}
	for i, n := range o.negative.counts {
		if n > 0 {
			s.negative.add(o.negative.first+i, n)
		}
	}
}

// edges are the ends of a bucket of positive numbers.
func edges(i int) (low, high float64) {
	return math.Float64frombits(uint64(i) << sketchShift), math.Float64frombits(uint64(i+1) << sketchShift)
}

// quantile is about the number at rank ceil(q*n) of the sorted numbers.
func (s *sketch) quantile(q float64) float64 {
	rank := max(1, int64(math.Ceil(q*float64(s.n))))
	for i := len(s.negative.counts) - 1; i >= 0; i-- {
		if rank -= s.negative.counts[i]; rank <= 0 {
			return -middle(s.negative.first + i)
		}
	}
	if rank -= s.zero; rank <= 0 {
		return 0
	}
	for i, n := range s.positive.counts {
		if rank -= n; rank <= 0 {
			return middle(s.positive.first + i)
		}
	}
	return math.NaN()
}

func middle(i int) float64 {
	low, high := edges(i)
	if math.IsInf(low, 0) || math.IsInf(high, 0) || high != high {
		return low
	}
	return low + (high-low)/2
}
