package eventdb

import "math"

// sketch counts numbers in buckets of logarithmic width, 64 to each doubling, so
// that any quantile is known within 1/128 of its value. The bucket of a number is
// the upper bits of its floating-point form, so that counting costs next to
// nothing and sketches of parts add up exactly.
type sketch struct {
	positive, negative buckets
	zero               int64
}

const (
	sketchShift = 52 - 6
	bucketsEnd  = 1 << (63 - sketchShift) // the buckets of positive numbers end before it
)

// buckets are counts from a first bucket on. Counts are short, so that those of many
// groups stay in the caches; what does not fit them goes to over.
type buckets struct {
	first  int
	counts []uint32
	over   map[int]int64 // by bucket, what its count lacks
}

func (b *buckets) add(i int, n int64) {
	b.cover(i, i)
	sum := int64(b.counts[i-b.first]) + n
	b.counts[i-b.first] = uint32(sum)
	if rest := sum - int64(uint32(sum)); rest != 0 {
		b.spill(i, rest)
	}
}

// cover makes room for the buckets from i to j.
func (b *buckets) cover(i, j int) {
	if b.counts == nil {
		b.first, b.counts = i&^63, make([]uint32, 64)
	}
	if i < b.first { // by a quarter at least, so that it need not grow often
		grow := min((max(len(b.counts)/4, b.first-i)+63)&^63, b.first)
		b.counts = append(make([]uint32, grow, grow+len(b.counts)), b.counts...)
		b.first -= grow
	}
	if d := j - b.first; d >= len(b.counts) {
		grow := min((max(len(b.counts)/4, d-len(b.counts)+1)+63)&^63, bucketsEnd-b.first-len(b.counts))
		b.counts = append(b.counts, make([]uint32, grow)...)
	}
}

func (b *buckets) spill(i int, n int64) {
	if b.over == nil {
		b.over = map[int]int64{}
	}
	b.over[i] += n
}

// all ranges over the buckets that have counts, from the smallest on.
func (b *buckets) all(yield func(i int, n int64) bool) {
	for d, short := range b.counts {
		i, n := b.first+d, int64(short)
		if b.over != nil {
			n += b.over[i]
		}
		if n > 0 && !yield(i, n) {
			return
		}
	}
}

// merge adds another's counts.
func (b *buckets) merge(o *buckets) {
	if len(o.counts) == 0 {
		return
	}
	b.cover(o.first, o.first+len(o.counts)-1)
	to := b.counts[o.first-b.first:]
	for d, n := range o.counts {
		if to[d] += n; to[d] < n {
			b.spill(o.first+d, 1<<32)
		}
	}
	for i, n := range o.over {
		b.spill(i, n)
	}
}

func (b *buckets) count() int64 {
	sum := int64(0)
	for _, n := range b.counts {
		sum += int64(n)
	}
	for _, n := range b.over {
		sum += n
	}
	return sum
}

// add counts a number.
func (s *sketch) add(f float64) {
	p := &s.positive
	if i := int(math.Float64bits(f) >> sketchShift); uint(i-p.first) < uint(len(p.counts)) && i > 0 {
		if p.counts[i-p.first]++; p.counts[i-p.first] == 0 { // the bits of negative numbers are beyond all positive ones
			p.spill(i, 1<<32)
		}
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
	s.zero += o.zero
	s.positive.merge(&o.positive)
	s.negative.merge(&o.negative)
}

// addInts adds whole numbers, each to the sketch of its group. It is add put in
// place, because it runs for every event of a table of quantiles.
func addInts(sketches []sketch, groups []uint32, ints []int64) {
	ints = ints[:len(groups)]
	for i, g := range groups {
		f := float64(ints[i])
		p := &sketches[g].positive
		d := int(math.Float64bits(f)>>sketchShift) - p.first
		if uint(d) >= uint(len(p.counts)) || f == 0 || p.counts[d] == math.MaxUint32 {
			sketches[g].add(f)
			continue
		}
		p.counts[d]++
	}
}

// size is about how many bytes the sketch takes.
func (s *sketch) size() int64 {
	return 96 + 4*int64(cap(s.positive.counts)+cap(s.negative.counts))
}

// edges are the ends of a bucket of positive numbers.
func edges(i int) (low, high float64) {
	return math.Float64frombits(uint64(i) << sketchShift), math.Float64frombits(uint64(i+1) << sketchShift)
}

// quantile is about the number at rank ceil(q*n) of the n sorted numbers; false if
// there is none.
func (s *sketch) quantile(q float64) (float64, bool) {
	negative := s.negative.count()
	n := s.zero + negative + s.positive.count()
	if n == 0 {
		return 0, false
	}
	rank := max(1, int64(math.Ceil(q*float64(n))))
	switch {
	case rank <= negative: // the smallest are in the last buckets
		from := negative - rank // of those nearer to zero, so many come first
		for i, n := range s.negative.all {
			if from -= n; from < 0 {
				return -middle(i), true
			}
		}
	case rank <= negative+s.zero:
		return 0, true
	}
	rank -= negative + s.zero
	for i, n := range s.positive.all {
		if rank -= n; rank <= 0 {
			return middle(i), true
		}
	}
	return math.NaN(), true
}

func middle(i int) float64 {
	low, high := edges(i)
	if math.IsInf(low, 0) || math.IsInf(high, 0) || high != high {
		return low
	}
	return low + (high-low)/2
}
